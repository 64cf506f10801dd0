import {
  AuthError,
  isAuthError,
  type TokenPayload,
  type TokenRequest,
  type TokenSource,
} from '@token-bridge/core'

/** What the authority issues, and by which clock. */
export interface FakeAuthorityOptions {
  /** Milliseconds that a token lives. Default 300 000. */
  readonly lifetime?: number
  /**
   * Milliseconds that a token must have left to be answered a second time to a page that holds none. Default 60 000, the
   * skew buffer of the bridge.
   */
  readonly renewBefore?: number
  /** The authority's clock, epoch milliseconds. Default: the wall clock, faked or not. */
  readonly now?: () => number
  /** Default `true`. */
  readonly signedIn?: boolean
  /** What tokens begin with, so that those of two authorities differ. Default `fake-token`. */
  readonly prefix?: string
}

/** How the authority fails. */
export interface FailOptions {
  /** Milliseconds that the authority asks to wait. Default 1 000 for the statuses 429 and 503, otherwise none. */
  readonly retryAfter?: number
  /** How many calls fail. Default: all until {@link FakeAuthority.recover}. */
  readonly times?: number
}

/** What a call that is held does when it is aborted. */
export interface HoldOptions {
  /**
   * Default `false`: a call whose signal aborts rejects at once, as `fetch` does. `true`: the answer comes late all the
   * same, which is how to show that a bridge drops it.
   */
  readonly ignoreAbort?: boolean
}

/** Calls that have been asked and not yet answered. */
export interface HeldAnswers {
  /** How many wait at this moment. */
  readonly waiting: number
  /** Answers those that wait, and holds no further ones. */
  release(): void
}

/** What one call asked for. */
export type RecordedRequest = Pick<TokenRequest, 'reason' | 'newerThan'>

/** A session and the authority that issues its tokens, in memory. */
export interface FakeAuthority {
  /** For `createTokenBridge({ source })`. */
  readonly source: TokenSource
  /** How often the authority was asked, whatever it answered. */
  readonly calls: number
  /** What each call asked for. */
  readonly requests: readonly RecordedRequest[]
  /** Every token that was issued, oldest first: how often the session was refreshed, and what must not leak. */
  readonly issued: readonly string[]
  readonly signedIn: boolean
  signIn(): void
  /** From now on the answer is `null`: nobody is signed in. */
  signOut(): void
  /**
   * From now on calls fail: with this error, or with the `ERR_SYNC_STATUS` that the sync endpoint makes of this status.
   *
   * @throws TypeError for what is neither, and for 401, which is no failure: use `signOut()`.
   */
  fail(problem: AuthError | number, options?: FailOptions): void
  /** Ends {@link FakeAuthority.fail}. */
  recover(): void
  /**
   * From now on answers wait until they are released. What they will be is decided when the call comes: a sign-out while
   * it waits does not change it. Holding again is independent of before, so answers can be let go in any order.
   */
  hold(options?: HoldOptions): HeldAnswers
  /** Answers one call with exactly this, valid or not, before anything else is considered. Further ones queue up. */
  answerOnce(payload: unknown): void
}

type Outcome = { readonly payload: TokenPayload | null } | { readonly error: AuthError }

/**
 * Makes a fake authority. It answers as the sync endpoint has to: the token that it holds as long as that will do, a new
 * one when the caller has it already (`newerThan`), `null` when nobody is signed in.
 *
 * @throws TypeError for a `lifetime` that is not a positive number of milliseconds.
 * @example
 * const authority = createFakeAuthority({ now: () => time })
 * const bridge = new SecureTokenBridge({ source: authority.source })
 * await bridge.rotate()
 * authority.signOut()
 */
export function createFakeAuthority(options: FakeAuthorityOptions = {}): FakeAuthority {
  const { lifetime = 300_000, renewBefore = 60_000, prefix = 'fake-token' } = options
  const now = options.now ?? (() => Date.now())
  if (!Number.isFinite(lifetime) || lifetime <= 0)
    throw new TypeError(
      'createFakeAuthority: `lifetime` must be a positive number of milliseconds.',
    )

  const requests: RecordedRequest[] = []
  const issued: string[] = []
  const planned: unknown[] = []
  let signedIn = options.signedIn ?? true
  let held: TokenPayload | null = null
  let failure: { readonly error: AuthError; left: number } | null = null
  let gate: Gate | null = null

  function issue(newerThan: number): TokenPayload {
    const accessToken = `${prefix}-${issued.length + 1}`
    issued.push(accessToken)
    // Later than what the caller has even while the clock stands still: the wire contract promises it.
    held = { accessToken, expiresAt: Math.max(now() + lifetime, newerThan + 1) }
    return held
  }

  function decide(newerThan: number | undefined): Outcome {
    if (planned.length > 0) return { payload: planned.shift() as TokenPayload | null }
    if (failure !== null) {
      const { error } = failure
      failure.left -= 1
      if (failure.left <= 0) failure = null
      return { error }
    }
    if (!signedIn) return { payload: null }
    const isEnough =
      held !== null &&
      held.expiresAt > now() + (newerThan === undefined ? renewBefore : 0) &&
      held.expiresAt > (newerThan ?? 0)
    const token = isEnough && held !== null ? held : issue(newerThan ?? 0)
    return { payload: { ...token, serverTime: now() } }
  }

  return Object.freeze({
    async source({ reason, newerThan, signal }: TokenRequest) {
      requests.push(Object.freeze({ reason, ...(newerThan !== undefined && { newerThan }) }))
      signal.throwIfAborted()
      const outcome = decide(newerThan)
      if (gate !== null) await gate.pass(signal)
      if ('error' in outcome) throw outcome.error
      return outcome.payload
    },
    get calls() {
      return requests.length
    },
    get requests() {
      return [...requests]
    },
    get issued() {
      return [...issued]
    },
    get signedIn() {
      return signedIn
    },
    signIn() {
      signedIn = true
    },
    signOut() {
      signedIn = false
      held = null
    },
    fail(problem: AuthError | number, { retryAfter, times }: FailOptions = {}) {
      failure = { error: failureOf(problem, retryAfter), left: times ?? Number.POSITIVE_INFINITY }
    },
    recover() {
      failure = null
    },
    hold({ ignoreAbort = false }: HoldOptions = {}) {
      const mine = createGate(ignoreAbort)
      gate = mine
      return Object.freeze({
        get waiting() {
          return mine.waiting
        },
        release() {
          if (gate === mine) gate = null
          mine.open()
        },
      })
    },
    answerOnce(payload: unknown) {
      planned.push(payload)
    },
  })
}

function failureOf(problem: AuthError | number, retryAfter: number | undefined): AuthError {
  if (isAuthError(problem)) return problem
  if (!Number.isInteger(problem) || problem < 400 || problem > 599 || problem === 401)
    throw new TypeError(
      'authority.fail() needs an AuthError or a status from 400 to 599 other than 401; for 401 use authority.signOut().',
    )
  const wait = retryAfter ?? (problem === 429 || problem === 503 ? 1_000 : undefined)
  return new AuthError('ERR_SYNC_STATUS', `The fake authority answered ${problem}.`, {
    phase: 'sync',
    retryable: true,
    status: problem,
    ...(wait !== undefined && { retryAfter: wait }),
  })
}

interface Gate {
  readonly waiting: number
  pass(signal: AbortSignal): Promise<void>
  open(): void
}

function createGate(ignoreAbort: boolean): Gate {
  const waiting = new Set<() => void>()
  return {
    get waiting() {
      return waiting.size
    },
    pass: (signal) =>
      new Promise((resolve, reject) => {
        waiting.add(resolve)
        if (ignoreAbort) return
        signal.addEventListener(
          'abort',
          () => {
            if (waiting.delete(resolve)) reject(signal.reason as Error)
          },
          { once: true },
        )
      }),
    open() {
      for (const resolve of waiting) resolve()
      waiting.clear()
    },
  }
}
