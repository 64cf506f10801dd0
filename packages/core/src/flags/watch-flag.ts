import type { Environment } from '../environment.ts'

/** The kill switch: a constant, a function that is asked again and again, or a stream of values (RxJS or any observable). */
export type FlagSource = boolean | (() => boolean) | FlagStream

/** The part of an observable that the kill switch uses. */
export interface FlagStream {
  subscribe(observer: { next: (enabled: boolean) => void; error: (error: unknown) => void }): {
    unsubscribe(): void
  }
}

/** How often a function is asked, in milliseconds. */
const ASK_EVERY = 1_000

export interface FlagWatch {
  onValue(enabled: boolean): void
  /** The flag cannot be read: the last known value stays. Called once, until it can be read again. */
  onFailure(): void
}

/**
 * Reports the switch's value now, if it is known, and each change after.
 *
 * @returns what ends the watch.
 */
export function watchFlag(
  source: FlagSource,
  watch: FlagWatch,
  timers: Pick<Environment, 'setTimer' | 'clearTimer'>,
): () => void {
  if (typeof source === 'boolean') {
    watch.onValue(source)
    return () => {}
  }
  let isFailing = false
  const fail = (): void => {
    if (isFailing) return
    isFailing = true
    watch.onFailure()
  }
  const take = (value: unknown): void => {
    // The string 'false', or the promise of an async function, is true to an `if`: a switch that nobody can turn off.
    if (typeof value !== 'boolean') return fail()
    isFailing = false
    watch.onValue(value)
  }
  return typeof source === 'function'
    ? poll(source, take, fail, timers)
    : follow(source, take, fail)
}

function follow(source: FlagStream, take: (value: unknown) => void, fail: () => void): () => void {
  try {
    const subscription = source.subscribe({ next: take, error: fail })
    return () => subscription.unsubscribe()
  } catch {
    fail()
    return () => {}
  }
}

function poll(
  source: () => unknown,
  take: (value: unknown) => void,
  fail: () => void,
  { setTimer, clearTimer }: Pick<Environment, 'setTimer' | 'clearTimer'>,
): () => void {
  let timer: unknown
  let isStopped = false
  const ask = (): void => {
    try {
      take(source())
    } catch {
      fail()
    }
    // Who is told of the value may have ended the watch.
    if (!isStopped) timer = setTimer(ask, ASK_EVERY)
  }
  ask()
  return () => {
    isStopped = true
    clearTimer(timer)
  }
}
