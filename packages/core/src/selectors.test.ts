import { describe, expect, it } from 'vitest'
import { NOW, MINUTE, SECRET, secretToken, snapshotOf } from './fixtures.test.support.ts'
import { createAuthSelectors } from './selectors.ts'
import type { AccessToken } from './token.ts'

function selectorsOf(token: AccessToken | null) {
  const held = { token }
  return { held, selectors: createAuthSelectors({ current: () => held.token }) }
}

describe('createAuthSelectors', () => {
  it('selects the token of the generation that the state names', () => {
    const { selectors } = selectorsOf(secretToken(4))
    const state = { auth: snapshotOf({ generation: 4 }) }
    expect(selectors.selectAuthToken(state)).toBe(SECRET)
    expect(selectors.selectIsAuthenticated(state)).toBe(true)
    expect(selectors.selectAuthStatus(state)).toBe('ready')
    expect(selectors.selectExpiresAt(state)).toBe(NOW + 5 * MINUTE)
  })

  it.each([
    ['time travel to an older state', snapshotOf({ generation: 3 })],
    ['a forged newer generation', snapshotOf({ generation: 5 })],
    ['a rehydrated state without a token', snapshotOf({ generation: 4, expiresAt: null })],
    ['the first state', snapshotOf({ generation: 0, expiresAt: null, status: 'loading' })],
  ])('selects nothing after %s', (_, auth) => {
    const { selectors } = selectorsOf(secretToken(4))
    expect(selectors.selectAuthToken({ auth })).toBeNull()
    expect(selectors.selectIsAuthenticated({ auth })).toBe(false)
  })

  // logto #732: "isAuthenticated() still returns true, it only checks if the token exists".
  it('selects nothing when the reader no longer hands the token out', () => {
    const { selectors, held } = selectorsOf(secretToken(1))
    const state = { auth: snapshotOf() }
    held.token = null
    expect(selectors.selectAuthToken(state)).toBeNull()
    expect(selectors.selectIsAuthenticated(state)).toBe(false)
    expect(selectors.selectExpiresAt({ auth: snapshotOf({ expiresAt: null }) })).toBeNull()
  })

  it('has nothing to select while a reducer is still to be injected, or its state was spoilt', () => {
    const { selectors } = selectorsOf(secretToken(1))
    for (const auth of [undefined, null, 'ready', {}] as never[]) {
      expect(selectors.selectAuthToken({ auth })).toBeNull()
      expect(selectors.selectAuthStatus({ auth })).toBe('loading')
      expect(selectors.selectIsAuthenticated({ auth })).toBe(false)
      expect(selectors.selectExpiresAt({ auth })).toBeNull()
    }
    expect(selectors.selectAuthToken({})).toBeNull()
  })

  it('reads another key of the state when told so', () => {
    const selectors = createAuthSelectors({ current: () => secretToken(1) }, { key: 'session' })
    expect(selectors.selectAuthToken({ session: snapshotOf() })).toBe(SECRET)
  })

  it('selects the same string from the same state, so that nothing renders twice', () => {
    const { selectors } = selectorsOf(secretToken(1))
    const state = { auth: snapshotOf() }
    expect(selectors.selectAuthToken(state)).toBe(selectors.selectAuthToken(state))
    expect(Object.isFrozen(selectors)).toBe(true)
  })
})
