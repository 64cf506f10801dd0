import type { Environment } from './environment.ts'
import type { BridgeMode } from './state.ts'

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

/** The mode that follows from the switch: off means the legacy source, or no tokens at all when there is none. */
export function modeFor(enabled: boolean, hasLegacy: boolean): BridgeMode {
  return enabled ? 'bridge' : hasLegacy ? 'legacy' : 'cookie-only'
}

export interface FlagWatch {
  onValue(enabled: boolean): void
  /** The flag could not be read: the last known value stays. */
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
  { setTimer, clearTimer }: Pick<Environment, 'setTimer' | 'clearTimer'>,
): () => void {
  if (typeof source === 'boolean') {
    watch.onValue(source)
    return () => {}
  }
  if (typeof source !== 'function') {
    const subscription = source.subscribe({
      next: (value) => watch.onValue(value),
      error: () => watch.onFailure(),
    })
    return () => subscription.unsubscribe()
  }
  let timer: unknown
  const ask = (): void => {
    try {
      watch.onValue(source())
    } catch {
      watch.onFailure()
    }
    timer = setTimer(ask, ASK_EVERY)
  }
  ask()
  return () => clearTimer(timer)
}
