import type { Environment } from '../environment.ts'
import { waitForChange, withChange } from './damping.ts'

/** The kill switch: a constant, a function that is asked again and again, or a stream of values. */
export type FlagSource = boolean | (() => boolean) | FlagStream

/**
 * A stream of the flag's values: an RxJS observable, any other observable, `pollFlag(…)`, `openFeatureFlag(…)`.
 *
 * It gives its current value when it is subscribed to, if it knows one. An error says that the flag cannot be read now;
 * it need not be the end: a stream may go on, and report several errors, until it is unsubscribed from. (An RxJS
 * observable ends with its first error, by RxJS's own rule.)
 */
export interface FlagStream {
  subscribe(observer: { next: (enabled: boolean) => void; error: (error: unknown) => void }): {
    unsubscribe(): void
  }
  /** Asks for the value now, for example because the page has just come back to the foreground. */
  recheck?(): void
}

/** Who is told of the flag. Either may stop the watch from within. */
export interface FlagWatch {
  /** The flag's first value, then each change. */
  onValue(enabled: boolean): void
  /** The flag cannot be read: the last known value stays. Called once, until it can be read again. */
  onFailure(): void
}

/** A watch under way. */
export interface FlagWatcher {
  /** Asks for the value now. */
  recheck(): void
  /** Ends the watch: nobody is told of anything any more, and no timer is left. */
  stop(): void
}

/** How often a function is asked, in milliseconds. */
const ASK_EVERY = 1_000

/** How long a stream may take for its first value before the default holds, in milliseconds. */
const FLAG_PATIENCE = 1_000

/**
 * Tells of the flag's value, at once when it is known, and of each change after.
 *
 * Nothing but a boolean is a value. While the flag cannot be read its last known value stays; before there is one that is
 * the default, on. Changes are damped as {@link waitForChange} says; what is held back is the newest value.
 */
export function watchFlag(
  source: FlagSource,
  watch: FlagWatch,
  environment: Pick<Environment, 'setTimer' | 'clearTimer' | 'monotonic'>,
): FlagWatcher {
  if (typeof source === 'boolean') {
    watch.onValue(source)
    return Object.freeze({ recheck() {}, stop() {} })
  }
  const { setTimer, clearTimer, monotonic } = environment
  /** What the flag says, and what was passed on. */
  let latest: boolean | undefined
  let told: boolean | undefined
  let changes: readonly number[] = []
  let isFailing = false
  let isStopped = false
  /** Until the first value: patience. After: a change that is held back. */
  let timer: unknown

  function settle(): void {
    clearTimer(timer)
    if (isStopped || latest === undefined || latest === told) return
    if (told !== undefined) {
      const now = monotonic()
      const wait = waitForChange(changes, now)
      if (wait > 0) {
        timer = setTimer(settle, wait)
        return
      }
      changes = withChange(changes, now)
    }
    told = latest
    watch.onValue(latest)
  }
  function fail(): void {
    if (isStopped) return
    if (!isFailing) {
      isFailing = true
      watch.onFailure()
    }
    latest ??= true
    settle()
  }
  function take(value: unknown): void {
    // The string 'false', or the promise of an async function, is true to an `if`: a switch that nobody can turn off.
    if (typeof value !== 'boolean') return fail()
    isFailing = false
    latest = value
    settle()
  }

  const input =
    typeof source === 'function' ? ask(source, take, fail, environment) : follow(source, take, fail)
  if (latest === undefined) timer = setTimer(fail, FLAG_PATIENCE)

  return Object.freeze({
    recheck() {
      if (!isStopped) input.recheck()
    },
    stop() {
      isStopped = true
      clearTimer(timer)
      input.stop()
    },
  })
}

function follow(source: FlagStream, take: (value: unknown) => void, fail: () => void): FlagWatcher {
  let subscription: { unsubscribe(): void } | undefined
  try {
    subscription = source.subscribe({ next: take, error: fail })
  } catch {
    fail()
  }
  return {
    recheck() {
      try {
        source.recheck?.()
      } catch {
        fail()
      }
    },
    stop() {
      try {
        subscription?.unsubscribe()
      } catch {
        // Nothing that it says is heard any more, and whoever stops has more to end than this.
      }
    },
  }
}

function ask(
  source: () => unknown,
  take: (value: unknown) => void,
  fail: () => void,
  { setTimer, clearTimer }: Pick<Environment, 'setTimer' | 'clearTimer'>,
): FlagWatcher {
  let timer: unknown
  function recheck(): void {
    clearTimer(timer)
    timer = setTimer(recheck, ASK_EVERY)
    let value: unknown
    try {
      value = source()
    } catch {
      return fail()
    }
    take(value)
  }
  recheck()
  return { recheck, stop: () => clearTimer(timer) }
}
