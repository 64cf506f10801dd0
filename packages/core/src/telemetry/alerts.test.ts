import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AuthError } from '../errors.ts'
import {
  endVirtualTime,
  MINUTE,
  NOW,
  recordedEnvironment,
  SECOND,
  thrown,
} from '../fixtures.test.support.ts'
import type { BridgeEvent } from '../state.ts'
import {
  createAlerts,
  decideAlert,
  resolveAlerts,
  type AlertEvent,
  type AlertOptions,
} from './alerts.ts'

describe('resolveAlerts', () => {
  it('has the defaults of the guide', () => {
    expect(resolveAlerts(undefined)).toEqual({
      desync: { threshold: 0.005, window: 300_000 },
      unauthorized: { threshold: 10, window: 60_000 },
      remoteMountFailed: { threshold: 0, window: 300_000 },
    })
    expect(resolveAlerts({})).toEqual(resolveAlerts(undefined))
  })

  it('keeps what it is given, field by field', () => {
    const options = { desync: { threshold: 1 }, unauthorized: { window: 5 } }
    expect(resolveAlerts(options)).toMatchObject({
      desync: { threshold: 1, window: 300_000 },
      unauthorized: { threshold: 10, window: 5 },
    })
    const longest = { remoteMountFailed: { threshold: 7, window: 2 ** 31 - 1 } }
    expect(resolveAlerts(longest)).toMatchObject(longest)
  })

  it('switches rules off, one by one or all', () => {
    expect(resolveAlerts({ desync: false })).toMatchObject({
      desync: null,
      unauthorized: { threshold: 10 },
    })
    const none = { desync: null, unauthorized: null, remoteMountFailed: null }
    expect(resolveAlerts({ desync: false, unauthorized: false, remoteMountFailed: false })).toEqual(
      none,
    )
    expect(resolveAlerts(false)).toEqual(none)
  })

  it.each<[string, unknown, string]>([
    ['telemetry.alerts', true, 'must be an object, or false, got a boolean'],
    ['telemetry.alerts', null, 'must be an object, or false, got null'],
    ['telemetry.alerts', [], 'must be an object, or false, got an array'],
    ['telemetry.alerts.desync', { desync: 0.01 }, 'must be an object, or false, got a number'],
    ['telemetry.alerts.unauthorized', { unauthorized: null }, 'got null'],
    ['telemetry.alerts.remoteMountFailed', { remoteMountFailed: true }, 'got a boolean'],
    [
      'telemetry.alerts.desync.threshold',
      { desync: { threshold: '0.5 %' } },
      'must be a share from 0 to 1, got a string',
    ],
    ['telemetry.alerts.desync.threshold', { desync: { threshold: 0.5001e1 } }, 'at most 1'],
    ['telemetry.alerts.desync.threshold', { desync: { threshold: -0.1 } }, 'at least 0'],
    ['telemetry.alerts.desync.threshold', { desync: { threshold: Number.NaN } }, 'got a number'],
    [
      'telemetry.alerts.desync.window',
      { desync: { window: null } },
      'must be a number of milliseconds, got null',
    ],
    ['telemetry.alerts.desync.window', { desync: { window: 0 } }, 'at least 1'],
    ['telemetry.alerts.unauthorized.window', { unauthorized: { window: 2 ** 31 } }, '2147483647'],
    [
      'telemetry.alerts.unauthorized.threshold',
      { unauthorized: { threshold: {} } },
      'must be a number of times, got an object',
    ],
    [
      'telemetry.alerts.remoteMountFailed.threshold',
      { remoteMountFailed: { threshold: -1 } },
      'at least 0',
    ],
    ['telemetry.alerts.desynch', { desynch: false }, 'Known: desync, unauthorized'],
    ['telemetry.alerts.desync.treshold', { desync: { treshold: 1 } }, 'Known: threshold, window'],
  ])('refuses a wrong `%s` (%j), naming it', (field, options, says) => {
    const error = thrown(() => resolveAlerts(options as AlertOptions)) as AuthError
    expect(error).toMatchObject({ name: 'AuthError', code: 'ERR_CONFIG', phase: 'configure' })
    expect(error.message).toContain(`createTokenBridge: `)
    expect(error.message).toContain(`\`${field}\``)
    expect(error.message).toContain(says)
  })
})

describe('decideAlert', () => {
  it.each([
    [false, 10, 10, null],
    [false, 11, 10, 'firing'],
    [true, 11, 10, null],
    [true, 10, 10, 'cleared'],
    [true, 0, 0, 'cleared'],
    [false, 0, 0, null],
  ] as const)('firing %s, value %d, threshold %d: %s', (isFiring, value, threshold, expected) => {
    expect(decideAlert(isFiring, value, threshold)).toBe(expected)
  })
})

describe('createAlerts', () => {
  beforeEach(() => void vi.useFakeTimers({ now: NOW }))
  afterEach(endVirtualTime)

  function watch(options?: AlertOptions | false) {
    const environment = recordedEnvironment()
    const events: AlertEvent[] = []
    const alerts = createAlerts(resolveAlerts(options), environment, (event) => {
      events.push(event)
      // The bridge brings every event back, alerts too.
      alerts.record({ ...event, at: NOW })
    })
    alerts.start()
    const send = (times: number, isDesynced = false) => {
      for (let index = 0; index < times; index += 1)
        alerts.request(isDesynced, environment.monotonic())
    }
    const happen = (type: 'unauthorized' | 'remote-mount-failed', times = 1) => {
      const event = { type, at: NOW, remote: 'orders', generation: 1, reason: 'x' } as BridgeEvent
      for (let index = 0; index < times; index += 1) alerts.record(event)
    }
    return { alerts, events, send, happen, states: () => events.map(({ state }) => state) }
  }

  it('does not fire at 1 desynchronised request of 200, and does at 1 of 199', () => {
    const at = watch()
    at.send(199)
    at.send(1, true)
    expect(at.events).toEqual([])
    at.alerts.stop()

    const above = watch()
    above.send(198)
    above.send(1, true)
    expect(above.events).toEqual([
      { type: 'alert', rule: 'desync', state: 'firing', value: 1 / 199, threshold: 0.005 },
    ])
    above.alerts.stop()
  })

  it('does not fire at 10 answers with 401 within a minute, and does at the 11th', () => {
    const { alerts, events, happen } = watch()
    happen('unauthorized', 10)
    expect(events).toEqual([])
    happen('unauthorized')
    expect(events).toEqual([
      { type: 'alert', rule: 'unauthorized', state: 'firing', value: 11, threshold: 10 },
    ])
    alerts.stop()
  })

  it('does not fire when the same number of 401s takes longer than the window', () => {
    const { events, happen } = watch()
    for (let index = 0; index < 100; index += 1) {
      happen('unauthorized')
      vi.advanceTimersByTime(6 * SECOND)
    }
    expect(events).toEqual([])
  })

  it('fires at the first remote that fails to mount', () => {
    const { alerts, events, happen } = watch()
    happen('remote-mount-failed')
    expect(events).toEqual([
      { type: 'alert', rule: 'remote-mount-failed', state: 'firing', value: 1, threshold: 0 },
    ])
    alerts.stop()
  })

  it('has no timer before it is started, though an alert fires', () => {
    const alerts = createAlerts(resolveAlerts(undefined), recordedEnvironment(), (event) => {
      expect(event.state).toBe('firing')
    })
    alerts.request(true, 0)
    expect(vi.getTimerCount()).toBe(0)
    expect.assertions(2)
  })

  it('fires once for an incident, however long it gets', () => {
    const { alerts, happen, send, states } = watch()
    for (let minute = 0; minute < 60; minute += 1) {
      happen('remote-mount-failed', 3)
      vi.advanceTimersByTime(MINUTE)
    }
    expect(states()).toEqual(['firing'])
    send(100, true)
    send(10)
    expect(states()).toEqual(['firing', 'firing'])
    alerts.stop()
  })

  it('clears once and by time alone, when the window has moved on', () => {
    const { events, happen } = watch()
    happen('unauthorized', 11)
    vi.advanceTimersByTime(MINUTE - SECOND)
    expect(events).toHaveLength(1)
    vi.advanceTimersByTime(SECOND)
    expect(events.slice(1)).toEqual([
      { type: 'alert', rule: 'unauthorized', state: 'cleared', value: 0, threshold: 10 },
    ])
    vi.advanceTimersByTime(10 * MINUTE)
    expect(events).toHaveLength(2)
  })

  it('clears as soon as the value is back at the threshold, not only when all is forgotten', () => {
    const { events, happen } = watch()
    happen('unauthorized')
    vi.advanceTimersByTime(20 * SECOND)
    happen('unauthorized', 10)
    vi.advanceTimersByTime(40 * SECOND)
    expect(events[1]).toMatchObject({ state: 'cleared', value: 10 })
  })

  it('clears the share when good requests outweigh the bad one', () => {
    const { send, states } = watch()
    send(1, true)
    send(198)
    expect(states()).toEqual(['firing'])
    send(1)
    expect(states()).toEqual(['firing', 'cleared'])
  })

  it('clears the share by time alone, while good requests remain in the window', () => {
    const { events, send } = watch()
    send(1, true)
    vi.advanceTimersByTime(MINUTE)
    send(10)
    vi.advanceTimersByTime(4 * MINUTE)
    expect(events[1]).toMatchObject({ rule: 'desync', state: 'cleared', value: 0 })
    expect(events).toHaveLength(2)
  })

  it('fires again for a new incident', () => {
    const { happen, states } = watch()
    for (let incident = 0; incident < 3; incident += 1) {
      happen('remote-mount-failed', 2)
      vi.advanceTimersByTime(6 * MINUTE)
    }
    expect(states()).toEqual(['firing', 'cleared', 'firing', 'cleared', 'firing', 'cleared'])
  })

  it('keeps the rules apart', () => {
    const { events, happen, send } = watch()
    send(1, true)
    happen('unauthorized', 11)
    happen('remote-mount-failed')
    expect(events.map(({ rule }) => rule)).toEqual([
      'desync',
      'unauthorized',
      'remote-mount-failed',
    ])
    vi.advanceTimersByTime(5 * MINUTE)
    expect(events.slice(3).map(({ rule, state }) => `${rule} ${state}`)).toEqual([
      'unauthorized cleared',
      'desync cleared',
      'remote-mount-failed cleared',
    ])
  })

  it('has a timer only while an alert is firing, and one however many requests there are', () => {
    const { happen, send } = watch()
    send(1_000)
    happen('unauthorized', 10)
    expect(vi.getTimerCount()).toBe(0)
    happen('unauthorized')
    send(1_000, true)
    expect(vi.getTimerCount()).toBe(2)
    vi.advanceTimersByTime(6 * MINUTE)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('wakes a bounded number of times while a busy alert is firing', () => {
    const environment = recordedEnvironment()
    const setTimer = vi.fn(environment.setTimer)
    const alerts = createAlerts(resolveAlerts({}), { ...environment, setTimer }, () => {})
    alerts.start()
    for (let index = 0; index < 3_000; index += 1) {
      alerts.request(true, environment.monotonic())
      vi.advanceTimersByTime(100)
    }
    vi.advanceTimersByTime(5 * MINUTE)
    expect(setTimer.mock.calls.length).toBeLessThanOrEqual(300 + 1)
  })

  it('waits whole milliseconds, and at least one: a timer that comes early does not spin', () => {
    const environment = recordedEnvironment()
    const setTimer = vi.fn(environment.setTimer)
    let early = 0
    const monotonic = () => environment.monotonic() - early
    const states: string[] = []
    const alerts = createAlerts(
      resolveAlerts(undefined),
      { ...environment, setTimer, monotonic },
      ({ state }) => states.push(state),
    )
    alerts.start()
    alerts.record({ type: 'remote-mount-failed', at: NOW, remote: 'orders', reason: 'x' })
    early = 0.4
    vi.advanceTimersByTime(6 * MINUTE)
    expect(states).toEqual(['firing', 'cleared'])
    expect(setTimer.mock.calls.map(([, delay]) => delay)).toEqual([5 * MINUTE, 1])
  })

  it('keeps looking when the first that leaves is not enough', () => {
    const { events, happen } = watch()
    happen('unauthorized')
    vi.advanceTimersByTime(20 * SECOND)
    happen('unauthorized', 11)
    vi.advanceTimersByTime(59 * SECOND)
    expect(events).toHaveLength(1)
    vi.advanceTimersByTime(SECOND)
    expect(events[1]).toMatchObject({ state: 'cleared', value: 0 })
  })

  it('stop() leaves no timer, and start() does not report the same incident again', () => {
    const { alerts, happen, states } = watch()
    happen('remote-mount-failed')
    alerts.stop()
    alerts.stop()
    expect(vi.getTimerCount()).toBe(0)
    happen('remote-mount-failed')
    expect(vi.getTimerCount()).toBe(0)
    alerts.start()
    expect(vi.getTimerCount()).toBe(1)
    expect(states()).toEqual(['firing'])
    vi.advanceTimersByTime(5 * MINUTE)
    expect(states()).toEqual(['firing', 'cleared'])
  })

  it('clears at start() what ended while it was stopped', () => {
    const { alerts, happen, states } = watch()
    happen('remote-mount-failed')
    alerts.stop()
    vi.advanceTimersByTime(6 * MINUTE)
    expect(states()).toEqual(['firing'])
    alerts.start()
    expect(states()).toEqual(['firing', 'cleared'])
  })

  it('may be stopped by who is told of the alert', () => {
    const environment = recordedEnvironment()
    const alerts = createAlerts(resolveAlerts({}), environment, () => alerts.stop())
    alerts.start()
    alerts.request(true, environment.monotonic())
    expect(vi.getTimerCount()).toBe(0)
  })

  it('says nothing by rules that are off', () => {
    const { events, happen, send } = watch(false)
    send(10, true)
    happen('unauthorized', 100)
    happen('remote-mount-failed', 100)
    expect(events).toEqual([])
  })

  it('obeys limits of its own', () => {
    const { events, happen, send } = watch({
      desync: { threshold: 0.5, window: 10 * SECOND },
      unauthorized: false,
      remoteMountFailed: { threshold: 2, window: SECOND },
    })
    send(1)
    send(1, true)
    happen('remote-mount-failed', 2)
    happen('unauthorized', 50)
    expect(events).toEqual([])
    send(1, true)
    happen('remote-mount-failed')
    expect(events.map(({ rule, value }) => [rule, value])).toEqual([
      ['desync', 2 / 3],
      ['remote-mount-failed', 3],
    ])
    vi.advanceTimersByTime(SECOND)
    expect(events).toHaveLength(3)
    vi.advanceTimersByTime(9 * SECOND)
    expect(events).toHaveLength(4)
  })

  it('measures by the monotonic clock: a wall clock that jumps changes nothing', () => {
    const { alerts, events, happen } = watch()
    happen('remote-mount-failed')
    vi.setSystemTime(NOW + 100 * MINUTE)
    vi.advanceTimersByTime(4 * MINUTE)
    expect(events).toHaveLength(1)
    alerts.stop()
  })
})
