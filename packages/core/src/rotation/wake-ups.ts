import type { Environment } from '../environment.ts'

/** What makes the bridge look at its token: one timer, and the moments at which a timer may have been late. */
export interface WakeUps {
  /** Replaces the timer. `delay` in milliseconds. */
  setTimer(delay: number): void
  stop(): void
}

/** Timers are throttled in hidden tabs and stand still in sleep; these events say that such a time is over. */
const WINDOW_EVENTS = ['online', 'focus', 'pageshow'] as const

export function createWakeUps(
  environment: Pick<Environment, 'setTimer' | 'clearTimer' | 'window' | 'document'>,
  wake: () => void,
): WakeUps {
  const { window, document } = environment
  let timer: unknown
  const onVisible = (): void => {
    if (document?.visibilityState === 'visible') wake()
  }
  for (const name of WINDOW_EVENTS) window?.addEventListener(name, wake)
  document?.addEventListener('visibilitychange', onVisible)

  return {
    setTimer(delay) {
      environment.clearTimer(timer)
      timer = environment.setTimer(wake, delay)
    },
    stop() {
      environment.clearTimer(timer)
      for (const name of WINDOW_EVENTS) window?.removeEventListener(name, wake)
      document?.removeEventListener('visibilitychange', onVisible)
    },
  }
}
