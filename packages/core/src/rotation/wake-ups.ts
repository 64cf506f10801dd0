import type { Environment } from '../environment.ts'
import { timerDelay } from './schedule.ts'

/** What makes the bridge look at its token: one timer, and the moments at which a timer may have been late. */
export interface WakeUps {
  /** Replaces the timer. `delay` in milliseconds, however long. */
  setTimer(delay: number): void
  stop(): void
}

export interface WakeUpHooks {
  /** Look at the token. */
  wake(): void
  /** The page has come out of the back/forward cache, and has painted nothing yet. */
  restore(): void
}

/** Timers are throttled in hidden tabs and stand still in sleep; these events say that such a time is over. */
const WINDOW_EVENTS = ['online', 'focus'] as const
const DOCUMENT_EVENTS = ['visibilitychange', 'resume'] as const

/**
 * No timer waits longer than this, in milliseconds. A machine that slept, or whose clock was set, has no event to tell it:
 * the next look finds the two clocks apart.
 */
const LONGEST_LOOK = 30_000

export function createWakeUps(
  environment: Pick<Environment, 'setTimer' | 'clearTimer' | 'window' | 'document'>,
  { wake, restore }: WakeUpHooks,
): WakeUps {
  const { window, document } = environment
  let timer: unknown
  const onDocument = (): void => {
    if (document?.visibilityState !== 'hidden') wake()
  }
  const onShow = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) restore()
    else wake()
  }
  for (const name of WINDOW_EVENTS) window?.addEventListener(name, wake)
  window?.addEventListener('pageshow', onShow)
  for (const name of DOCUMENT_EVENTS) document?.addEventListener(name, onDocument)

  return {
    setTimer(delay) {
      environment.clearTimer(timer)
      timer = environment.setTimer(wake, timerDelay(Math.min(delay, LONGEST_LOOK)))
    },
    stop() {
      environment.clearTimer(timer)
      for (const name of WINDOW_EVENTS) window?.removeEventListener(name, wake)
      window?.removeEventListener('pageshow', onShow)
      for (const name of DOCUMENT_EVENTS) document?.removeEventListener(name, onDocument)
    },
  }
}
