import { describe, expect, it } from 'vitest'
import { holdsToken } from './holds-token.ts'
import { createTokenMatcher } from './token-matcher.ts'

/** As an access token of RFC 9068 looks: two dots, base64url. */
const letters = (length: number, seed: number): string => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  let state = seed
  return Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return alphabet[(state >> 12) % 64]
  }).join('')
}
const HEADER = 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9'
const JWT = `${HEADER}.${letters(572, 1)}.${letters(86, 2)}`
/** With what a header allows and a URL does not. */
const OPAQUE = `~${letters(40, 3)}+/${letters(20, 4)}==`
/** Whose URL encoding and whose base64 differ all over from what is left alone. */
const SIGNS = letters(60, 6).replaceAll(/./g, (letter, at: number) => `${letter}~~${'+/'[at % 2]}`)
const TOKENS = [JWT, OPAQUE, SIGNS, letters(22, 5)]
const hex = (text: string): string => Buffer.from(text).toString('hex')
const percent = (text: string): string => hex(text).replaceAll(/../g, '%$&')

const FORMS: readonly (readonly [form: string, make: (token: string) => string])[] = [
  ['plain', (token) => token],
  ['inside of JSON', (token) => JSON.stringify({ user: { accessToken: token } })],
  ['after "Bearer"', (token) => `Bearer ${token}`],
  ['URL-encoded', (token) => `?t=${encodeURIComponent(token)}&x=1`],
  ['URL-encoded twice', (token) => encodeURIComponent(encodeURIComponent(token))],
  ['every character URL-encoded', percent],
  ['every character URL-encoded, upper case', (token) => percent(token).toUpperCase()],
  ['hexadecimal', hex],
  ['hexadecimal, upper case', (token) => hex(token).toUpperCase()],
  ...[0, 1, 2, 3, 4, 5].flatMap((before) => {
    const padded = (token: string): Buffer => Buffer.from(`${'{"abc'.slice(0, before)}${token}"}`)
    return [
      [`base64, after ${before} bytes`, (token: string) => padded(token).toString('base64')],
      [`base64url, after ${before} bytes`, (token: string) => padded(token).toString('base64url')],
    ] as const
  }),
]

describe.each(TOKENS)('the matcher of %s', (token) => {
  const holds = createTokenMatcher(token)

  it.each(FORMS)('finds the token %s, wherever in the text it stands', (_form, make) => {
    for (let before = 0; before < 40; before += 1)
      expect(holds(`${'.'.repeat(before * 11)}${make(token)}...`)).toBe(true)
  })

  it('finds one part of a token that was split in two, wherever it was split', () => {
    for (let at = 1; at < token.length; at += 1) {
      const parts = [token.slice(0, at), token.slice(at)]
      expect(parts.some((part) => holds(`x=${part};`))).toBe(true)
    }
  })

  it('leaves alone what is none', () => {
    for (const text of [
      '',
      'dark',
      letters(2_000, 9),
      '.'.repeat(5_000),
      `${HEADER}.${letters(600, 8)}`,
    ])
      expect(holds(text)).toBe(false)
  })

  it('leaves alone what shares less than half with it', () => {
    const part = token
      .slice(0, Math.ceil(token.length / 2) - 1)
      .slice(0, token.length < 24 ? 11 : undefined)
    expect(holds(`${part}${letters(800, 7)}`)).toBe(false)
  })
})

it('finds one part of a token that was split in two and encoded', () => {
  const holds = createTokenMatcher(JWT)
  for (let at = 1; at < JWT.length; at += 1) {
    // Of two parts that are alike in length, both ends lose a little to what stands beside them.
    if (Math.abs(at - JWT.length / 2) <= 4) continue
    const parts = [JWT.slice(0, at), JWT.slice(at)]
    expect(parts.some((part) => holds(Buffer.from(part).toString('base64url')))).toBe(true)
  }
})

it('takes a token whose parts repeat', () => {
  const token = 'abcdefgh'.repeat(20)
  const holds = createTokenMatcher(token)
  expect(holds(`x${token}`)).toBe(true)
  expect(holds('abcdefgh'.repeat(9))).toBe(false)
})

describe('what would be cloned', () => {
  const holds = createTokenMatcher(JWT)
  const circle: Record<string, unknown> = { name: 'x' }
  circle['self'] = circle
  circle['other'] = [circle, circle]
  const deep = Array.from({ length: 2_000 }).reduce<unknown>((inner) => ({ inner }), JWT)

  it.each<[string, unknown]>([
    ['a property', { a: [{ b: JWT }] }],
    ['a key', { [JWT]: 1 }],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: JWT })],
    [
      'an instance',
      new (class {
        held = JWT
      })(),
    ],
    ['a map', new Map([[{ a: 1 }, JWT]])],
    ['a key of a map', new Map([[JWT, 1]])],
    ['a set', new Set([[JWT]])],
    ['bytes', new TextEncoder().encode(`x${JWT}`)],
    ['a buffer', new TextEncoder().encode(`x${JWT}`).buffer],
    ['a view', new DataView(new TextEncoder().encode(JWT).buffer)],
    ['a String object', Object(JWT)],
    ['an error', new Error(JWT)],
    ['a deep object', deep],
    ['behind a circle', { circle, held: JWT }],
  ])('is searched in %s', (_where, value) => {
    expect(holdsToken(value, holds, () => {})).toBe(true)
  })

  it('may turn in circles', () => {
    expect(holdsToken(circle, holds, () => {})).toBe(false)
  })

  it('may be an array of nothing', () => {
    const holes: unknown[] = []
    holes.length = 4_000_000_000
    expect(holdsToken(holes, holds, () => {})).toBe(false)
    holes[3_999_999_999] = JWT
    expect(holdsToken(holes, holds, () => {})).toBe(true)
  })

  it('hands over blobs, which cannot be read at once', () => {
    const blobs: Blob[] = []
    const blob = new Blob([JWT])
    expect(holdsToken({ blob }, holds, (found) => blobs.push(found))).toBe(false)
    expect(blobs).toEqual([blob])
  })
})
