import type { Environment } from '../environment.ts'
import type { AlertRule, BridgeEvent } from '../state.ts'
import { checkNumber, checkSection, type Bounds } from '../checks.ts'
import { LONGEST_TIMER } from '../rotation/schedule.ts'
import { createDesyncShare } from './desync.ts'
import { createSlidingCount } from './sliding-count.ts'

/** When a rule fires: above `threshold`, over the last `window` milliseconds. */
export interface AlertLimit {
  readonly threshold: number
  readonly window: number
}

/** What to be alerted of. A field that is left out has its default; `false` switches the rule off. */
export interface AlertOptions {
  /** Share of requests, 0 to 1, that carried an outdated token. Default: more than 0.005 over 300 000 ms. */
  readonly desync?: Partial<AlertLimit> | false
  /** Answers with 401. Default: more than 10 in 60 000 ms. */
  readonly unauthorized?: Partial<AlertLimit> | false
  /** Remotes that failed to mount. Default: more than 0 in 300 000 ms. */
  readonly remoteMountFailed?: Partial<AlertLimit> | false
}

/** Every rule with its limit, or `null` where it is off. */
export type ResolvedAlerts = { readonly [Rule in keyof AlertOptions]-?: AlertLimit | null }

const SHARE: Bounds = { least: 0, most: 1, what: 'a share from 0 to 1' }
const COUNT: Bounds = { least: 0, most: Number.MAX_SAFE_INTEGER, what: 'a number of times' }
const WINDOW: Bounds = { least: 1, most: LONGEST_TIMER, what: 'a number of milliseconds' }

/**
 * Checks alert options and fills in the defaults.
 *
 * @throws AuthError `ERR_CONFIG`, which names the field, the type it had and what it must be.
 */
export function resolveAlerts(options: AlertOptions | false | undefined): ResolvedAlerts {
  if (options === false) return { desync: null, unauthorized: null, remoteMountFailed: null }
  const field = 'telemetry.alerts'
  const { desync, unauthorized, remoteMountFailed } = checkSection<AlertOptions>(
    field,
    options,
    ['desync', 'unauthorized', 'remoteMountFailed'],
    'an object, or false',
  )
  const mounts = `${field}.remoteMountFailed`
  return {
    desync: limit(`${field}.desync`, desync, { threshold: 0.005, window: 300_000 }, SHARE),
    unauthorized: limit(
      `${field}.unauthorized`,
      unauthorized,
      { threshold: 10, window: 60_000 },
      COUNT,
    ),
    remoteMountFailed: limit(mounts, remoteMountFailed, { threshold: 0, window: 300_000 }, COUNT),
  }
}

function limit(
  field: string,
  options: Partial<AlertLimit> | false | undefined,
  fallback: AlertLimit,
  bounds: Bounds,
): AlertLimit | null {
  if (options === false) return null
  const { threshold, window } = checkSection<Partial<AlertLimit>>(
    field,
    options,
    ['threshold', 'window'],
    'an object, or false',
  )
  return {
    threshold: checkNumber(`${field}.threshold`, threshold, fallback.threshold, bounds),
    window: checkNumber(`${field}.window`, window, fallback.window, WINDOW),
  }
}

/** What an alert does at a value: it fires above its threshold, clears at or below it, and says either once. */
export function decideAlert(
  isFiring: boolean,
  value: number,
  threshold: number,
): 'firing' | 'cleared' | null {
  const isAbove = value > threshold
  if (isAbove === isFiring) return null
  return isAbove ? 'firing' : 'cleared'
}

/** An alert event, to which the bridge adds the time. */
export type AlertEvent = Omit<Extract<BridgeEvent, { type: 'alert' }>, 'at'>

/** The rules at work. */
export interface Alerts {
  /** Counts a request. `now` in monotonic milliseconds. */
  request(isDesynced: boolean, now: number): void
  /** Counts what an event says. Alerts themselves count for nothing. */
  record(event: BridgeEvent): void
  /** From now on an alert that fires also clears by time alone. */
  start(): void
  /** Leaves no timer behind. Alerts that fire keep firing: a restart does not report the same incident again. */
  stop(): void
}

/** Watches the limits and publishes each crossing once. There is a timer only while an alert is firing. */
export function createAlerts(
  limits: ResolvedAlerts,
  environment: Pick<Environment, 'monotonic' | 'setTimer' | 'clearTimer'>,
  publish: (event: AlertEvent) => void,
): Alerts {
  const { monotonic } = environment
  const watches: Watch[] = []
  let isRunning = false

  function watch(rule: AlertRule, threshold: number, gauge: Gauge): Watch {
    let isFiring = false
    let timer: unknown = null

    function check(now: number): void {
      const value = gauge.value(now)
      const state = decideAlert(isFiring, value, threshold)
      if (state !== null) isFiring = state === 'firing'
      retime(now)
      if (state !== null) publish({ type: 'alert', rule, state, value, threshold })
    }

    function retime(now: number): void {
      if (!isFiring || !isRunning) return disarm()
      // What is counted leaves in the order it came, so what came since cannot leave before the timer.
      if (timer !== null) return
      // A timer may come a little early; with no delay at all it would come again and again until the window has moved.
      const delay = Math.max(1, Math.ceil(gauge.nextDrop(now)))
      timer = environment.setTimer(() => {
        timer = null
        check(monotonic())
      }, delay)
    }

    function disarm(): void {
      if (timer === null) return
      environment.clearTimer(timer)
      timer = null
    }

    const created: Watch = { check, disarm }
    watches.push(created)
    return created
  }

  function watchShare({ threshold, window }: AlertLimit): Alerts['request'] {
    const share = createDesyncShare(window)
    const { check } = watch('desync', threshold, share)
    return (isDesynced, now) => {
      share.add(isDesynced, now)
      check(now)
    }
  }

  function watchCount(rule: AlertRule, { threshold, window }: AlertLimit): () => void {
    const count = createSlidingCount(window)
    const { check } = watch(rule, threshold, { value: count.total, nextDrop: count.nextDrop })
    return () => {
      const now = monotonic()
      count.add(now)
      check(now)
    }
  }

  const { desync, unauthorized, remoteMountFailed } = limits
  const request = desync === null ? () => {} : watchShare(desync)
  const onUnauthorized = unauthorized && watchCount('unauthorized', unauthorized)
  const onMountFailed = remoteMountFailed && watchCount('remote-mount-failed', remoteMountFailed)

  return {
    request,
    record({ type }) {
      if (type === 'unauthorized') onUnauthorized?.()
      else if (type === 'remote-mount-failed') onMountFailed?.()
    },
    start() {
      isRunning = true
      for (const { check } of watches) check(monotonic())
    },
    stop() {
      isRunning = false
      for (const { disarm } of watches) disarm()
    },
  }
}

/** A value that sinks by itself as time passes. */
interface Gauge {
  value(now: number): number
  nextDrop(now: number): number
}

interface Watch {
  check(now: number): void
  disarm(): void
}
