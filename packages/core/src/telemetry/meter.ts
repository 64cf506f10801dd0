import type { BridgeEvent } from '../state.ts'
import { createDesyncShare } from './desync.ts'

/** Counters since the bridge was made, and gauges as of now. Token-free. */
export interface BridgeMetrics {
  /** Requests that were sent with a token. */
  readonly requests: number
  readonly rotations: number
  /** Calls that were answered by a rotation that was already under way: duplicate calls avoided. */
  readonly joinedCalls: number
  /** Source calls that were made while another one was still running. 0 unless a source ignores its signal. */
  readonly duplicateCalls: number
  /** Attempts to get a token that brought none. */
  readonly failedAttempts: number
  /** How long the rotations took, from the question to the token's entry; `null` before the first. */
  readonly refreshLatency: RefreshLatency | null
  /** How often the circuit opened, also again after a probe that failed. */
  readonly circuitOpenings: number
  readonly circuitClosings: number
  /** The source is being left alone. */
  readonly circuitOpen: boolean
  /** Answers with 401. */
  readonly unauthorized: number
  /** Requests that carried an older generation than the bridge held when they were sent. */
  readonly desyncs: number
  /** Their share, 0 to 1, of the requests of the last five minutes. */
  readonly desyncRate: number
  readonly remotesMounted: number
  readonly remoteMountFailures: number
  readonly violations: number
}

/** Milliseconds, of `count` rotations. */
export interface RefreshLatency {
  readonly count: number
  readonly last: number
  readonly mean: number
  readonly max: number
}

/** What is counted where it happens: no event says it. */
export interface MeterHooks {
  joinedCalls(): number
  duplicateCalls(): number
}

/** Counts. */
export interface Meter {
  /** Counts what an event says; it may be frozen and is not kept. */
  record(event: BridgeEvent): void
  /** Counts a request. `now` in monotonic milliseconds. */
  request(isDesynced: boolean, now: number): void
  /** The counters as they stand, frozen. */
  read(now: number): BridgeMetrics
}

/** The span of the desync rate, in milliseconds. */
const DESYNC_SPAN = 300_000

/** A meter at zero. */
export function createMeter(hooks: MeterHooks): Meter {
  const share = createDesyncShare(DESYNC_SPAN)
  const counts = {
    requests: 0,
    rotations: 0,
    failedAttempts: 0,
    circuitOpenings: 0,
    circuitClosings: 0,
    circuitOpen: false,
    unauthorized: 0,
    desyncs: 0,
    remotesMounted: 0,
    remoteMountFailures: 0,
    violations: 0,
  }
  const latency = { count: 0, last: 0, sum: 0, max: 0 }

  function time(duration: number): void {
    latency.count += 1
    latency.last = duration
    latency.sum += duration
    latency.max = Math.max(latency.max, duration)
  }

  return {
    record(event) {
      switch (event.type) {
        case 'token-rotated':
          counts.rotations += 1
          if (event.duration !== undefined) time(event.duration)
          return
        case 'rotation-failed':
          counts.failedAttempts += 1
          return
        case 'maintenance-entered':
          // Without a duration the attempt has been told, and counted, as `rotation-failed`.
          if (event.duration !== undefined) counts.failedAttempts += 1
          counts.circuitOpenings += 1
          counts.circuitOpen = true
          return
        case 'maintenance-left':
          counts.circuitClosings += 1
          counts.circuitOpen = false
          return
        // Both forget the failures of the source.
        case 'auth-reset':
        case 'mode-changed':
          counts.circuitOpen = false
          return
        case 'unauthorized':
          counts.unauthorized += 1
          return
        case 'remote-mounted':
          counts.remotesMounted += 1
          return
        case 'remote-mount-failed':
          counts.remoteMountFailures += 1
          return
        case 'violation':
          counts.violations += 1
          return
        // Counted by `request`, with the requests whose share they are.
        case 'desync':
        case 'token-expired':
        case 'reader-revoked':
        case 'flag-failed':
        case 'page-restored':
        case 'alert':
        case 'reset-finished':
      }
    },
    request(isDesynced, now) {
      counts.requests += 1
      if (isDesynced) counts.desyncs += 1
      share.add(isDesynced, now)
    },
    read(now) {
      const { count, last, sum, max } = latency
      return Object.freeze({
        ...counts,
        joinedCalls: hooks.joinedCalls(),
        duplicateCalls: hooks.duplicateCalls(),
        refreshLatency: count === 0 ? null : Object.freeze({ count, last, mean: sum / count, max }),
        desyncRate: share.value(now),
      })
    },
  }
}
