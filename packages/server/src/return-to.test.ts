import { expect, it } from 'vitest'
import { returnTo } from './return-to.ts'

const ORIGIN = 'https://app.example.com'

it.each(['/', '/cart', '/cart?step=2#pay', '/%2f/evil.example', '/a//b', '/api/authors'])(
  'keeps the own path %s',
  (path) => {
    expect(returnTo(path, ORIGIN, '/api/auth')).toBe(path)
  },
)

it.each([
  ['another host', '//evil.example'],
  ['another host, with a backslash', '/\\evil.example'],
  ['another host, once normalised', '/.//evil.example'],
  ['another host, after a step up', '/x/..//evil.example'],
  ['a backslash anywhere', '/a\\b'],
  ['a dropped tab', '/\t/evil.example'],
  ['a line end', '/a\r\nSet-Cookie: x'],
  ['a space', '/ a'],
  ['an absolute address', 'https://evil.example/'],
  ['its own absolute address', 'https://app.example.com/'],
  ['a script', 'javascript:alert(1)'],
  ['a relative path', 'cart'],
  ['nothing', ''],
  ['no string', ['/cart']],
  ['no value', undefined],
  ['the sign-in itself', '/api/auth/login'],
  ['the sign-in itself, once normalised', '/x/../api/auth/login'],
  ['the auth routes', '/api/auth'],
])('replaces %s by /', (_name, wish) => {
  expect(returnTo(wish, ORIGIN, '/api/auth')).toBe('/')
})
