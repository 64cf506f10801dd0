import type { BridgeEvent } from '../state.ts'
import { resolveAlerts, type AlertOptions, type ResolvedAlerts } from './alerts.ts'
import { checkSection, refuse } from '../checks.ts'
import type { BridgeMetrics } from './meter.ts'

/** Takes lines of text, token-free. `console` is one. */
export interface BridgeLogger {
  info(line: string): void
  warn(line: string): void
  error(line: string): void
}

/** What a sink reads. Nothing on it leads to a token or to a write. */
export interface TelemetrySource {
  /** Calls the listener after everything that happens; returns what ends that. */
  onEvent(listener: (event: BridgeEvent) => void): () => void
  /** The counters as they stand when read. */
  readonly metrics: BridgeMetrics
}

/** Carries telemetry out of the page, such as `openTelemetrySink(meter)` from `@token-bridge/core/otel`. */
export interface TelemetrySink {
  /** Called when the bridge starts. Returns what takes everything back that it set up; called when the bridge stops. */
  connect(source: TelemetrySource): () => void
}

/** Where log lines go, and when alerts are raised. */
export interface TelemetryOptions {
  /** Gets a line for whatever an operator wants to know. Default: nobody does. */
  readonly logger?: BridgeLogger
  /** When to publish an `alert` event. Default: see {@link AlertOptions}. `false`: never. */
  readonly alerts?: AlertOptions | false
  readonly sinks?: readonly TelemetrySink[]
}

/** Telemetry options with every default filled in and every value checked. */
export interface ResolvedTelemetry {
  readonly logger: BridgeLogger | undefined
  readonly alerts: ResolvedAlerts
  readonly sinks: readonly TelemetrySink[]
}

/**
 * Checks telemetry options and fills in the defaults.
 *
 * @throws AuthError `ERR_CONFIG`, which names the field, the type it had and what it must be.
 */
export function resolveTelemetry(options: TelemetryOptions | undefined): ResolvedTelemetry {
  const { logger, alerts, sinks } = checkSection<TelemetryOptions>('telemetry', options, [
    'logger',
    'alerts',
    'sinks',
  ])
  return {
    logger: checkLogger(logger),
    alerts: resolveAlerts(alerts),
    sinks: checkSinks(sinks),
  }
}

function checkLogger(logger: BridgeLogger | undefined): BridgeLogger | undefined {
  if (logger === undefined) return undefined
  for (const method of ['info', 'warn', 'error'] as const) {
    if (typeof logger?.[method] === 'function') continue
    return refuse(
      'telemetry.logger',
      'an object with info(line), warn(line) and error(line), such as console',
      logger,
    )
  }
  return logger
}

function checkSinks(sinks: readonly TelemetrySink[] | undefined): readonly TelemetrySink[] {
  if (sinks === undefined) return []
  if (!Array.isArray(sinks)) return refuse('telemetry.sinks', 'an array of sinks', sinks)
  return sinks.map((sink: TelemetrySink | null | undefined, index) =>
    typeof sink?.connect === 'function'
      ? sink
      : refuse(
          `telemetry.sinks[${index}]`,
          'an object with connect(source), such as openTelemetrySink(meter)',
          sink,
        ),
  )
}
