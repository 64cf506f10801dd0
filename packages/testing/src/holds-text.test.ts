import { describe, expect, it } from 'vitest'
import { holdsText } from './holds-text.ts'

const TEXT = 'secret'

const places: readonly (readonly [string, unknown])[] = [
  ['a string', 'a secret here'],
  ['a property', { a: { b: TEXT } }],
  ['a key', { 'my-secret': 1 }],
  ['an array', [[TEXT]]],
  ['a map', new Map([['a', TEXT]])],
  ['the keys of a map', new Map([[{ a: TEXT }, 1]])],
  ['a set', new Set([TEXT])],
  ['a symbol', { [Symbol('a')]: TEXT }],
  ['a property that is not listed', Object.defineProperty({}, 'a', { value: TEXT })],
  [
    'an accessor',
    {
      get a() {
        return TEXT
      },
    },
  ],
  ['a function', Object.assign(() => {}, { a: TEXT })],
  ['an error', new Error(TEXT)],
]

describe('holdsText', () => {
  it.each(places)('finds it in %s', (_place, value) => {
    expect(holdsText({ value }, TEXT)).toBe(true)
  })

  it.each([null, undefined, 7, 'other', { a: ['b', new Map([[1, 2]])] }, () => {}])(
    'does not find it in %o',
    (value) => {
      expect(holdsText(value, TEXT)).toBe(false)
    },
  )

  it('ends on a value that holds itself', () => {
    const value: Record<string, unknown> = {}
    value['self'] = value

    expect(holdsText(value, TEXT)).toBe(false)
  })
})
