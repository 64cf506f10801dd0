import {
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  circuitBreaker,
  handleWhen,
  noJitterGenerator,
} from 'cockatiel'
import { abortable, aborted, sleep } from '../abort.ts'
import type { Environment } from '../environment.ts'
import { AuthError, isAuthError } from '../errors.ts'

/** How rotation fails. Spans are milliseconds. */
export interface RefreshPolicy {
  readonly timeout: number
  readonly backoff: { readonly initialDelay: number; readonly maxDelay: number }
  readonly breaker: { readonly threshold: number; readonly cooldown: number }
}

/** What the refresher asks and tells. */
export interface RefreshHooks<Answer> {
  /** One call to the source; resolves with what may enter the vault, or with `null` when nobody is signed in. */
  attempt(reason: string, signal: AbortSignal): Promise<Answer | null>
  /** Called once for each refresh that succeeds, when it is no longer under way. */
  onSuccess(answer: Answer | null, reason: string): void
  onFailure(error: AuthError): void
  onOpen(error: AuthError): void
  onClose(): void
}

/** Makes sure that there is one refresh at a time, and that a failing source is asked less and less. */
export interface Refresher {
  /** Starts a refresh or joins the one under way. Rejects with a typed error. */
  refresh(reason: string): Promise<void>
  readonly busy: boolean
  /** Monotonic milliseconds before which the source is not asked; 0 when it may be. */
  readonly notBefore: number
  /** How many calls were answered by a refresh that was already under way. */
  readonly joined: number
  /** Ends the refresh under way. What it brings later is dropped. */
  abort(): void
  /** Ends the refresh under way and forgets all failures: the next call goes to another source. */
  reset(): void
}

/** The longest that a `Retry-After` is obeyed, in milliseconds: a mistaken one must not outlast the working day. */
const LONGEST_PAUSE = 15 * 60_000

export function createRefresher<Answer>(
  policy: RefreshPolicy,
  environment: Environment,
  hooks: RefreshHooks<Answer>,
): Refresher {
  const { monotonic, isOnline } = environment
  // The time to stay open is kept here, on the monotonic clock: a wall clock that is set back would hold the circuit
  // open for hours. Hence "half-open at once": whoever gets past `notBefore` is the probe.
  // A refresh that was ended by `abort()` is no failure of the source.
  const endings = new WeakSet<object>()
  const closedBreaker = () =>
    circuitBreaker(
      handleWhen((cause) => !endings.has(cause as object)),
      {
        halfOpenAfter: Number.NEGATIVE_INFINITY,
        breaker: new ConsecutiveBreaker(policy.breaker.threshold),
      },
    )
  let breaker = closedBreaker()
  // Full jitter, by the randomness that was captured: a patched Math.random could take the waits away.
  const backoff = new ExponentialBackoff({
    ...policy.backoff,
    generator: (attempts: number | undefined, options) => {
      const [delay, next] = noJitterGenerator(attempts, options)
      return [Math.floor(environment.random() * delay), next]
    },
  })
  let flight: { readonly promise: Promise<void>; readonly controller: AbortController } | null =
    null
  let notBefore = 0
  /** The breaker has opened and no answer has come since. */
  let isTripped = false
  let lastError: AuthError | null = null
  let joined = 0

  async function attempt(reason: string, signal: AbortSignal): Promise<Answer | null> {
    const timeout = new AbortController()
    const timer = environment.setTimer(
      () => timeout.abort(timedOut(policy.timeout)),
      policy.timeout,
    )
    const either = AbortSignal.any([signal, timeout.signal])
    try {
      return await abortable(hooks.attempt(reason, either), either)
    } finally {
      environment.clearTimer(timer)
    }
  }

  /** The source is left alone until then; the next call is the probe. */
  function open(error: AuthError, wait: number): void {
    notBefore = monotonic() + wait
    hooks.onOpen(error)
  }

  /** Asks until the source answers or the circuit opens. */
  async function run(reason: string, signal: AbortSignal): Promise<Answer | null> {
    let delays = backoff.next()
    for (;;) {
      // The network may have gone away during the wait.
      if (!isOnline()) throw offline()
      try {
        return await breaker.execute(() => attempt(reason, signal))
      } catch (cause) {
        signal.throwIfAborted()
        const error = toAuthError(cause)
        const retryAfter = Math.min(error.retryAfter ?? 0, LONGEST_PAUSE)
        lastError = error
        // cockatiel closes when a probe was ended; the next call is one probe all the same.
        isTripped ||= breaker.state !== CircuitState.Closed
        if (isTripped) {
          open(error, Math.max(policy.breaker.cooldown, retryAfter))
          throw error
        }
        hooks.onFailure(error)
        if (retryAfter > policy.backoff.maxDelay) {
          open(error, retryAfter)
          throw error
        }
        await sleep(Math.max(delays.duration, retryAfter), signal, environment)
        delays = delays.next({})
      }
    }
  }

  async function fly(reason: string, controller: AbortController): Promise<void> {
    try {
      const answer = await run(reason, controller.signal)
      controller.signal.throwIfAborted()
      land(controller)
      const wasOpen = notBefore !== 0
      notBefore = 0
      isTripped = false
      lastError = null
      if (wasOpen) hooks.onClose()
      hooks.onSuccess(answer, reason)
    } finally {
      land(controller)
    }
  }

  function land(controller: AbortController): void {
    if (flight?.controller === controller) flight = null
  }

  function refusal(): AuthError | null {
    if (!isOnline()) return offline()
    if (monotonic() >= notBefore) return null
    return new AuthError(
      'ERR_MAINTENANCE',
      `The auth endpoint failed repeatedly and is left alone for ${Math.ceil((notBefore - monotonic()) / 1000)} s more. Last failure: ${lastError?.message ?? 'unknown'}`,
      { phase: 'sync', retryable: true, retryAfter: notBefore - monotonic(), cause: lastError },
    )
  }

  function abort(): void {
    if (flight === null) return
    const ending = aborted('The rotation')
    endings.add(ending)
    flight.controller.abort(ending)
    flight = null
  }

  return {
    get busy() {
      return flight !== null
    },
    get notBefore() {
      return notBefore
    },
    get joined() {
      return joined
    },
    refresh(reason) {
      if (flight !== null) {
        joined += 1
        return flight.promise
      }
      const refused = refusal()
      if (refused !== null) return Promise.reject(refused)
      const controller = new AbortController()
      const promise = fly(reason, controller)
      flight = { promise, controller }
      return promise
    },
    abort,
    reset() {
      abort()
      breaker = closedBreaker()
      isTripped = false
      notBefore = 0
      lastError = null
    },
  }
}

const offline = (): AuthError =>
  new AuthError(
    'ERR_OFFLINE',
    'The browser is offline. The bridge rotates when it is back online.',
    {
      phase: 'sync',
      retryable: true,
    },
  )

const timedOut = (timeout: number): AuthError =>
  new AuthError(
    'ERR_SYNC_TIMEOUT',
    `The source did not answer within ${timeout} ms (\`rotation.timeout\`).`,
    {
      phase: 'sync',
      retryable: true,
    },
  )

/** A source of the app's own may throw anything; its error stays reachable as the cause, its message may hold anything. */
function toAuthError(cause: unknown): AuthError {
  return isAuthError(cause)
    ? cause
    : new AuthError('ERR_SYNC_NETWORK', 'The token source failed. See `cause`.', {
        phase: 'sync',
        retryable: true,
        cause,
      })
}
