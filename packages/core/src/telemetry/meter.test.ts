import { describe, expect, it } from 'vitest'
import { MINUTE, NOW } from '../fixtures.test.support.ts'
import type { BridgeEvent } from '../state.ts'
import { createMeter, type BridgeMetrics } from './meter.ts'

type WithoutTime<Event> = Event extends BridgeEvent ? Omit<Event, 'at'> : never

const error = { code: 'ERR_SYNC_STATUS', message: 'POST /api/auth/sync answered 503.' } as const
const rotated = {
  type: 'token-rotated',
  generation: 2,
  expiresAt: NOW,
  reason: 'schedule',
} as const

function meterAfter(...events: WithoutTime<BridgeEvent>[]) {
  const meter = createMeter({ joinedCalls: () => 3, duplicateCalls: () => 4 })
  for (const event of events) meter.record(Object.freeze({ ...event, at: NOW }))
  return meter
}

const after = (...events: WithoutTime<BridgeEvent>[]): BridgeMetrics =>
  meterAfter(...events).read(0)

const zero: BridgeMetrics = {
  requests: 0,
  rotations: 0,
  joinedCalls: 3,
  duplicateCalls: 4,
  failedAttempts: 0,
  refreshLatency: null,
  circuitOpenings: 0,
  circuitClosings: 0,
  circuitOpen: false,
  unauthorized: 0,
  desyncs: 0,
  desyncRate: 0,
  remotesMounted: 0,
  remoteMountFailures: 0,
  violations: 0,
}

describe('createMeter', () => {
  it('begins at zero, but for what is counted elsewhere', () => {
    expect(after()).toEqual(zero)
  })

  it.each<[WithoutTime<BridgeEvent>, Partial<BridgeMetrics>]>([
    [rotated, { rotations: 1 }],
    [{ type: 'rotation-failed', error }, { failedAttempts: 1 }],
    [{ type: 'rotation-failed', error, duration: 9 }, { failedAttempts: 1 }],
    [
      { type: 'maintenance-entered', error, duration: 9 },
      { failedAttempts: 1, circuitOpenings: 1, circuitOpen: true },
    ],
    [
      { type: 'maintenance-entered', error },
      { failedAttempts: 0, circuitOpenings: 1, circuitOpen: true },
    ],
    [{ type: 'maintenance-left' }, { circuitClosings: 1 }],
    [{ type: 'unauthorized', remote: 'orders', generation: 1 }, { unauthorized: 1 }],
    [{ type: 'violation', kind: 'store-write', detail: '' }, { violations: 1 }],
    [{ type: 'remote-mounted', remote: 'orders' }, { remotesMounted: 1 }],
    [{ type: 'remote-mount-failed', remote: 'orders', reason: '' }, { remoteMountFailures: 1 }],
    // Counted with the requests.
    [{ type: 'desync', remote: 'orders', generation: 1, current: 2 }, {}],
    [{ type: 'alert', rule: 'desync', state: 'firing', value: 1, threshold: 0 }, {}],
    [{ type: 'token-expired', generation: 1 }, {}],
    [{ type: 'auth-reset', reason: 'sign-out', status: 'signed-out' }, {}],
    [{ type: 'reset-finished', reason: 'sign-out', steps: [] }, {}],
    [{ type: 'mode-changed', mode: 'legacy', status: 'loading' }, {}],
    [{ type: 'reader-revoked', remote: 'orders' }, {}],
    [{ type: 'flag-failed' }, {}],
    [{ type: 'page-restored' }, {}],
  ])('counts %j', (event, changed) => {
    expect(after(event)).toEqual({ ...zero, ...changed })
  })

  it('adds up', () => {
    expect(after(rotated, rotated, { type: 'flag-failed' }, rotated).rotations).toBe(3)
  })

  it('measures how long rotations take, and leaves out what was put in by hand or failed', () => {
    const { refreshLatency } = after(
      { ...rotated, duration: 100 },
      { ...rotated, duration: 400 },
      rotated,
      { type: 'rotation-failed', error, duration: 10_000 },
      { type: 'maintenance-entered', error, duration: 10_000 },
      { ...rotated, duration: 40 },
    )
    expect(refreshLatency).toEqual({ count: 3, last: 40, mean: 180, max: 400 })
  })

  it.each<[boolean, WithoutTime<BridgeEvent>]>([
    [false, { type: 'maintenance-left' }],
    [false, { type: 'auth-reset', reason: 'sign-out', status: 'signed-out' }],
    [false, { type: 'mode-changed', mode: 'legacy', status: 'loading' }],
    [true, { type: 'maintenance-entered', error, duration: 1 }],
    [true, { type: 'rotation-failed', error }],
  ])('says that the circuit is open (%s) after %j', (expected, event) => {
    expect(after({ type: 'maintenance-entered', error }, event).circuitOpen).toBe(expected)
  })

  it('counts requests, desynchronised ones, and their share of the last five minutes', () => {
    const meter = meterAfter()
    for (let index = 0; index < 200; index += 1) meter.request(index === 0, MINUTE)
    expect(meter.read(MINUTE)).toMatchObject({ requests: 200, desyncs: 1, desyncRate: 0.005 })
    meter.request(false, 5 * MINUTE)
    expect(meter.read(5 * MINUTE)).toMatchObject({ desyncRate: 1 / 201 })
    expect(meter.read(6 * MINUTE)).toMatchObject({ requests: 201, desyncs: 1, desyncRate: 0 })
  })

  it('gives out frozen copies: a reader changes nothing, and what was read does not move', () => {
    const meter = meterAfter({ ...rotated, duration: 5 })
    const metrics = meter.read(0)
    expect(Object.isFrozen(metrics)).toBe(true)
    expect(Object.isFrozen(metrics.refreshLatency)).toBe(true)
    meter.record({ ...rotated, at: NOW })
    expect(metrics.rotations).toBe(1)
    expect(meter.read(0).rotations).toBe(2)
  })
})
