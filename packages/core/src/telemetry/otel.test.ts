import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type MetricData,
} from '@opentelemetry/sdk-metrics'
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  StackContextManager,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import {
  ROOT_CONTEXT,
  SpanStatusCode,
  ValueType,
  context,
  trace,
  type Meter,
} from '@opentelemetry/api'
import { afterEach, describe, expect, it } from 'vitest'
import { everythingIn, NOW, recordedEnvironment, SECRET } from '../fixtures.test.support.ts'
import { createListeners } from '../listeners.ts'
import type { BridgeEvent } from '../state.ts'
import { resolveTelemetry } from './options.ts'
import { openTelemetrySink } from './otel.ts'
import { createTelemetry } from './telemetry.ts'

type WithoutTime<Event> = Event extends BridgeEvent ? Omit<Event, 'at'> : never

const error = { code: 'ERR_SYNC_STATUS', message: 'POST /api/auth/sync answered 503.' } as const
const rotated = {
  type: 'token-rotated',
  generation: 2,
  expiresAt: NOW,
  reason: 'schedule',
  duration: 250,
} as const

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()))
})

/** Telemetry with the real SDKs behind it, started. */
function telemetryToSdk({ traced = true } = {}) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const meters = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000_000 })],
  })
  const spans = new InMemorySpanExporter()
  const tracers = new TracerProvider({
    sampler: new AlwaysOnSampler(),
    spanProcessors: [new SimpleSpanProcessor({ exporter: spans })],
  })
  const meter = meters.getMeter('shell')
  const sink = openTelemetrySink(meter, traced ? { tracer: tracers.getTracer('shell') } : {})
  const environment = recordedEnvironment()
  const telemetry = createTelemetry(
    resolveTelemetry({ sinks: [sink], alerts: false }),
    environment,
    {
      publish: (event) => telemetry.record({ ...event, at: NOW }),
      subscribers: () => 0,
      joinedCalls: () => 0,
      duplicateCalls: () => 0,
    },
  )
  telemetry.start()
  ends.push(
    async () => telemetry.stop(),
    () => meters.shutdown(),
    () => tracers.shutdown(),
  )

  /** What a collection exports now, by name. */
  async function collect(): Promise<Map<string, MetricData>> {
    exporter.reset()
    await meters.forceFlush()
    const metrics = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
    return new Map(metrics.map((metric) => [metric.descriptor.name, metric]))
  }

  return {
    telemetry,
    meter,
    environment,
    tell: (event: WithoutTime<BridgeEvent>, at = NOW) => telemetry.record({ ...event, at }),
    collect,
    /** Value and attributes of each point of a metric. */
    async points(name: string) {
      const points = (await collect()).get(name)?.dataPoints ?? []
      return points.map(({ value, attributes }) => [value, attributes])
    },
    spans: () => spans.getFinishedSpans(),
  }
}

const everyEvent: WithoutTime<BridgeEvent>[] = [
  rotated,
  { type: 'rotation-failed', error, duration: 100 },
  { type: 'maintenance-entered', error },
  { type: 'maintenance-left' },
  { type: 'unauthorized', remote: 'orders', generation: 1 },
  { type: 'desync', remote: 'orders', generation: 1, current: 2 },
  { type: 'violation', kind: 'store-write', detail: '' },
  { type: 'remote-mounted', remote: 'orders' },
  { type: 'remote-mount-failed', remote: 'orders', reason: 'timeout' },
  { type: 'alert', rule: 'desync', state: 'firing', value: 1, threshold: 0 },
  { type: 'token-expired', generation: 1 },
  { type: 'auth-reset', reason: 'sign-out', status: 'signed-out' },
  { type: 'reset-finished', reason: 'sign-out', steps: [] },
  { type: 'mode-changed', mode: 'legacy', status: 'loading' },
  { type: 'reader-revoked', remote: 'orders' },
  { type: 'flag-failed' },
  { type: 'page-restored' },
]

describe('openTelemetrySink: metrics', () => {
  it('has the names, units and kinds that the documentation lists', async () => {
    const { tell, collect } = telemetryToSdk()
    for (const event of everyEvent) tell(event)
    const described = [...(await collect()).values()].map((metric) => [
      metric.descriptor.name,
      metric.descriptor.unit,
      metric.dataPointType === DataPointType.SUM && metric.isMonotonic
        ? 'counter'
        : DataPointType[metric.dataPointType]?.toLowerCase(),
      ValueType[metric.descriptor.valueType],
    ])
    expect(described.toSorted((a, b) => String(a[0]).localeCompare(String(b[0])))).toEqual([
      ['token_bridge.alerts', '{alert}', 'counter', 'INT'],
      ['token_bridge.circuit.changes', '{change}', 'counter', 'INT'],
      ['token_bridge.circuit.open', '1', 'gauge', 'INT'],
      ['token_bridge.desync.ratio', '1', 'gauge', 'DOUBLE'],
      ['token_bridge.desyncs', '{request}', 'counter', 'INT'],
      ['token_bridge.remote.mounts', '{mount}', 'counter', 'INT'],
      ['token_bridge.requests', '{request}', 'counter', 'INT'],
      ['token_bridge.rotation.duration', 's', 'histogram', 'DOUBLE'],
      ['token_bridge.rotation.failures', '{attempt}', 'counter', 'INT'],
      ['token_bridge.rotations', '{rotation}', 'counter', 'INT'],
      ['token_bridge.unauthorized', '{response}', 'counter', 'INT'],
      ['token_bridge.violations', '{violation}', 'counter', 'INT'],
    ])
  })

  it.each<[string, WithoutTime<BridgeEvent>, Record<string, string>]>([
    ['rotations', rotated, {}],
    ['rotation.failures', { type: 'rotation-failed', error }, { 'error.type': 'ERR_SYNC_STATUS' }],
    [
      'rotation.failures',
      { type: 'maintenance-entered', error, duration: 5 },
      { 'error.type': 'ERR_SYNC_STATUS' },
    ],
    [
      'circuit.changes',
      { type: 'maintenance-entered', error },
      { 'token_bridge.circuit.state': 'open' },
    ],
    ['circuit.changes', { type: 'maintenance-left' }, { 'token_bridge.circuit.state': 'closed' }],
    [
      'unauthorized',
      { type: 'unauthorized', remote: 'orders', generation: 1 },
      { 'token_bridge.remote': 'orders' },
    ],
    [
      'desyncs',
      { type: 'desync', remote: 'orders', generation: 1, current: 2 },
      { 'token_bridge.remote': 'orders' },
    ],
    [
      'violations',
      { type: 'violation', kind: 'forged-action', detail: 'auth/tokenRotated' },
      { 'token_bridge.violation.kind': 'forged-action' },
    ],
    [
      'violations',
      { type: 'violation', kind: 'read-only-store', detail: '', remote: 'orders' },
      { 'token_bridge.violation.kind': 'read-only-store', 'token_bridge.remote': 'orders' },
    ],
    [
      'remote.mounts',
      { type: 'remote-mounted', remote: 'orders' },
      { 'token_bridge.remote': 'orders', 'token_bridge.outcome': 'success' },
    ],
    [
      'remote.mounts',
      { type: 'remote-mount-failed', remote: 'orders', reason: 'timeout after 5 s' },
      { 'token_bridge.remote': 'orders', 'token_bridge.outcome': 'failure' },
    ],
    [
      'alerts',
      { type: 'alert', rule: 'unauthorized', state: 'cleared', value: 1, threshold: 10 },
      { 'token_bridge.alert.rule': 'unauthorized', 'token_bridge.alert.state': 'cleared' },
    ],
  ])('counts in %s: %j', async (name, event, attributes) => {
    const { tell, points } = telemetryToSdk()
    tell(event)
    tell(event)
    expect(await points(`token_bridge.${name}`)).toEqual([[2, attributes]])
  })

  it('does not count an attempt twice that failed and opened the circuit', async () => {
    const { tell, points } = telemetryToSdk()
    tell({ type: 'rotation-failed', error, duration: 5 })
    tell({ type: 'maintenance-entered', error })
    expect(await points('token_bridge.rotation.failures')).toMatchObject([[1, {}]])
    expect(await points('token_bridge.rotation.duration')).toMatchObject([[{ count: 1 }, {}]])
  })

  it('measures refreshes in seconds, failures apart, and what was put in by hand not at all', async () => {
    const { tell, points } = telemetryToSdk()
    const { duration: _, ...byHand } = rotated
    tell(rotated)
    tell({ ...rotated, duration: 750 })
    tell(byHand)
    tell({ type: 'rotation-failed', error })
    tell({ type: 'rotation-failed', error, duration: 10_000 })
    expect(await points('token_bridge.rotation.duration')).toMatchObject([
      [{ count: 2, sum: 1, min: 0.25, max: 0.75 }, {}],
      [{ count: 1, sum: 10 }, { 'error.type': 'ERR_SYNC_STATUS' }],
    ])
  })

  it('has buckets that tell a fast endpoint from a slow one', async () => {
    const { tell, points } = telemetryToSdk()
    tell({ ...rotated, duration: 20 })
    tell({ ...rotated, duration: 200 })
    const [[value]] = (await points('token_bridge.rotation.duration')) as [[{ buckets: object }]]
    expect(value.buckets).toMatchObject({
      boundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
      counts: [0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    })
  })

  it('observes requests, the desync rate and the circuit when it is asked', async () => {
    const { telemetry, tell, points } = telemetryToSdk()
    for (let index = 0; index < 4; index += 1) telemetry.request('orders', index === 0 ? 1 : 2, 2)
    expect(await points('token_bridge.requests')).toEqual([[4, {}]])
    expect(await points('token_bridge.desync.ratio')).toEqual([[0.25, {}]])
    expect(await points('token_bridge.circuit.open')).toEqual([[0, {}]])
    tell({ type: 'maintenance-entered', error })
    expect(await points('token_bridge.circuit.open')).toEqual([[1, {}]])
  })

  it('hears and observes nothing any more after stop(), and goes on after the next start()', async () => {
    const { telemetry, tell, points, collect } = telemetryToSdk()
    tell(rotated)
    telemetry.request('orders', 2, 2)
    telemetry.stop()
    tell(rotated)
    telemetry.request('orders', 2, 2)
    const stopped = await collect()
    expect(stopped.get('token_bridge.rotations')?.dataPoints[0]?.value).toBe(1)
    expect(stopped.get('token_bridge.requests')?.dataPoints ?? []).toEqual([])
    telemetry.start()
    tell(rotated)
    expect(await points('token_bridge.rotations')).toEqual([[2, {}]])
    expect(await points('token_bridge.requests')).toEqual([[2, {}]])
  })

  it('registers nothing with the SDK before it is connected, and takes back all of it', () => {
    const callbacks = new Set<unknown>()
    let registered = 0
    const { meter, telemetry } = telemetryToSdk()
    const counting: Meter = Object.assign(Object.create(meter) as Meter, {
      addBatchObservableCallback(callback: unknown) {
        callbacks.add(callback)
        registered += 1
      },
      removeBatchObservableCallback: (callback: unknown) => void callbacks.delete(callback),
    })
    const sink = openTelemetrySink(counting)
    expect(registered).toBe(0)
    const listeners = createListeners<BridgeEvent>(() => {})
    const source = { onEvent: listeners.add, metrics: telemetry.metrics }
    for (let times = 1; times <= 2; times += 1) {
      const disconnect = sink.connect(source)
      expect(callbacks.size + listeners.size).toBe(2)
      disconnect()
      expect(callbacks.size + listeners.size).toBe(0)
    }
    expect(registered).toBe(2)
  })
})

describe('openTelemetrySink: spans', () => {
  const seconds = (time: [number, number]) => time[0] * 1000 + time[1] / 1e6

  it('makes a span of a rotation, from the question to the token', () => {
    const { tell, spans } = telemetryToSdk()
    tell(rotated)
    expect(spans()).toHaveLength(1)
    const [span] = spans()
    expect(span?.name).toBe('token_bridge.rotate')
    expect(seconds(span?.startTime as [number, number])).toBe(NOW - 250)
    expect(seconds(span?.endTime as [number, number])).toBe(NOW)
    expect(span?.status).toEqual({ code: SpanStatusCode.UNSET })
    expect(span?.attributes).toEqual({
      'token_bridge.rotation.reason': 'schedule',
      'token_bridge.generation': 2,
    })
  })

  it.each(['rotation-failed', 'maintenance-entered'] as const)(
    'makes a span with an error of an attempt that failed (%s)',
    (type) => {
      const { tell, spans } = telemetryToSdk()
      tell({ type, error, duration: 10_000 })
      expect(spans()).toHaveLength(1)
      const [span] = spans()
      expect(span?.name).toBe('token_bridge.rotate')
      expect(seconds(span?.startTime as [number, number])).toBe(NOW - 10_000)
      expect(seconds(span?.endTime as [number, number])).toBe(NOW)
      expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: error.message })
      expect(span?.attributes).toEqual({ 'error.type': 'ERR_SYNC_STATUS' })
    },
  )

  it('makes none where no source was asked, and none of anything else', () => {
    const { tell, spans } = telemetryToSdk()
    const { duration: _, ...byHand } = rotated
    tell(byHand)
    tell({ type: 'rotation-failed', error })
    tell({ type: 'maintenance-entered', error })
    const spanless = everyEvent.filter(
      ({ type }) => !['token-rotated', 'rotation-failed', 'reset-finished'].includes(type),
    )
    for (const event of spanless) tell(event)
    expect(spans()).toEqual([])
  })

  it('makes a span of a reset, with the outcome of each step', () => {
    const { tell, spans } = telemetryToSdk()
    tell({ type: 'auth-reset', reason: 'sign-out', status: 'signed-out' }, NOW - 1_200)
    tell({
      type: 'reset-finished',
      reason: 'sign-out',
      steps: [
        { name: 'abort', outcome: 'done', duration: 1 },
        { name: 'wipe', outcome: 'done', duration: 0 },
        { name: 'query-cache', outcome: 'done', duration: 1_199 },
      ],
    })
    const [span] = spans()
    expect(span?.name).toBe('token_bridge.reset')
    expect(seconds(span?.startTime as [number, number])).toBe(NOW - 1_200)
    expect(seconds(span?.endTime as [number, number])).toBe(NOW)
    expect(span?.status).toEqual({ code: SpanStatusCode.UNSET })
    expect(span?.attributes).toEqual({
      'token_bridge.reset.reason': 'sign-out',
      'token_bridge.reset.step.abort': 'done',
      'token_bridge.reset.step.wipe': 'done',
      'token_bridge.reset.step.query-cache': 'done',
    })
  })

  it('marks a reset as failed when a step was not done, and says which', () => {
    const { tell, spans } = telemetryToSdk()
    tell({
      type: 'reset-finished',
      reason: 'sign-out',
      steps: [
        { name: 'wipe', outcome: 'done', duration: 0 },
        { name: 'socket', outcome: 'failed', duration: 1 },
        { name: 'query-cache', outcome: 'timed-out', duration: 5_000 },
      ],
    })
    const [span] = spans()
    expect(span?.status).toEqual({
      code: SpanStatusCode.ERROR,
      message: 'socket failed, query-cache timed-out',
    })
    expect(span?.attributes).toMatchObject({
      'error.type': 'incomplete',
      'token_bridge.reset.step.socket': 'failed',
      'token_bridge.reset.step.query-cache': 'timed-out',
    })
  })

  it('keeps two resets at once apart', () => {
    const { tell, spans } = telemetryToSdk()
    tell({ type: 'auth-reset', reason: 'mode-change', status: 'loading' }, NOW - 300)
    tell({ type: 'auth-reset', reason: 'sign-out', status: 'signed-out' }, NOW - 200)
    tell({ type: 'reset-finished', reason: 'mode-change', steps: [] }, NOW - 100)
    tell({ type: 'reset-finished', reason: 'sign-out', steps: [] }, NOW)
    expect(spans().map(({ startTime }) => seconds(startTime))).toEqual([NOW - 300, NOW - 200])
  })

  it('does not begin a reset when an earlier one did', () => {
    const { tell, spans } = telemetryToSdk()
    tell({ type: 'auth-reset', reason: 'sign-out', status: 'signed-out' }, NOW - 300)
    tell({ type: 'reset-finished', reason: 'sign-out', steps: [] }, NOW - 100)
    tell({ type: 'reset-finished', reason: 'sign-out', steps: [] }, NOW)
    expect(spans().map(({ startTime }) => seconds(startTime))).toEqual([NOW - 300, NOW])
  })

  it('hangs no span under whatever happens to be active', () => {
    const { tell, spans } = telemetryToSdk()
    const parent = trace.setSpanContext(ROOT_CONTEXT, {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: 1,
    })
    context.setGlobalContextManager(new StackContextManager().enable())
    try {
      context.with(parent, () => tell(rotated))
    } finally {
      context.disable()
    }
    expect(spans().map(({ parentSpanContext }) => parentSpanContext)).toEqual([undefined])
  })

  it('makes no spans without a tracer', async () => {
    const { tell, spans, points } = telemetryToSdk({ traced: false })
    tell(rotated)
    expect(spans()).toEqual([])
    expect(await points('token_bridge.rotations')).toEqual([[1, {}]])
  })
})

describe('openTelemetrySink', () => {
  it('sends what events say and not one word of what objects carry beside', async () => {
    const { tell, collect, spans } = telemetryToSdk()
    for (const event of everyEvent) tell(Object.assign({ accessToken: SECRET }, event))
    expect(spans()).toHaveLength(3)
    expect(everythingIn([...(await collect()).values()])).not.toContain(SECRET)
    expect(
      everythingIn(spans().map(({ name, attributes, status }) => [name, attributes, status])),
    ).not.toContain(SECRET)
  })

  it('reports the fault of an instrument and lets everything else go on', () => {
    const { meter } = telemetryToSdk()
    const broken: Meter = Object.assign(Object.create(meter) as Meter, {
      createCounter: () => ({
        add() {
          throw new Error('the meter is broken')
        },
      }),
    })
    const environment = recordedEnvironment()
    const telemetry = createTelemetry(
      resolveTelemetry({ sinks: [openTelemetrySink(broken)] }),
      environment,
      { publish() {}, subscribers: () => 0, joinedCalls: () => 0, duplicateCalls: () => 0 },
    )
    telemetry.start()
    telemetry.record({ ...rotated, at: NOW })
    expect(environment.faults).toHaveLength(1)
    expect(telemetry.metrics.rotations).toBe(1)
    telemetry.stop()
  })
})
