import { Observable } from 'rxjs'
import { abortable, aborted } from './abort.ts'
import type { StoreAdapter } from './adapter.ts'
import {
  createCleanup,
  createSteps,
  type Cleanup,
  type CleanupReport,
  type CleanupTask,
} from './cleanup.ts'
import { createClock, type Clock, type ClockMark } from './clock.ts'
import { resolveConfig, type BridgeConfig, type ResolvedConfig } from './config.ts'
import { captureEnvironment, type Environment } from './environment.ts'
import { AuthError, isAuthError } from './errors.ts'
import { watchFlag } from './flags/watch-flag.ts'
import { modeFor } from './mode.ts'
import {
  createReader,
  type ReaderAuthority,
  type ReaderHandle,
  type ReaderOptions,
  type TokenReader,
} from './reader.ts'
import { createReaders } from './readers.ts'
import { createRefresher, type Refresher } from './rotation/refresher.ts'
import { createScheduler, type Scheduler } from './rotation/scheduler.ts'
import { syncEndpoint, type TokenSource } from './source.ts'
import {
  initialSnapshot,
  type AuthFault,
  type AuthSnapshot,
  type BridgeEvent,
  type ResetReason,
} from './state.ts'
import { logLine } from './telemetry/log-line.ts'
import { assertUsable, isUsable, type AccessToken } from './token.ts'
import { createTransactions, type Transactions } from './transaction.ts'
import { unavailable } from './unavailable.ts'
import { captureWebAddresses } from './web-addresses.ts'
import { createVault, type Vault } from './vault.ts'
import type { TokenPayload } from './wire.ts'

export interface RotateOptions {
  /** Goes to the source and into the event. Default `host`. */
  readonly reason?: string
  /** Ends this caller's wait, not the rotation that others may wait for. */
  readonly signal?: AbortSignal
}

/** Counters since the bridge was made. */
export interface BridgeMetrics {
  readonly rotations: number
  /** Calls that were answered by a rotation that was already under way. */
  readonly joinedCalls: number
  /** Source calls that were made while another one was still running. 0 unless a source ignores its signal. */
  readonly duplicateCalls: number
  readonly unauthorized: number
  readonly violations: number
}

/** A rotation that a 401 asked for is followed by no other such rotation for this long, in milliseconds. */
const UNAUTHORIZED_FLOOR = 10_000

/**
 * The host's authority: the only writer. Keep it in the host; give each remote its {@link SecureTokenBridge.reader}.
 *
 * @example
 * const bridge = createTokenBridge({ origins: ['https://api.example.com'] })
 * mount(element, { auth: bridge.reader('orders') })
 */
export class SecureTokenBridge {
  readonly #config: ResolvedConfig
  readonly #environment: Environment
  readonly #clock: Clock
  readonly #vault: Vault
  readonly #transactions: Transactions
  readonly #refresher: Refresher
  readonly #scheduler: Scheduler
  readonly #cleanup: Cleanup
  readonly #source: TokenSource
  readonly #origins: readonly string[]
  readonly #authority: Omit<ReaderAuthority, 'replace'>
  readonly #readers = createReaders((remote, access) => this.#createReader(remote, access))
  readonly #self: ReaderHandle
  readonly #counts = { rotations: 0, duplicateCalls: 0, unauthorized: 0, violations: 0 }
  /** Bumped by whatever makes answers that are still under way worthless. */
  #epoch = 0
  #session = new AbortController()
  #sourceCalls = 0
  /** Counts what the host puts in by hand, which an answer that is still under way must not replace. */
  #writes = 0
  #replacing = 0
  #loggedDuplicates = 0
  #unauthorizedAt = Number.NEGATIVE_INFINITY
  #reset: Promise<CleanupReport> | null = null
  #signedOutBy: ResetReason | null = null
  #isStarted = false
  #unwatchFlag: (() => void) | null = null

  /** Replays the snapshot, then emits each change. */
  readonly snapshot$: Observable<AuthSnapshot>
  /** Everything that happens, token-free, after remotes were told. */
  readonly events$: Observable<BridgeEvent>

  /** @throws AuthError `ERR_CONFIG`, which names the field and the fix. */
  constructor(config: BridgeConfig = {}) {
    this.#config = resolveConfig(config)
    this.#environment = captureEnvironment({
      ...config.environment,
      ...(config.fetch && { fetch: config.fetch }),
    })
    this.#clock = createClock(this.#environment)
    this.#vault = createVault(this.#clock, this.#config.skewBuffer)
    this.#transactions = createTransactions(initialSnapshot, this.#environment.reportFault)
    this.#cleanup = createCleanup(this.#environment)
    this.#source = this.#config.source ?? syncEndpoint()
    this.#origins =
      this.#config.origins ?? (typeof location === 'undefined' ? [] : [location.origin])
    this.#refresher = createRefresher(this.#config.refresh, this.#environment, {
      attempt: (reason, signal) => this.#askSource(reason, signal),
      onSuccess: (answer, reason) => this.#accept(answer, reason),
      onFailure: (error) => this.#publish({ type: 'rotation-failed', error: fault(error) }),
      onOpen: (error) => this.#publish({ type: 'maintenance-entered', error: fault(error) }),
      onClose: () => this.#publish({ type: 'maintenance-left' }),
    })
    this.#authority = {
      allows: (origin) => this.#allows(origin),
      current: () => this.#vault.current(),
      ready: (signal) => this.#ready(signal),
      sessionSignal: () => this.#session.signal,
      fetch: this.#environment.fetch,
      addresses: captureWebAddresses(),
      baseUrl: () => this.#environment.baseUrl(),
      snapshot: () => this.snapshot,
      isUsable: (token) => this.validateToken(token),
      onEvent: (listener) => this.#transactions.readers.add(listener),
      environment: this.#environment,
    }
    this.#scheduler = createScheduler({
      environment: this.#environment,
      clock: this.#clock,
      vault: this.#vault,
      refresher: this.#refresher,
      skewBuffer: this.#config.skewBuffer,
      leadTime: this.#config.leadTime,
      jitter: this.#config.jitter,
      isIdle: () => this.snapshot.mode === 'cookie-only' || this.snapshot.status === 'signed-out',
      onExpired: (generation) => this.#publish({ type: 'token-expired', generation }),
    })
    this.#self = this.#createReader('host', 'token')
    this.#transactions.events.add((event) => this.#log(event))
    this.snapshot$ = new Observable((subscriber) =>
      this.#self.reader.snapshot$.subscribe(subscriber),
    )
    this.events$ = new Observable((subscriber) =>
      this.#transactions.events.add((event) => subscriber.next(event)),
    )
  }

  /** Hydrates from the source and keeps the token current from now on. Starting twice changes nothing. */
  start(): this {
    if (this.#isStarted) return this
    this.#isStarted = true
    const unwatchFlag = watchFlag(
      this.#config.enabled,
      {
        onValue: (enabled) => this.#switchMode(enabled),
        onFailure: () => this.#publish({ type: 'flag-failed' }),
      },
      this.#environment,
    )
    // Who was told of a change of mode may have stopped the bridge.
    if (!this.#isStarted) {
      unwatchFlag()
      return this
    }
    this.#unwatchFlag = unwatchFlag
    // After the switch has had its say, so that a bridge that is off asks the sync endpoint nothing.
    this.#scheduler.start()
    this.#scheduler.wake()
    return this
  }

  /** Ends timers, listeners and the rotation under way. The token stays readable until it expires; `reset()` wipes it. */
  stop(): void {
    this.#isStarted = false
    this.#unwatchFlag?.()
    this.#unwatchFlag = null
    this.#scheduler.stop()
    this.#refresher.abort()
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  /**
   * The reader of a remote; the same name gets the same reader until it is revoked.
   *
   * @throws AuthError `ERR_CONFIG` for a name that is not a string, or when the remote has a reader of another access.
   */
  reader(remote: string, options?: ReaderOptions): TokenReader {
    return this.#readers.get(remote, options)
  }

  /** Cuts a remote off: from now on its reader has no token and its streams have ended with an error. */
  revoke(remote: string): void {
    if (this.#readers.revoke(remote)) this.#publish({ type: 'reader-revoked', remote })
  }

  /** Replays the current valid token, then emits each rotation. For the host; remotes have their reader's. */
  getToken(): Observable<AccessToken> {
    return new Observable((subscriber) => this.#self.reader.getToken().subscribe(subscriber))
  }

  /** Whether a token outlives the skew buffer, by the server's clock. */
  validateToken(token: TokenPayload | AccessToken | null | undefined): boolean {
    return isUsable(token, this.#clock.now(), this.#config.skewBuffer)
  }

  /**
   * Puts a token in by hand; `null` signs out.
   *
   * With `verify` configured the token enters when the verifier has let it pass; a refusal then shows in `events$`.
   *
   * @throws TokenRejectedError when the payload is malformed, expired, or ends inside the skew buffer. What was valid stays.
   */
  updateToken(payload: TokenPayload | null): void {
    if (payload === null) {
      void this.reset('sign-out')
      return
    }
    if (this.snapshot.mode === 'cookie-only') throw this.#whyNot() as AuthError
    const sent = this.#clock.mark()
    // The payload may come from a cache: its server time can only set the clock forward.
    const now = Math.max(this.#clock.now(), this.#clock.candidate(payload?.serverTime, sent))
    assertUsable(payload, now, this.#config.skewBuffer)
    const answer: Answer = { payload, sent, setsClock: now > this.#clock.now() }
    this.#writes += 1
    if (this.#config.verify === undefined) {
      this.#commit(answer, 'host')
      return
    }
    const epoch = this.#epoch
    const write = this.#writes
    // The latest of several wins.
    const isCurrent = (): boolean => epoch === this.#epoch && write === this.#writes
    void this.#verify(payload, now, this.#session.signal).then(
      () => {
        if (isCurrent()) this.#commit(answer, 'host')
      },
      (error: unknown) => {
        if (isCurrent()) this.#publish({ type: 'rotation-failed', error: fault(error) })
      },
    )
  }

  /** Replaces the token by a newer one. Callers that come while a rotation is under way share it. */
  async rotate({ reason = 'host', signal }: RotateOptions = {}): Promise<AccessToken> {
    signal?.throwIfAborted()
    if (this.snapshot.mode === 'cookie-only') throw this.#whyNot() as AuthError
    await abortable(this.#scheduler.refresh(reason), signal)
    const token = this.#vault.current()
    if (token !== null) return token
    throw (
      this.#whyNot() ??
      new AuthError('ERR_TOKEN_EXPIRED', 'The rotation brought no token that is still valid.', {
        phase: 'sync',
        retryable: true,
      })
    )
  }

  /**
   * Ends the session in this page: what is under way is aborted, the token wiped, stores and remotes told, the registered
   * cleanups run, and `reauthenticate` called. Resetting again while one runs, or when signed out, changes nothing.
   */
  reset(reason: ResetReason): Promise<CleanupReport> {
    if (this.#reset === null) this.#reset = this.#end(reason, 'signed-out')
    return this.#reset
  }

  /** Registers what a reset has to clear in the app. Returns what takes it out again. */
  onCleanup(name: string, task: CleanupTask): () => void {
    return this.#cleanup.register(name, task)
  }

  /** Connects a store: it is told of every event before any remote is. Returns what disconnects it. */
  attach(adapter: StoreAdapter): () => void {
    return this.#transactions.attach(adapter)
  }

  /** Records that somebody tried what only the bridge may do, such as a forged action. For adapters. */
  reportViolation(kind: string, detail: string): void {
    this.#counts.violations += 1
    this.#publish({ type: 'violation', kind, detail })
  }

  get snapshot(): AuthSnapshot {
    return this.#transactions.snapshot
  }

  get metrics(): BridgeMetrics {
    return Object.freeze({ ...this.#counts, joinedCalls: this.#refresher.joined })
  }

  #log(event: BridgeEvent): void {
    const { logger } = this.#config
    if (logger === undefined) return
    const { duplicateCalls } = this.#counts
    const entry = logLine(event, {
      subscribers: this.#self.subscribers + this.#readers.subscribers,
      duplicateCalls: duplicateCalls - this.#loggedDuplicates,
    })
    if (event.type === 'token-rotated') this.#loggedDuplicates = duplicateCalls
    if (entry !== null) logger[entry.level](entry.line)
  }

  #createReader(remote: string, access: 'token' | 'fetch'): ReaderHandle {
    return createReader(remote, access, {
      ...this.#authority,
      replace: (refused, signal) => this.#replace(remote, refused, signal),
    })
  }

  /** By comparison alone: a remote that patches `Set.prototype.has` or `Array.prototype.includes` must not be asked. */
  #allows(origin: string): boolean {
    for (let index = 0; index < this.#origins.length; index += 1) {
      if (this.#origins[index] === origin) return true
    }
    return false
  }

  #publish(event: WithoutTime<BridgeEvent>): void {
    this.#transactions.run(() => ({ ...event, at: this.#clock.now() }))
  }

  async #askSource(reason: string, signal: AbortSignal): Promise<Answer | null> {
    const source =
      this.snapshot.mode === 'legacy' ? (this.#config.legacy as TokenSource) : this.#source
    const held = this.#vault.held()
    const { fetch } = this.#environment
    const sent = this.#clock.mark()
    this.#replacing = this.#writes
    this.#sourceCalls += 1
    if (this.#sourceCalls > 1) this.#counts.duplicateCalls += 1
    let payload: TokenPayload | null
    try {
      payload = await source({
        signal,
        reason,
        fetch,
        ...(held !== null && { newerThan: held.expiresAt }),
      })
    } finally {
      this.#sourceCalls -= 1
    }
    signal.throwIfAborted()
    if (payload === null) return null
    const now = this.#clock.candidate(payload?.serverTime, sent)
    assertUsable(payload, now, this.#config.skewBuffer)
    await this.#verify(payload, now, signal)
    return { payload, sent, setsClock: true }
  }

  #correctClock(payload: TokenPayload, sent: ClockMark): void {
    if (payload.serverTime === undefined) return
    this.#clock.correct(payload.serverTime, sent)
    this.#vault.retime()
  }

  async #verify(payload: TokenPayload, now: number, signal: AbortSignal): Promise<void> {
    await this.#config.verify?.(payload, { signal, now })
  }

  #accept(answer: Answer | null, reason: string): void {
    // The host has put a newer token in by hand meanwhile.
    if (this.#replacing !== this.#writes) return
    if (answer === null) void this.reset('session-ended')
    else this.#commit(answer, reason)
  }

  #commit({ payload, sent, setsClock }: Answer, reason: string): void {
    const epoch = this.#epoch
    this.#transactions.run(() => {
      if (epoch !== this.#epoch) return null
      this.#reset = null
      this.#signedOutBy = null
      // Not before now: a payload that is refused leaves the clock, and with it the token that is held, where they are.
      if (setsClock) this.#correctClock(payload, sent)
      const held = this.#vault.held()
      const { accessToken, expiresAt } = payload
      // An endpoint that cannot refresh on demand answers with the token we have: no rotation happened.
      const isSame = held?.accessToken === accessToken && this.snapshot.expiresAt === expiresAt
      const { generation } = isSame ? held : this.#vault.put(payload)
      this.#scheduler.plan(expiresAt)
      if (isSame) return null
      this.#counts.rotations += 1
      return {
        type: 'token-rotated',
        at: this.#clock.now(),
        generation,
        expiresAt,
        reason,
      }
    })
  }

  #whyNot(): AuthError | null {
    return unavailable(this.snapshot, this.#refresher.notBefore - this.#environment.monotonic())
  }

  #ready(signal: AbortSignal | undefined): Promise<AccessToken> {
    signal?.throwIfAborted()
    this.#scheduler.wake()
    let leave = (): void => {}
    const settled = new Promise<AccessToken>((resolve, reject) => {
      const look = (): void => {
        const token = this.#vault.current()
        const reason = token === null ? this.#whyNot() : null
        if (token !== null) resolve(token)
        else if (reason !== null) reject(reason)
      }
      leave = this.#transactions.readers.add(look)
      look()
    })
    return (
      abortable(settled, signal)
        .finally(leave)
        // A reset may have come between the token and whoever waited for it.
        .then((token) => (this.#vault.held() === token ? token : this.#ready(signal)))
    )
  }

  /** A remote reports a 401: at most one rotation comes of it, however many report, and however often. */
  async #replace(
    remote: string,
    refused: AccessToken,
    signal: AbortSignal | undefined,
  ): Promise<AccessToken | null> {
    this.#counts.unauthorized += 1
    this.#publish({ type: 'unauthorized', remote, generation: refused.generation })
    const held = this.#vault.held()
    // The session of that token is over, or the kill switch was thrown: its 401 must not begin a new one.
    if (held === null) return null
    if (held === refused && !this.#refresher.busy) {
      const now = this.#environment.monotonic()
      if (now - this.#unauthorizedAt < UNAUTHORIZED_FLOOR) return null
      this.#unauthorizedAt = now
    }
    if (held === refused) {
      await abortable(this.#scheduler.refresh('unauthorized'), signal).catch(() =>
        signal?.throwIfAborted(),
      )
    }
    const token = this.#vault.current()
    return token !== null && token.generation > refused.generation ? token : null
  }

  /** The kill switch has a value. A change of mode ends what the old mode held, then the new mode hydrates. */
  #switchMode(enabled: boolean): void {
    const mode = modeFor(enabled, this.#config.legacy !== undefined)
    if (mode === this.snapshot.mode) return
    if (this.#vault.held() !== null || this.#refresher.busy)
      void this.#end('mode-change', 'loading')
    this.#epoch += 1
    this.#refresher.reset()
    // A source that knows no session may be the very reason for the switch, so the next one is asked. Who signed out by
    // hand stays signed out.
    const staysOut = this.#signedOutBy !== null && this.#signedOutBy !== 'session-ended'
    if (!staysOut) this.#reset = null
    const settled = mode === 'cookie-only' ? 'ready' : 'loading'
    this.#publish({ type: 'mode-changed', mode, status: staysOut ? 'signed-out' : settled })
    this.#scheduler.wake()
  }

  async #end(reason: ResetReason, status: 'signed-out' | 'loading'): Promise<CleanupReport> {
    this.#epoch += 1
    if (status === 'signed-out') this.#signedOutBy = reason
    const { steps, step } = createSteps(this.#environment)
    step('abort', () => {
      // The breaker guards rotation, not the sign-in that comes next.
      this.#refresher.reset()
      // A change of mode lets requests that are on their way finish: their token is still good.
      if (status === 'loading') return
      this.#session.abort(aborted('The request'))
      this.#session = new AbortController()
    })
    step('wipe', () => this.#vault.wipe())
    step('tell', () => this.#publish({ type: 'auth-reset', reason, status }))
    steps.push(...(await this.#cleanup.run(reason)))
    if (status === 'signed-out') step('reauthenticate', () => this.#config.reauthenticate?.(reason))
    return Object.freeze({ reason, steps: Object.freeze(steps) })
  }
}

/** What a source brought, and the moment at which it was asked. */
interface Answer {
  readonly payload: TokenPayload
  readonly sent: ClockMark
  /** Its server time may set the clock. */
  readonly setsClock: boolean
}

type WithoutTime<Event> = Event extends BridgeEvent ? Omit<Event, 'at'> : never

const fault = (error: unknown): AuthFault =>
  Object.freeze(
    isAuthError(error)
      ? { code: error.code, message: error.message }
      : { code: 'ERR_TOKEN_SIGNATURE', message: 'The verifier refused the token.' },
  )

/** Makes a bridge and, in a browser, starts it. */
export function createTokenBridge(config?: BridgeConfig): SecureTokenBridge {
  const bridge = new SecureTokenBridge(config)
  return typeof window === 'undefined' ? bridge : bridge.start()
}
