import { abortable } from '../abort.ts'
import { captureEnvironment, type Environment } from '../environment.ts'
import { createListeners } from '../listeners.ts'
import { LONGEST_TIMER } from '../rotation/schedule.ts'
import { flagError, refuseArgument, requireText } from './flag-error.ts'
import type { FlagStream } from './watch-flag.ts'

/** All spans are milliseconds. */
export interface PollFlagOptions {
  /** From one answer to the next question. Default 30 000, at least 1 000. */
  readonly interval?: number
  /** For one question and its answer. Default 5 000. */
  readonly timeout?: number
  /** Default: the `fetch` that stands when `pollFlag` is called. */
  readonly fetch?: typeof globalThis.fetch
  /** Replaces timers; for tests. */
  readonly environment?: Partial<Environment>
}

type Answer = { readonly value: boolean } | { readonly error: unknown }

/**
 * A flag that is read again and again from a JSON document: `{ "ENABLE_SECURE_TOKEN_BRIDGE": true }`.
 *
 * It asks from the first subscriber to the last, one question at a time, and one answer serves all subscribers: each
 * answer is passed on, whether it changed or not. The last value is kept for whoever subscribes later. Whatever is not an
 * answer with a boolean under that name is an error, and the polling goes on: no connection, no answer in time, another
 * status than 2xx, no JSON.
 *
 * @param url - asked with GET, past the HTTP cache, with cookies on the page's own origin only.
 * @param name - of the member of the document.
 * @throws AuthError `ERR_CONFIG`, which names the argument. Subscribers are told of `ERR_FLAG`.
 * @example
 * createTokenBridge({ enabled: pollFlag('/flags.json', 'ENABLE_SECURE_TOKEN_BRIDGE') })
 */
export function pollFlag(
  url: string,
  name: string,
  options: PollFlagOptions = {},
): Required<FlagStream> {
  requireText('pollFlag', 'url', url, '/flags.json')
  requireText('pollFlag', 'name', name, 'ENABLE_SECURE_TOKEN_BRIDGE')
  const { interval = 30_000, timeout = 5_000 } = options
  requireSpan('interval', interval, 1_000)
  requireSpan('timeout', timeout, 1)
  if (options.fetch !== undefined && typeof options.fetch !== 'function') {
    refuseArgument('pollFlag', 'fetch', 'a function, such as globalThis.fetch')
  }
  const { fetch, setTimer, clearTimer, reportFault } = captureEnvironment({
    ...options.environment,
    ...(options.fetch && { fetch: options.fetch }),
  })
  const listeners = createListeners<Answer>(reportFault)
  let last: boolean | undefined
  let request: AbortController | null = null
  /** While a request is under way, its end. Between two, the next one. */
  let timer: unknown

  function recheck(): void {
    if (request !== null || listeners.size === 0) return
    clearTimer(timer)
    const controller = new AbortController()
    const { signal } = controller
    request = controller
    timer = setTimer(
      () => controller.abort(flagError(name, `no answer within ${timeout} ms.`)),
      timeout,
    )
    const settle = (answer: Answer): void => {
      // Late: nobody waits for it any more.
      if (request !== controller) return
      request = null
      clearTimer(timer)
      timer = setTimer(recheck, interval)
      if ('value' in answer) last = answer.value
      listeners.emit(answer)
    }
    abortable(readFlag(url, name, fetch, signal), signal).then(
      (value) => settle({ value }),
      (error: unknown) => settle({ error }),
    )
  }

  return Object.freeze<Required<FlagStream>>({
    recheck,
    subscribe(observer) {
      if (last !== undefined) observer.next(last)
      const remove = listeners.add((answer) => {
        if ('value' in answer) observer.next(answer.value)
        else observer.error(answer.error)
      })
      if (listeners.size === 1) recheck()
      return {
        unsubscribe() {
          remove()
          if (listeners.size > 0) return
          clearTimer(timer)
          request?.abort()
          request = null
        },
      }
    },
  })
}

function requireSpan(option: string, value: unknown, least: number): void {
  if (typeof value === 'number' && value >= least && value <= LONGEST_TIMER) return
  refuseArgument('pollFlag', option, `a number of milliseconds from ${least} to ${LONGEST_TIMER}`)
}

async function readFlag(
  url: string,
  name: string,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<boolean> {
  let response: Response
  try {
    response = await fetch(url, {
      cache: 'no-store',
      credentials: 'same-origin',
      headers: { accept: 'application/json' },
      signal,
    })
  } catch (cause) {
    throw flagError(name, `${where(url)} could not be reached.`, { cause })
  }
  const { status } = response
  if (!response.ok) throw flagError(name, `${where(url)} answered ${status}.`, { status })
  let flags: unknown
  try {
    flags = await response.json()
  } catch {
    // Without the cause: its message quotes the body.
    throw flagError(name, `${where(url)} sent no JSON, or half of it.`, { status })
  }
  // An own member: anybody in the page can put a `false` on Object.prototype.
  const value =
    typeof flags === 'object' && flags !== null && Object.hasOwn(flags, name)
      ? (flags as Readonly<Record<string, unknown>>)[name]
      : undefined
  if (typeof value === 'boolean') return value
  throw flagError(name, `${where(url)} has no true or false under that name.`, { status })
}

/** Without the query, which may hold a key. */
const where = (url: string): string => url.replace(/[?#].*$/s, '')
