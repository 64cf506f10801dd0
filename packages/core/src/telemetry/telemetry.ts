import type { Environment } from '../environment.ts'
import { createListeners } from '../listeners.ts'
import type { BridgeEvent } from '../state.ts'
import { createAlerts, type AlertEvent } from './alerts.ts'
import { logLine } from './log-line.ts'
import { createMeter, type BridgeMetrics } from './meter.ts'
import type { ResolvedTelemetry, TelemetrySource } from './options.ts'

/** An event that telemetry itself finds out, to which the bridge adds the time. */
export type TelemetryEvent = AlertEvent | Omit<Extract<BridgeEvent, { type: 'desync' }>, 'at'>

/** What telemetry asks and tells. */
export interface TelemetryHooks {
  /** Takes the event to everybody; it comes back through {@link Telemetry.record}. */
  publish(event: TelemetryEvent): void
  /** How many are told of a new token. */
  subscribers(): number
  /** How many calls were answered by a rotation that was already under way. */
  joinedCalls(): number
  /** How many calls to a source were made beside another one. */
  duplicateCalls(): number
}

/** Counts, logs, alerts, and feeds the sinks. */
export interface Telemetry {
  /** Takes every event, after stores and readers were told of it. A logger or a sink that throws harms nobody. */
  record(event: BridgeEvent): void
  /** Counts a request at the moment it is sent, with the generation it carries and the one that the bridge holds. */
  request(remote: string, generation: number, current: number): void
  /** The counters as they stand, frozen. */
  readonly metrics: BridgeMetrics
  /** Connects the sinks; from now on alerts clear by time alone. Starting twice changes nothing. */
  start(): void
  /** Disconnects the sinks and leaves no timer behind. Counting and logging go on. */
  stop(): void
}

/** Telemetry that is not started. */
export function createTelemetry(
  { logger, alerts: limits, sinks }: ResolvedTelemetry,
  environment: Pick<Environment, 'monotonic' | 'setTimer' | 'clearTimer' | 'reportFault'>,
  hooks: TelemetryHooks,
): Telemetry {
  const { monotonic, reportFault } = environment
  const meter = createMeter(hooks)
  const alerts = createAlerts(limits, environment, hooks.publish)
  const listeners = createListeners<BridgeEvent>(reportFault)
  const source: TelemetrySource = Object.freeze({
    onEvent: (listener: (event: BridgeEvent) => void) => listeners.add(listener),
    get metrics() {
      return meter.read(monotonic())
    },
  })
  let disconnects: (() => void)[] | null = null
  let loggedDuplicates = 0

  function attempt(work: () => void): void {
    try {
      work()
    } catch (fault) {
      reportFault(fault)
    }
  }

  function log(event: BridgeEvent): void {
    if (logger === undefined) return
    const duplicateCalls = hooks.duplicateCalls()
    const entry = logLine(event, {
      subscribers: hooks.subscribers(),
      duplicateCalls: duplicateCalls - loggedDuplicates,
    })
    if (event.type === 'token-rotated') loggedDuplicates = duplicateCalls
    if (entry !== null) attempt(() => logger[entry.level](entry.line))
  }

  return {
    get metrics() {
      return source.metrics
    },
    record(event) {
      meter.record(event)
      log(event)
      listeners.emit(event)
      // Last, so that an alert comes after what it is about.
      alerts.record(event)
    },
    request(remote, generation, current) {
      const isDesynced = generation < current
      const now = monotonic()
      meter.request(isDesynced, now)
      if (isDesynced) hooks.publish({ type: 'desync', remote, generation, current })
      alerts.request(isDesynced, now)
    },
    start() {
      if (disconnects !== null) return
      const connected: (() => void)[] = []
      disconnects = connected
      for (const sink of sinks) attempt(() => void connected.push(sink.connect(source)))
      alerts.start()
    },
    stop() {
      const connected = disconnects ?? []
      disconnects = null
      for (const disconnect of connected) attempt(disconnect)
      // A sink that forgets to leave is shown out.
      listeners.clear()
      alerts.stop()
    },
  }
}
