import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { endVirtualTime, MINUTE, NOW, recordedEnvironment } from '../fixtures.test.support.ts'
import type { BridgeEvent } from '../state.ts'
import {
  resolveTelemetry,
  type TelemetryOptions,
  type TelemetrySink,
  type TelemetrySource,
} from './options.ts'
import { createTelemetry } from './telemetry.ts'

beforeEach(() => void vi.useFakeTimers({ now: NOW }))
afterEach(endVirtualTime)

const rotated: BridgeEvent = {
  type: 'token-rotated',
  at: NOW,
  generation: 2,
  expiresAt: NOW,
  reason: 'schedule',
}
const mountFailed: BridgeEvent = {
  type: 'remote-mount-failed',
  at: NOW,
  remote: 'orders',
  reason: 'timeout',
}

/** Telemetry in a small bridge: what it publishes comes back, after what is being told. */
function telemetryOf(options: TelemetryOptions = {}) {
  const environment = recordedEnvironment()
  const published: BridgeEvent[] = []
  const counts = { duplicates: 0 }
  const waiting: BridgeEvent[] = []
  let isTelling = false
  function tell(event: BridgeEvent): void {
    waiting.push(event)
    if (isTelling) return
    isTelling = true
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      published.push(next)
      telemetry.record(next)
    }
    isTelling = false
  }
  const telemetry = createTelemetry(resolveTelemetry(options), environment, {
    publish: (event) => tell({ ...event, at: NOW }),
    subscribers: () => 3,
    joinedCalls: () => 5,
    duplicateCalls: () => counts.duplicates,
  })
  return {
    telemetry,
    tell,
    counts,
    published,
    faults: environment.faults,
    types: () => published.map(({ type }) => type),
  }
}

function recordingLogger() {
  const lines: string[] = []
  const take = (line: string) => void lines.push(line)
  return { lines, logger: { info: take, warn: take, error: take } }
}

function recordingSink() {
  const events: BridgeEvent[] = []
  const sources: TelemetrySource[] = []
  const disconnect = vi.fn<() => void>()
  const sink: TelemetrySink = {
    connect(source) {
      sources.push(source)
      const leave = source.onEvent((event) => events.push(event))
      return () => {
        leave()
        disconnect()
      }
    },
  }
  return { sink, events, sources, disconnect }
}

describe('a request', () => {
  it('counts, and is no event', () => {
    const { telemetry, published } = telemetryOf()
    telemetry.request('orders', 2, 2)
    telemetry.request('orders', 3, 2)
    expect(telemetry.metrics).toMatchObject({ requests: 2, desyncs: 0, desyncRate: 0 })
    expect(published).toEqual([])
  })

  it('is a desync when it carries an older generation than the bridge holds', () => {
    const { telemetry, published } = telemetryOf({ alerts: false })
    telemetry.request('orders', 1, 2)
    expect(published).toEqual([
      { type: 'desync', at: NOW, remote: 'orders', generation: 1, current: 2 },
    ])
    expect(telemetry.metrics).toMatchObject({ requests: 1, desyncs: 1, desyncRate: 1 })
  })

  it('reports the desync before the alert that comes of it', () => {
    const { telemetry, types } = telemetryOf()
    telemetry.request('orders', 1, 2)
    expect(types()).toEqual(['desync', 'alert'])
  })

  it('costs no memory, by the million', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const used = () => {
      collect()
      return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
    }
    let now = 0
    const telemetry = createTelemetry(
      resolveTelemetry({ alerts: { desync: { threshold: 1 } } }),
      { ...recordedEnvironment(), monotonic: () => now },
      { publish() {}, subscribers: () => 0, joinedCalls: () => 0, duplicateCalls: () => 0 },
    )
    telemetry.request('orders', 1, 1)
    const before = used()
    for (let index = 1; index < 1_000_000; index += 1) {
      now = index / 4
      telemetry.request('orders', 1, index % 1_000 === 0 ? 2 : 1)
    }
    expect(used() - before).toBeLessThan(200_000)
    expect(telemetry.metrics).toMatchObject({ requests: 1_000_000, desyncs: 999 })
    expect(telemetry.metrics.desyncRate).toBe(999 / 1_000_000)
  })
})

describe('an event', () => {
  it('is counted before sinks hear of it', () => {
    let counted = 0
    const sink: TelemetrySink = {
      connect: (source) => source.onEvent(() => void (counted = source.metrics.rotations)),
    }
    const { telemetry, tell } = telemetryOf({ sinks: [sink] })
    telemetry.start()
    tell(rotated)
    expect(counted).toBe(1)
    telemetry.stop()
  })

  it('reaches the log before the alert that comes of it', () => {
    const { lines, logger } = recordingLogger()
    const { telemetry, tell } = telemetryOf({ logger })
    telemetry.start()
    tell(mountFailed)
    vi.advanceTimersByTime(5 * MINUTE)
    expect(lines).toEqual([
      '[bridge] remote mount failed remote=orders reason=timeout',
      '[bridge] alert firing rule=remote-mount-failed value=1 threshold=0',
      '[bridge] alert cleared rule=remote-mount-failed value=0 threshold=0',
    ])
    telemetry.stop()
  })

  it('never makes an alert of an alert', () => {
    const { telemetry, tell, types } = telemetryOf()
    telemetry.start()
    for (let index = 0; index < 100; index += 1) {
      tell({
        type: 'alert',
        at: NOW,
        rule: 'unauthorized',
        state: 'firing',
        value: 99,
        threshold: 1,
      })
    }
    expect(types()).toHaveLength(100)
    telemetry.stop()
  })
})

describe('the log', () => {
  it('has the rotation line as other programs read it', () => {
    const { lines, logger } = recordingLogger()
    const { tell } = telemetryOf({ logger })
    tell({ ...rotated, expiresAt: 1_718_900_000_000 })
    expect(lines).toEqual(['[bridge] token rotated exp=1718900000 subscribers=3 duplicate_calls=0'])
  })

  it('counts duplicate calls from one rotation line to the next', () => {
    const { lines, logger } = recordingLogger()
    const { tell, counts } = telemetryOf({ logger })
    counts.duplicates = 2
    tell({ type: 'flag-failed', at: NOW })
    tell(rotated)
    counts.duplicates = 3
    tell(rotated)
    tell(rotated)
    expect(lines.slice(1).map((line) => line.split(' ').at(-1))).toEqual([
      'duplicate_calls=2',
      'duplicate_calls=1',
      'duplicate_calls=0',
    ])
  })

  it('has the level that the event deserves, and calls the logger as its own method', () => {
    const logger = {
      levels: [] as string[],
      info() {
        this.levels.push('info')
      },
      warn() {
        this.levels.push('warn')
      },
      error() {
        this.levels.push('error')
      },
    }
    const { tell } = telemetryOf({ logger, alerts: false })
    tell(rotated)
    tell({ type: 'flag-failed', at: NOW })
    tell(mountFailed)
    expect(logger.levels).toEqual(['info', 'warn', 'error'])
  })

  it('has no line for an event that says nothing to an operator', () => {
    const { lines, logger } = recordingLogger()
    telemetryOf({ logger }).tell({ type: 'token-expired', at: NOW, generation: 1 })
    expect(lines).toEqual([])
  })

  // clerk/javascript PR #8969: a throwing postMessage evicted the good token that it was announcing.
  it('harms nobody when the logger throws', () => {
    const fault = new Error('the log is full')
    const throwing = () => {
      throw fault
    }
    const { sink, events } = recordingSink()
    const { telemetry, tell, faults } = telemetryOf({
      logger: { info: throwing, warn: throwing, error: throwing },
      sinks: [sink],
    })
    telemetry.start()
    tell(rotated)
    expect(faults).toEqual([fault])
    expect(events).toEqual([rotated])
    expect(telemetry.metrics.rotations).toBe(1)
    telemetry.stop()
  })
})

describe('a sink', () => {
  it('is connected from start() to stop(), and hears every event in between', () => {
    const { sink, events, disconnect } = recordingSink()
    const { telemetry, tell } = telemetryOf({ sinks: [sink] })
    tell(rotated)
    telemetry.start()
    telemetry.start()
    tell(rotated)
    tell({ type: 'flag-failed', at: NOW })
    telemetry.stop()
    telemetry.stop()
    tell(rotated)
    expect(events.map(({ type }) => type)).toEqual(['token-rotated', 'flag-failed'])
    expect(disconnect).toHaveBeenCalledTimes(1)
  })

  it('is connected again by the next start()', () => {
    const { sink, events, sources, disconnect } = recordingSink()
    const { telemetry, tell } = telemetryOf({ sinks: [sink] })
    telemetry.start()
    telemetry.stop()
    telemetry.start()
    tell(rotated)
    telemetry.stop()
    expect(events).toHaveLength(1)
    expect(sources).toHaveLength(2)
    expect(disconnect).toHaveBeenCalledTimes(2)
  })

  it('reads the metrics as they stand', () => {
    const { sink, sources } = recordingSink()
    const { telemetry, tell } = telemetryOf({ sinks: [sink] })
    telemetry.start()
    expect(sources[0]?.metrics).toMatchObject({ rotations: 0, joinedCalls: 5 })
    tell(rotated)
    expect(sources[0]?.metrics).toEqual(telemetry.metrics)
    expect(sources[0]?.metrics.rotations).toBe(1)
    telemetry.stop()
  })

  it('hears of desyncs and alerts too', () => {
    const { sink, events } = recordingSink()
    const { telemetry } = telemetryOf({ sinks: [sink] })
    telemetry.start()
    telemetry.request('orders', 1, 2)
    expect(events.map(({ type }) => type)).toEqual(['desync', 'alert'])
    telemetry.stop()
  })

  it('harms nobody when it throws: on connecting, on an event, on leaving', () => {
    const throws = (message: string) => () => {
      throw new Error(message)
    }
    const good = recordingSink()
    const { telemetry, tell, faults } = telemetryOf({
      sinks: [
        { connect: throws('connect') },
        {
          connect(source) {
            source.onEvent(throws('event'))
            return throws('leave')
          },
        },
        // A sink without types may return nothing.
        { connect: () => undefined as never },
        good.sink,
      ],
    })
    telemetry.start()
    tell(rotated)
    telemetry.stop()
    tell(rotated)
    expect(good.events).toHaveLength(1)
    expect(good.disconnect).toHaveBeenCalledTimes(1)
    expect(faults.map((fault) => (fault as Error).message).slice(0, 3)).toEqual([
      'connect',
      'event',
      'leave',
    ])
    expect(faults).toHaveLength(4)
  })

  it('hears nothing after stop(), even when it forgets to leave', () => {
    const heard = vi.fn<(event: BridgeEvent) => void>()
    const sink: TelemetrySink = {
      connect(source) {
        source.onEvent(heard)
        return () => {}
      },
    }
    const { telemetry, tell } = telemetryOf({ sinks: [sink] })
    telemetry.start()
    telemetry.stop()
    tell(rotated)
    expect(heard).not.toHaveBeenCalled()
  })

  it('cannot change what others read', () => {
    const { sink, sources } = recordingSink()
    const { telemetry } = telemetryOf({ sinks: [sink] })
    telemetry.start()
    expect(Object.isFrozen(sources[0])).toBe(true)
    expect(Object.isFrozen(sources[0]?.metrics)).toBe(true)
    telemetry.stop()
  })
})

describe('stop()', () => {
  it('leaves no timer behind while alerts are firing', () => {
    const { telemetry, tell } = telemetryOf()
    telemetry.start()
    tell(mountFailed)
    telemetry.request('orders', 1, 2)
    expect(vi.getTimerCount()).toBe(2)
    telemetry.stop()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets counting and logging go on, without timers', () => {
    const { lines, logger } = recordingLogger()
    const { telemetry, tell } = telemetryOf({ logger })
    tell(mountFailed)
    telemetry.request('orders', 1, 2)
    expect(lines).toHaveLength(4)
    expect(telemetry.metrics).toMatchObject({ remoteMountFailures: 1, desyncs: 1 })
    expect(vi.getTimerCount()).toBe(0)
  })
})
