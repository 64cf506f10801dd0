/**
 * Sends what the bridge counts and does to OpenTelemetry. An entry of its own: whoever does not import it needs no
 * `@opentelemetry/api`, and who does gets its types only.
 *
 * @module
 */
import type {
  Attributes,
  BatchObservableCallback,
  Meter,
  Observable,
  SpanStatusCode,
  Tracer,
  ValueType,
} from '@opentelemetry/api'
import type { BridgeEvent } from '../state.ts'
import type { TelemetrySink } from './options.ts'

/** Where spans and metrics go. */
export interface OpenTelemetryOptions {
  /** Also makes a span of each refresh and each reset. */
  readonly tracer?: Tracer
}

// Their values, because the enums themselves would have to be imported when the page runs.
const WHOLE = 0 satisfies ValueType.INT
const FAILED = 2 satisfies SpanStatusCode.ERROR

/** Bucket boundaries in seconds, those of the semantic conventions for HTTP durations. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/**
 * A sink for `telemetry.sinks` that records OpenTelemetry metrics, and spans when it is given a tracer. Names and units
 * follow the OpenTelemetry semantic conventions (seconds, UCUM annotations, `error.type`). Attributes are few-valued;
 * none holds a token. One sink for one bridge.
 *
 * @example
 * createTokenBridge({ telemetry: { sinks: [openTelemetrySink(metrics.getMeter('shell'), { tracer: trace.getTracer('shell') })] } })
 */
export function openTelemetrySink(meter: Meter, options: OpenTelemetryOptions = {}): TelemetrySink {
  const count = countEvents(meter)
  const trace = options.tracer === undefined ? () => {} : traceEvents(options.tracer)
  const requests = meter.createObservableCounter('token_bridge.requests', {
    description: 'Requests that were sent with a token.',
    unit: '{request}',
    valueType: WHOLE,
  })
  const desyncRate = meter.createObservableGauge('token_bridge.desync.ratio', {
    description: 'Share of the requests of the last five minutes that carried an outdated token.',
    unit: '1',
  })
  const circuitOpen = meter.createObservableGauge('token_bridge.circuit.open', {
    description: '1 while the circuit breaker leaves the source alone, else 0.',
    unit: '1',
    valueType: WHOLE,
  })
  const observables: Observable[] = [requests, desyncRate, circuitOpen]

  return {
    connect(source) {
      const observe: BatchObservableCallback = (result) => {
        const { metrics } = source
        result.observe(requests, metrics.requests)
        result.observe(desyncRate, metrics.desyncRate)
        result.observe(circuitOpen, metrics.circuitOpen ? 1 : 0)
      }
      meter.addBatchObservableCallback(observe, observables)
      const leave = source.onEvent((event) => {
        count(event)
        trace(event)
      })
      return () => {
        leave()
        meter.removeBatchObservableCallback(observe, observables)
      }
    },
  }
}

function countEvents(meter: Meter): (event: BridgeEvent) => void {
  const counter = (name: string, unit: string, description: string) =>
    meter.createCounter(`token_bridge.${name}`, { unit, description, valueType: WHOLE })
  const rotations = counter('rotations', '{rotation}', 'Tokens that replaced another one.')
  const failures = counter('rotation.failures', '{attempt}', 'Attempts that brought no token.')
  const unauthorized = counter('unauthorized', '{response}', 'Responses with 401.')
  const desyncs = counter('desyncs', '{request}', 'Requests that carried an outdated token.')
  const violations = counter('violations', '{violation}', 'Attempts at what only the host may do.')
  const changes = counter('circuit.changes', '{change}', 'The circuit breaker opened or closed.')
  const mounts = counter('remote.mounts', '{mount}', 'Remotes that mounted, or failed to.')
  const alerts = counter('alerts', '{alert}', 'Alerts that fired or cleared.')
  const duration = meter.createHistogram('token_bridge.rotation.duration', {
    description: 'Time from the question for a token to its entry, or to the failure.',
    unit: 's',
    advice: { explicitBucketBoundaries: SECONDS },
  })

  const time = (milliseconds: number | undefined, attributes?: Attributes): void => {
    if (milliseconds !== undefined) duration.record(milliseconds / 1000, attributes)
  }
  const fail = (code: string, milliseconds: number | undefined): void => {
    const attributes = { 'error.type': code }
    failures.add(1, attributes)
    time(milliseconds, attributes)
  }

  return (event) => {
    switch (event.type) {
      case 'token-rotated':
        rotations.add(1)
        return time(event.duration)
      case 'rotation-failed':
        return fail(event.error.code, event.duration)
      case 'maintenance-entered':
        // Without a duration the attempt has been told, and counted, as `rotation-failed`.
        if (event.duration !== undefined) fail(event.error.code, event.duration)
        return changes.add(1, { 'token_bridge.circuit.state': 'open' })
      case 'maintenance-left':
        return changes.add(1, { 'token_bridge.circuit.state': 'closed' })
      case 'unauthorized':
        return unauthorized.add(1, { 'token_bridge.remote': event.remote })
      case 'desync':
        return desyncs.add(1, { 'token_bridge.remote': event.remote })
      case 'remote-mounted':
        return mounts.add(1, mount(event.remote, 'success'))
      case 'remote-mount-failed':
        return mounts.add(1, mount(event.remote, 'failure'))
      case 'violation':
        return violations.add(1, {
          'token_bridge.violation.kind': event.kind,
          ...(event.remote !== undefined && { 'token_bridge.remote': event.remote }),
        })
      case 'alert':
        return alerts.add(1, {
          'token_bridge.alert.rule': event.rule,
          'token_bridge.alert.state': event.state,
        })
      case 'token-expired':
      case 'auth-reset':
      case 'mode-changed':
      case 'reader-revoked':
      case 'flag-failed':
      case 'page-restored':
      case 'reset-finished':
    }
  }
}

const mount = (remote: string, outcome: 'success' | 'failure'): Attributes => ({
  'token_bridge.remote': remote,
  'token_bridge.outcome': outcome,
})

function traceEvents(tracer: Tracer): (event: BridgeEvent) => void {
  /** When resets began that are not finished; there may be two at once, for different reasons. */
  const resets = new Map<string, number>()

  // A refresh serves many callers and belongs to none, so its span has no parent; nor has that of a reset.
  function span(name: string, startTime: number, endTime: number, details: SpanDetails): void {
    const { attributes, failure } = details
    const started = tracer.startSpan(name, { root: true, startTime, attributes })
    if (failure !== undefined) {
      started.setAttribute('error.type', failure.code)
      started.setStatus({ code: FAILED, message: failure.message })
    }
    started.end(endTime)
  }

  return (event) => {
    const { at, type } = event
    if (type === 'token-rotated' && event.duration !== undefined) {
      const attributes = {
        'token_bridge.rotation.reason': event.reason,
        'token_bridge.generation': event.generation,
      }
      span('token_bridge.rotate', at - event.duration, at, { attributes })
    } else if (
      (type === 'rotation-failed' || type === 'maintenance-entered') &&
      event.duration !== undefined
    ) {
      const details = { attributes: {}, failure: event.error }
      span('token_bridge.rotate', at - event.duration, at, details)
    } else if (type === 'auth-reset') {
      resets.set(event.reason, at)
    } else if (type === 'reset-finished') {
      span('token_bridge.reset', resets.get(event.reason) ?? at, at, resetDetails(event))
      resets.delete(event.reason)
    }
  }
}

interface SpanDetails {
  readonly attributes: Attributes
  /** What went wrong, if anything did. */
  readonly failure?: { readonly code: string; readonly message: string }
}

function resetDetails(event: Extract<BridgeEvent, { type: 'reset-finished' }>): SpanDetails {
  const attributes: Attributes = { 'token_bridge.reset.reason': event.reason }
  const undone: string[] = []
  for (const { name, outcome } of event.steps) {
    attributes[`token_bridge.reset.step.${name}`] = outcome
    if (outcome !== 'done') undone.push(`${name} ${outcome}`)
  }
  return undone.length === 0
    ? { attributes }
    : { attributes, failure: { code: 'incomplete', message: undone.join(', ') } }
}
