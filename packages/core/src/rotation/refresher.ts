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
  attempt(question: RefreshQuestion, signal: AbortSignal): Promise<Answer | null>
  /** Called once for each refresh that succeeds, when it is no longer under way. */
  onSuccess(answer: Answer | null, outcome: { readonly reason: string } & Timed): void
  onFailure(error: AuthError, timed: Timed): void
  /** `timed` is absent when the failure that opened the circuit has been told already. */
  onOpen(error: AuthError, timed?: Timed): void
  onClose(): void
}

/** How long the last call to the source took, in milliseconds. */
interface Timed {
  readonly duration: number
}

export interface RefreshQuestion {
  readonly reason: string
  /** Any valid token will do, also the one that is held: the question is whether the session still is. */
  readonly isConfirmation: boolean
}

/** Makes sure that there is one refresh at a time, and that a failing source is asked less and less. */
export interface Refresher {
  /** Starts a refresh or joins the one under way. Rejects with a typed error. */
  refresh(reason: string): Promise<void>
  /**
   * Asks whether the session still is, after what is under way: a question that is older than the doubt does not settle
   * it. Those who ask meanwhile share one. A refresh waits for the end of a confirmation.
   */
  confirm(reason: string): Promise<void>
  readonly busy: boolean
  /** A refresh is under way, and no mere confirmation: who asks for one now joins it. */
  readonly refreshing: boolean
  /** Resolves when what is under way has ended, however it ends. */
  landed(): Promise<void>
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

/** How often in a row the cooldown doubles: a dead endpoint is asked less and less, and found alive within this. */
const COOLDOWN_DOUBLINGS = 2

export function createRefresher<Answer>(
  policy: RefreshPolicy,
  environment: Environment,
  hooks: RefreshHooks<Answer>,
): Refresher {
  const { monotonic, isOnline } = environment
  // The time to stay open is kept here, on the monotonic clock: a wall clock that is set back would hold the circuit
  // open for hours. Hence "half-open at once": whoever gets past `notBefore` is the probe.
  // A refresh that was ended by `abort()`, or that the network left, is no failure of the source.
  const endings = new WeakSet<object>()
  const isOffline = (cause: unknown): boolean => isAuthError(cause, 'ERR_OFFLINE') && !isOnline()
  const closedBreaker = () =>
    circuitBreaker(
      handleWhen((cause) => !endings.has(cause as object) && !isOffline(cause)),
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
  let flight: {
    readonly promise: Promise<void>
    readonly controller: AbortController
    readonly isConfirmation: boolean
  } | null = null
  /** The confirmation that waits for the end of the flight. */
  let nextConfirmation: Promise<void> | null = null
  /** Counts what ended flights, and with them those who wait for their end. */
  let aborts = 0
  let notBefore = 0
  /** How often the circuit has opened since the last answer. */
  let openings = 0
  /** The breaker has opened and no answer has come since. */
  let isTripped = false
  let lastError: AuthError | null = null
  let joined = 0

  async function attempt(question: RefreshQuestion, signal: AbortSignal): Promise<Answer | null> {
    const timeout = new AbortController()
    const timer = environment.setTimer(
      () => timeout.abort(timedOut(policy.timeout)),
      policy.timeout,
    )
    const either = AbortSignal.any([signal, timeout.signal])
    try {
      return await abortable(hooks.attempt(question, either), either)
    } finally {
      environment.clearTimer(timer)
    }
  }

  /** The source is left alone until then; the next call is the probe. */
  function open(error: AuthError, wait: number, timed?: Timed): void {
    notBefore = monotonic() + wait
    hooks.onOpen(error, timed)
  }

  /** The first cooldown is what the policy says; later ones are longer, and drawn so that tabs do not probe in step. */
  function cooldown(): number {
    const doublings = Math.min(openings, COOLDOWN_DOUBLINGS)
    openings += 1
    const longest = policy.breaker.cooldown * 2 ** doublings
    return doublings === 0 ? longest : longest * (0.5 + environment.random() / 2)
  }

  /** Asks until the source answers or the circuit opens. */
  async function run(
    question: RefreshQuestion,
    signal: AbortSignal,
  ): Promise<{ readonly answer: Answer | null } & Timed> {
    let delays = backoff.next()
    for (;;) {
      // The network may have gone away during the wait.
      if (!isOnline()) throw offline()
      const asked = monotonic()
      try {
        const answer = await breaker.execute(() => attempt(question, signal))
        return { answer, duration: monotonic() - asked }
      } catch (cause) {
        signal.throwIfAborted()
        if (isOffline(cause)) throw cause
        const error = toAuthError(cause)
        const duration = monotonic() - asked
        const retryAfter = Math.min(error.retryAfter ?? 0, LONGEST_PAUSE)
        lastError = error
        // cockatiel closes when a probe was ended; the next call is one probe all the same.
        isTripped ||= breaker.state !== CircuitState.Closed
        if (isTripped) {
          open(error, Math.max(cooldown(), retryAfter), { duration })
          throw error
        }
        hooks.onFailure(error, { duration })
        if (retryAfter > policy.backoff.maxDelay) {
          open(error, retryAfter)
          throw error
        }
        await sleep(Math.max(delays.duration, retryAfter), signal, environment)
        delays = delays.next({})
      }
    }
  }

  async function fly(question: RefreshQuestion, controller: AbortController): Promise<void> {
    try {
      const { answer, duration } = await run(question, controller.signal)
      controller.signal.throwIfAborted()
      land(controller)
      const wasOpen = notBefore !== 0
      notBefore = 0
      openings = 0
      isTripped = false
      lastError = null
      if (wasOpen) hooks.onClose()
      hooks.onSuccess(answer, { reason: question.reason, duration })
    } finally {
      land(controller)
    }
  }

  function land(controller: AbortController): void {
    if (flight?.controller !== controller) return
    flight = null
    nextConfirmation = null
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
    aborts += 1
    nextConfirmation = null
    if (flight === null) return
    const ending = aborted('The rotation')
    endings.add(ending)
    flight.controller.abort(ending)
    flight = null
  }

  /** Asks when the flight under way has landed: its answer may be the very token, or the very state, that is in doubt. */
  async function startAfter(flown: Promise<void>, question: RefreshQuestion): Promise<void> {
    const before = aborts
    await flown
    if (before !== aborts) throw aborted('The rotation')
    return start(question)
  }

  function start(question: RefreshQuestion): Promise<void> {
    if (flight !== null) {
      if (question.isConfirmation) {
        nextConfirmation ??= startAfter(flight.promise, question)
        return nextConfirmation
      }
      if (flight.isConfirmation) return startAfter(flight.promise, question)
      joined += 1
      return flight.promise
    }
    const refused = refusal()
    if (refused !== null) return Promise.reject(refused)
    const controller = new AbortController()
    const promise = fly(question, controller)
    flight = { promise, controller, isConfirmation: question.isConfirmation }
    return promise
  }

  return {
    get busy() {
      return flight !== null
    },
    get refreshing() {
      return flight !== null && !flight.isConfirmation
    },
    get notBefore() {
      return notBefore
    },
    get joined() {
      return joined
    },
    refresh: (reason) => start({ reason, isConfirmation: false }),
    confirm: (reason) => start({ reason, isConfirmation: true }),
    landed: () => flight?.promise.catch(() => {}) ?? Promise.resolve(),
    abort,
    reset() {
      abort()
      breaker = closedBreaker()
      isTripped = false
      notBefore = 0
      openings = 0
      lastError = null
    },
  }
}

/** The typed error for what has to wait for the network. */
export const offline = (): AuthError =>
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
