import { describe, expect, it } from 'vitest'
import type { AuthError } from './errors.ts'
import { everythingIn, NOW, SECRET, secretPayload, thrown } from './fixtures.test.support.ts'
import { parseSyncAnswer, parseSyncRequest, SYNC_HEADER, SYNC_VERSION } from './wire.ts'

const answer = (overrides: object = {}): object => ({ ...secretPayload(), ...overrides })
const broken = (value: unknown): AuthError => thrown(() => parseSyncAnswer(value)) as AuthError

it('marks requests by a header and a version that servers in production know', () => {
  expect([SYNC_HEADER, SYNC_VERSION]).toEqual(['X-Token-Bridge', '1'])
})

describe('parseSyncAnswer', () => {
  it('reads the contract and nothing beyond it', () => {
    const full = answer({ serverTime: NOW, tokenType: 'Bearer', scope: 'a b' })
    expect(parseSyncAnswer({ ...full, refreshToken: 'refresh-sentinel', role: 'admin' })).toEqual(
      full,
    )
    expect(parseSyncAnswer(answer())).toEqual(answer())
  })

  it('does not take a field from the prototype of the answer for a field to keep', () => {
    const parsed = parseSyncAnswer(
      JSON.parse(`{"accessToken":"a","expiresAt":${NOW},"__proto__":{"admin":true}}`),
    )
    expect((parsed as unknown as Record<string, unknown>)['admin']).toBeUndefined()
    expect(Object.keys(parsed)).toEqual(['accessToken', 'expiresAt'])
  })

  it.each([
    ['null', null, 'got null'],
    ['an array', [answer()], 'got an array'],
    ['a string', SECRET, 'got a string'],
    ['a number', 5, 'got a number'],
    ['nothing', undefined, 'got nothing'],
  ])('refuses %s as an answer', (_, value, hint) => {
    const error = broken(value)
    expect(error).toMatchObject({ code: 'ERR_SYNC_PAYLOAD', phase: 'sync', retryable: true })
    expect(error.message).toContain(hint)
    expect(everythingIn(error)).not.toContain(SECRET)
  })

  it.each([
    ['a token that is missing', { accessToken: undefined }, '"accessToken"', 'got nothing'],
    ['an empty token', { accessToken: '' }, '"accessToken"', 'got an empty one'],
    ['a token in an array', { accessToken: [SECRET] }, '"accessToken"', 'got an array'],
    ['a token in an object', { accessToken: { SECRET } }, '"accessToken"', 'got an object'],
    ['an expiry that is missing', { expiresAt: undefined }, '"expiresAt"', 'got nothing'],
    ['an expiry that is a string', { expiresAt: '1' }, '"expiresAt"', 'got a string'],
    ['an expiry that is null', { expiresAt: null }, '"expiresAt"', 'got null'],
    ['an expiry of NaN', { expiresAt: Number.NaN }, '"expiresAt"', 'whole number'],
    ['an expiry of 1e999', { expiresAt: Number('1e999') }, '"expiresAt"', 'whole number'],
    ['a fractional expiry', { expiresAt: NOW + 0.5 }, '"expiresAt"', 'whole number'],
    ['an unsafe expiry', { expiresAt: 2 ** 60 }, '"expiresAt"', 'whole number'],
    ['a server time of null', { serverTime: null }, '"serverTime"', 'got null'],
    ['a token type of null', { tokenType: null }, '"tokenType"', 'got null'],
    ['an empty token type', { tokenType: '' }, '"tokenType"', 'got an empty one'],
    ['a scope in an array', { scope: ['a'] }, '"scope"', 'got an array'],
  ])('refuses %s, naming the field and the type', (_, overrides, field, hint) => {
    const error = broken(answer(overrides))
    expect(error).toMatchObject({ code: 'ERR_SYNC_PAYLOAD', retryable: true })
    expect(error.message).toContain(field)
    expect(error.message).toContain(hint)
    expect(everythingIn(error)).not.toContain(SECRET)
  })

  it.each(['expiresAt', 'serverTime'])(
    'recognises %s in seconds and tells what to send',
    (field) => {
      const { message } = broken(answer({ [field]: NOW / 1000 }))
      expect(message).toContain(`"${field}" looks like seconds`)
      expect(message).toContain('seconds × 1000')
    },
  )

  it.each([1e11, 0, -1])('takes %d for the milliseconds that it is', (expiresAt) => {
    expect(parseSyncAnswer(answer({ expiresAt }))).toMatchObject({ expiresAt })
  })

  // A server time of 1970 would make every token valid for fifty years (PR LangAlpha #387: epochs that differ).
  it.each([0, -1, -NOW])('refuses %d as the server time', (serverTime) => {
    expect(broken(answer({ serverTime })).message).toContain('"serverTime"')
  })
})

describe('parseSyncRequest', () => {
  it.each([undefined, null, {}])('takes %j as a request for any valid token', (body) => {
    expect(parseSyncRequest(body)).toEqual({})
  })

  it('reads the expiry of the token to replace, and nothing else', () => {
    expect(parseSyncRequest({ newerThan: NOW, session: 'other' })).toEqual({ newerThan: NOW })
  })

  it('reads whether a person used the page', () => {
    expect(parseSyncRequest({ active: true })).toEqual({ active: true })
    expect(parseSyncRequest({ active: false })).toEqual({ active: false })
  })

  it.each([
    ['an array', [], 'the request must be a JSON object, got an array'],
    ['a string', 'newerThan', 'the request must be a JSON object, got a string'],
    ['a time in seconds', { newerThan: NOW / 1000 }, '"newerThan" looks like seconds'],
    ['a time that is a string', { newerThan: String(NOW) }, '"newerThan" must be a number'],
    ['activity that is a number', { active: 1 }, '"active" must be a boolean, got a number'],
    ['a time of null', { newerThan: null }, '"newerThan" must be a number'],
    ['a time of 1e999', { newerThan: Number('1e999') }, '"newerThan" must be a whole number'],
  ])('refuses %s and says why', (_, body, why) => {
    expect(thrown(() => parseSyncRequest(body))).toMatchObject({
      code: 'ERR_SYNC_PAYLOAD',
      message: expect.stringContaining(why) as string,
    })
  })
})
