import { AuthError } from './errors.ts'
import type { Environment } from './environment.ts'

/** The typed error for work that a reset, a sign-out, a change of mode or `stop()` ended. */
export const aborted = (what: string): AuthError =>
  new AuthError(
    'ERR_ABORTED',
    `${what} was ended by a reset, a sign-out, a change of mode or stop().`,
    {
      phase: 'sync',
      retryable: true,
    },
  )

/** Settles as `promise` does, or rejects with the signal's reason as soon as it aborts. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    // Heard even when the wait is over: a rejection that nobody handles is reported as a fault of the page.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Resolves after `delay` milliseconds; rejects with the signal's reason when it aborts first. No timer is left behind. */
export function sleep(
  delay: number,
  signal: AbortSignal,
  { setTimer, clearTimer }: Pick<Environment, 'setTimer' | 'clearTimer'>,
): Promise<void> {
  let timer: unknown
  const slept = new Promise<void>((resolve) => {
    timer = setTimer(resolve, delay)
  })
  return abortable(slept, signal).finally(() => clearTimer(timer))
}

/** What the work brings, or `undefined` when it is not done within `span` milliseconds or before the signal aborts. */
export async function within<T>(
  work: Promise<T>,
  span: number,
  signal: AbortSignal,
  timers: Pick<Environment, 'setTimer' | 'clearTimer'>,
): Promise<T | undefined> {
  const done = new AbortController()
  const over = (): undefined => undefined
  const limit = sleep(span, AbortSignal.any([signal, done.signal]), timers).then(over, over)
  try {
    return await Promise.race([work, limit])
  } finally {
    done.abort()
  }
}
