import { describe, expect, it } from 'vitest'
import { isAuthError, type AuthError } from './errors.ts'
import {
  everythingIn,
  MINUTE,
  NOW,
  SECRET,
  secretPayload,
  thrown,
} from './fixtures.test.support.ts'
import { assertUsable, createAccessToken, isUsable } from './token.ts'
import type { TokenPayload } from './wire.ts'

const SKEW = MINUTE
const refused = (payload: unknown): AuthError =>
  thrown(() => assertUsable(payload as TokenPayload, NOW, SKEW)) as AuthError

describe('isUsable', () => {
  it('counts a token as expired from the moment the skew buffer begins', () => {
    const token = secretPayload({ expiresAt: NOW + SKEW })
    expect(isUsable(token, NOW - 1, SKEW)).toBe(true)
    expect(isUsable(token, NOW, SKEW)).toBe(false)
    expect(isUsable(token, NOW + 1, SKEW)).toBe(false)
  })

  it.each([
    ['null', null],
    ['nothing', undefined],
    ['a string', SECRET],
    ['an array', [SECRET]],
    ['an empty object', {}],
    ['an empty token', secretPayload({ accessToken: '' })],
    ['a token that is a number', { accessToken: 7, expiresAt: NOW * 2 }],
    ['an expiry that is NaN', secretPayload({ expiresAt: Number.NaN })],
    ['an expiry of 1e999', secretPayload({ expiresAt: Number('1e999') })],
    ['an expiry that is a string', { accessToken: SECRET, expiresAt: String(NOW * 2) }],
  ])('says no to %s and does not throw', (_, value) => {
    expect(isUsable(value as TokenPayload, NOW, SKEW)).toBe(false)
  })
})

describe('assertUsable', () => {
  it('lets a token pass that outlives the skew buffer', () => {
    expect(() => assertUsable(secretPayload(), NOW, SKEW)).not.toThrow()
    expect(() =>
      assertUsable(secretPayload({ expiresAt: NOW + SKEW + 1 }), NOW, SKEW),
    ).not.toThrow()
  })

  it.each(['Bearer', 'bearer', 'BEARER'])('takes the token type %s', (tokenType) => {
    expect(() => assertUsable(secretPayload({ tokenType }), NOW, SKEW)).not.toThrow()
  })

  it.each(['', 'orders:read orders:write'])('takes the scope "%s"', (scope) => {
    expect(() => assertUsable(secretPayload({ scope }), NOW, SKEW)).not.toThrow()
  })

  it.each([
    [
      'a DPoP token, which the bridge could not sign with',
      { tokenType: 'DPoP' },
      '"tokenType" must be "Bearer"',
    ],
    ['a token type that is no string', { tokenType: 7 }, '"tokenType" must be "Bearer"'],
    [
      'a scope that all readers could change',
      { scope: ['read'] },
      '"scope" must be a string, separated by spaces, got a object.',
    ],
  ])('refuses %s, naming the field', (_name, part, why) => {
    const error = refused({ ...secretPayload(), ...part })
    expect(error.code).toBe('ERR_TOKEN_MALFORMED')
    expect(error.message).toContain(why)
  })

  it.each([
    ['null', null, 'Expected a token payload { accessToken, expiresAt }, got null.'],
    ['nothing', undefined, 'Expected a token payload { accessToken, expiresAt }, got undefined.'],
    [
      'an empty token',
      secretPayload({ accessToken: '' }),
      '"accessToken" must be a string that is not empty, got an empty one.',
    ],
    [
      'a token that is a number',
      { ...secretPayload(), accessToken: 7 },
      '"accessToken" must be a string that is not empty, got number.',
    ],
    [
      'a token with a space',
      secretPayload({ accessToken: `Bearer ${SECRET}` }),
      '"accessToken" cannot be sent in an Authorization header',
    ],
    [
      'an expiry with a fraction',
      secretPayload({ expiresAt: NOW + 0.5 }),
      '"expiresAt" must be a whole number of epoch milliseconds, got one that is not.',
    ],
    [
      'an expiry that is a string',
      { ...secretPayload(), expiresAt: String(NOW * 2) },
      '"expiresAt" must be a whole number of epoch milliseconds, got string.',
    ],
  ])('says of %s what it expected and what it got', (_, payload, why) => {
    expect(refused(payload).message).toContain(why)
  })

  it('takes a token of 16 KiB and none of a character more', () => {
    const accessToken = 'a'.repeat(16 * 1024)
    expect(() => assertUsable(secretPayload({ accessToken }), NOW, SKEW)).not.toThrow()
    expect(refused(secretPayload({ accessToken: `${accessToken}a` })).message).toContain('16 KiB')
  })

  // clerk PR #7912: an empty token was dispatched, and the user looked signed out.
  it.each([
    ['null', null],
    ['nothing', undefined],
    ['a bare token', SECRET],
    ['an array', [SECRET]],
    ['an empty token', secretPayload({ accessToken: '' })],
    ['an object as the token', { accessToken: { value: SECRET }, expiresAt: NOW + 5 * MINUTE }],
    ['a token with a line break', secretPayload({ accessToken: `${SECRET}\r\nX-Admin: 1` })],
    ['a token with a line feed at its end', secretPayload({ accessToken: `${SECRET}\n` })],
    ['a token with a space', secretPayload({ accessToken: `Bearer ${SECRET}` })],
    ['a token outside ASCII', secretPayload({ accessToken: `${SECRET}é` })],
    ['a token with a NUL', secretPayload({ accessToken: `${SECRET}\0` })],
    ['a token with half a surrogate pair', secretPayload({ accessToken: `${SECRET}\uD83D` })],
    ['a token over 16 KiB', secretPayload({ accessToken: SECRET.repeat(400) })],
    ['an expiry that is missing', { accessToken: SECRET }],
    ['an expiry that is null', { accessToken: SECRET, expiresAt: null }],
    ['an expiry that is a string', { accessToken: SECRET, expiresAt: String(NOW * 2) }],
    ['an expiry that is NaN', secretPayload({ expiresAt: Number.NaN })],
    ['an expiry of 1e999', secretPayload({ expiresAt: Number('1e999') })],
    ['an expiry beyond whole numbers', secretPayload({ expiresAt: 1e300 })],
    ['an expiry with a fraction', secretPayload({ expiresAt: NOW + 5 * MINUTE + 0.5 })],
  ])('refuses %s as malformed, without quoting it', (_, payload) => {
    const error = refused(payload)
    expect(error).toMatchObject({
      name: 'TokenRejectedError',
      code: 'ERR_TOKEN_MALFORMED',
      phase: 'validate',
      retryable: false,
    })
    expect(everythingIn(error)).not.toContain('c2VjcmV0')
  })

  it.each([
    ['NaN', Number.NaN],
    ['infinite', Number('1e999')],
    ['in seconds', NOW / 1000],
    ['zero', 0],
    ['negative', -NOW],
    ['a string', String(NOW)],
  ])('refuses a payload whose server time is %s: it would set the clock', (_, serverTime) => {
    const error = refused({ ...secretPayload(), serverTime })
    expect(error).toMatchObject({ code: 'ERR_TOKEN_MALFORMED' })
    expect(error.message).toContain('"serverTime"')
    expect(everythingIn(error)).not.toContain('c2VjcmV0')
  })

  it.each([
    ['a second ago', NOW - 1_000, 'The token expired 1 s ago.'],
    ['now', NOW, 'The token expired 0 s ago.'],
    ['in 1973', 1e11, `The token expired ${(NOW - 1e11) / 1000} s ago.`],
    [
      'before 1970',
      -5_000,
      `The token expired ${NOW / 1000 + 5} s ago. It looks like seconds: send epoch milliseconds.`,
    ],
  ])('refuses a token that expired %s', (_, expiresAt, message) => {
    const error = refused(secretPayload({ expiresAt }))
    expect(error).toMatchObject({ code: 'ERR_TOKEN_EXPIRED', retryable: true, message })
    expect(everythingIn(error)).not.toContain(SECRET)
  })

  it('recognises an expiry in seconds and says so', () => {
    expect(refused(secretPayload({ expiresAt: (NOW + 5 * MINUTE) / 1000 })).message).toMatch(
      /looks like seconds.*epoch milliseconds/,
    )
    expect(refused(secretPayload({ expiresAt: NOW - 1 })).message).not.toContain('seconds')
  })

  it('names the cure for a token that ends inside the skew buffer', () => {
    const error = refused(secretPayload({ expiresAt: NOW + 30_000 }))
    expect(error).toMatchObject({ code: 'ERR_TOKEN_LIFETIME', retryable: true })
    expect(error.message).toMatch(/lives 30 s more.*skew buffer of 60 s.*`skewBuffer`/)
    expect(isAuthError(error, 'ERR_TOKEN_LIFETIME')).toBe(true)
    expect(refused(secretPayload({ expiresAt: NOW + SKEW })).code).toBe('ERR_TOKEN_LIFETIME')
  })

  it('takes every character of RFC 6750 b64token', () => {
    const accessToken = 'AZaz09-._~+/=='
    expect(() => assertUsable(secretPayload({ accessToken }), NOW, SKEW)).not.toThrow()
  })
})

describe('createAccessToken', () => {
  const token = createAccessToken(
    secretPayload({ refreshToken: 'refresh-sentinel', scope: 'orders', serverTime: NOW }),
    3,
  )

  it('is frozen and has no prototype to reach through', () => {
    expect(Object.isFrozen(token)).toBe(true)
    expect(Object.getPrototypeOf(token)).toBeNull()
    expect(() => Object.assign(token, { accessToken: 'forged' })).toThrow(TypeError)
    expect(token.accessToken).toBe(SECRET)
  })

  it('hands the secret to who asks for it and to nobody who copies or prints', () => {
    expect(token.accessToken).toBe(SECRET)
    expect(JSON.stringify({ token })).not.toContain(SECRET)
    expect(JSON.stringify({ ...token })).not.toContain(SECRET)
    expect(JSON.stringify(structuredClone({ ...token }))).not.toContain(SECRET)
    expect(Object.keys(token)).not.toContain('accessToken')
    expect(() => String(token as unknown)).toThrow(TypeError)
  })

  it('shows what is no secret', () => {
    expect(token.toJSON()).toEqual({
      accessToken: '[redacted]',
      expiresAt: NOW + 5 * MINUTE,
      generation: 3,
    })
    expect({ ...token }).toEqual({
      expiresAt: NOW + 5 * MINUTE,
      generation: 3,
      tokenType: 'Bearer',
      scope: 'orders',
    })
  })

  // Four SDKs hand the refresh token on (field notes, "What none of them does").
  it('leaves the refresh token behind', () => {
    expect(everythingIn(token)).not.toContain('refresh-sentinel')
  })
})
