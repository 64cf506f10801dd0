import { describe, expect, it } from 'vitest'
import { NOW, snapshotOf } from './fixtures.test.support.ts'
import {
  initialSnapshot,
  reduce,
  type AuthFault,
  type AuthSnapshot,
  type BridgeEvent,
} from './state.ts'

const fault: AuthFault = { code: 'ERR_SYNC_STATUS', message: 'down' }
const at = NOW
const rotated = (generation: number): BridgeEvent => ({
  type: 'token-rotated',
  at,
  generation,
  expiresAt: NOW + generation,
  reason: 'schedule',
})

const everyEvent: BridgeEvent[] = [
  rotated(2),
  { type: 'token-expired', at, generation: 1 },
  { type: 'auth-reset', at, reason: 'sign-out', status: 'signed-out' },
  { type: 'mode-changed', at, mode: 'legacy', status: 'loading' },
  { type: 'rotation-failed', at, error: fault },
  { type: 'maintenance-entered', at, error: fault },
  { type: 'maintenance-left', at },
  { type: 'unauthorized', at, remote: 'orders', generation: 1 },
  { type: 'reader-revoked', at, remote: 'orders' },
  { type: 'violation', at, kind: 'forged-action', detail: 'auth/tokenRotated' },
  { type: 'flag-failed', at },
  { type: 'page-restored', at },
  { type: 'desync', at, remote: 'orders', generation: 1, current: 2 },
  { type: 'remote-mounted', at, remote: 'orders' },
  { type: 'remote-mount-failed', at, remote: 'orders', reason: 'signature' },
  { type: 'alert', at, rule: 'desync', state: 'firing', value: 0.01, threshold: 0.005 },
  { type: 'reset-finished', at, reason: 'sign-out', steps: [] },
]
const statuses = ['loading', 'ready', 'signed-out', 'maintenance', 'error'] as const

describe('reduce', () => {
  it('begins loading, with no token, in bridge mode', () => {
    expect(initialSnapshot).toEqual({
      status: 'loading',
      mode: 'bridge',
      generation: 0,
      expiresAt: null,
      error: null,
    })
    expect(Object.isFrozen(initialSnapshot)).toBe(true)
  })

  it.each(statuses)('becomes ready with a new token from %s, and forgets the error', (status) => {
    expect(reduce(snapshotOf({ status, error: fault, expiresAt: null }), rotated(7))).toEqual({
      status: 'ready',
      mode: 'bridge',
      generation: 7,
      expiresAt: NOW + 7,
      error: null,
    })
  })

  it.each([
    ['ready', 'loading'],
    ['maintenance', 'maintenance'],
    ['error', 'error'],
  ] as const)('turns %s into %s when the token expires', (before, after) => {
    expect(
      reduce(snapshotOf({ status: before }), { type: 'token-expired', at, generation: 1 }),
    ).toMatchObject({ status: after, expiresAt: null, generation: 1 })
  })

  it('keeps counting generations over a reset', () => {
    const reset: BridgeEvent = { type: 'auth-reset', at, reason: 'sign-out', status: 'signed-out' }
    expect(reduce(snapshotOf({ generation: 4, error: fault }), reset)).toEqual({
      status: 'signed-out',
      mode: 'bridge',
      generation: 4,
      expiresAt: null,
      error: null,
    })
  })

  it('takes mode and status from the switch', () => {
    const before = snapshotOf({ expiresAt: null, error: fault })
    expect(
      reduce(before, { type: 'mode-changed', at, mode: 'cookie-only', status: 'ready' }),
    ).toMatchObject({ mode: 'cookie-only', status: 'ready', error: null })
  })

  // supabase #2145, okta #1047: a failed refresh destroyed a session whose token was still valid.
  it('keeps status and token when an early rotation fails', () => {
    const before = snapshotOf()
    expect(reduce(before, { type: 'rotation-failed', at, error: fault })).toBe(before)
  })

  it('shows the failure when there is no token to live on, but not over a sign-out', () => {
    const failed: BridgeEvent = { type: 'rotation-failed', at, error: fault }
    expect(reduce(initialSnapshot, failed)).toMatchObject({ status: 'error', error: fault })
    const signedOut = snapshotOf({ status: 'signed-out', expiresAt: null })
    expect(reduce(signedOut, failed)).toBe(signedOut)
  })

  // clerk PR #8004: "later" is not "signed out".
  it('keeps generation and expiry through maintenance, and comes back to what they allow', () => {
    const entered = reduce(snapshotOf(), { type: 'maintenance-entered', at, error: fault })
    expect(entered).toMatchObject({ status: 'maintenance', generation: 1, error: fault })
    expect(entered.expiresAt).toBe(snapshotOf().expiresAt)
    expect(reduce(entered, { type: 'maintenance-left', at })).toEqual(snapshotOf())
    expect(reduce({ ...entered, expiresAt: null }, { type: 'maintenance-left', at })).toMatchObject(
      { status: 'loading', error: null },
    )
  })

  it('leaves signed out who is signed out when the endpoint goes down', () => {
    const before = snapshotOf({ status: 'signed-out', expiresAt: null })
    expect(reduce(before, { type: 'maintenance-entered', at, error: fault })).toBe(before)
  })

  it.each(statuses.filter((status) => status !== 'maintenance'))(
    'does not leave a maintenance that it is not in, when %s',
    (status) => {
      const before = snapshotOf({ status })
      expect(reduce(before, { type: 'maintenance-left', at })).toBe(before)
    },
  )

  // clerk #442 and auth-js #579: events that change nothing re-rendered the whole app.
  it.each([
    'unauthorized',
    'reader-revoked',
    'violation',
    'flag-failed',
    'desync',
    'remote-mounted',
    'remote-mount-failed',
    'alert',
    'reset-finished',
  ])('returns the very same snapshot for %s', (type) => {
    const before = snapshotOf()
    const event = everyEvent.find((one) => one.type === type) as BridgeEvent
    expect(reduce(before, event)).toBe(before)
  })

  // okta PR #889: a page that comes back showed the session that another tab had ended.
  it('has no token any more when the page comes out of the back/forward cache', () => {
    const restored: BridgeEvent = { type: 'page-restored', at }
    expect(reduce(snapshotOf(), restored)).toEqual({
      status: 'loading',
      mode: 'bridge',
      generation: 1,
      expiresAt: null,
      error: null,
    })
    for (const status of statuses) {
      const without = snapshotOf({ status, expiresAt: null })
      expect(reduce(without, restored)).toBe(without)
    }
  })

  it('says nothing twice when a token expires that is already gone', () => {
    const before = snapshotOf({ expiresAt: null, status: 'error' })
    expect(reduce(before, { type: 'token-expired', at, generation: 1 })).toBe(before)
  })

  it('is pure and yields frozen snapshots with the five fields, for every event in every status', () => {
    for (const status of statuses) {
      for (const event of everyEvent) {
        const before: AuthSnapshot = Object.freeze(snapshotOf({ status }))
        const after = reduce(before, Object.freeze({ ...event }))
        expect(Object.isFrozen(after)).toBe(true)
        expect(Object.keys(after)).toEqual(Object.keys(initialSnapshot))
        expect(reduce(before, event)).toEqual(after)
      }
    }
  })
})
