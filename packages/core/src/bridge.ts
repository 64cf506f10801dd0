import { Observable } from 'rxjs'
import { abortable, aborted, within } from './abort.ts'
import type { StoreAdapter } from './adapter.ts'
import {
  createCleanup,
  createSteps,
  type Cleanup,
  type CleanupReport,
  type CleanupTask,
} from './cleanup.ts'
import { createClock, type Clock } from './clock.ts'
import { resolveConfig, type BridgeConfig, type ResolvedConfig } from './config.ts'
import { captureEnvironment, type Environment } from './environment.ts'
import { AuthError, isAuthError } from './errors.ts'
import { watchFlag, type FlagWatcher } from './flags/watch-flag.ts'
import { createIntake, type Answer, type Intake } from './intake.ts'
import { createListeners, type Listeners } from './listeners.ts'
import { isMissingEndpoint, modeFor } from './mode.ts'
import { claimPage } from './owner.ts'
import {
  createReader,
  type ReaderAuthority,
  type ReaderHandle,
  type ReaderOptions,
  type TokenReader,
} from './reader.ts'
import { createReaders } from './readers.ts'
import { createRefusedTokens, type RefusedTokens } from './refused-tokens.ts'
import {
  createRefresher,
  offline,
  type Refresher,
  type RefreshQuestion,
} from './rotation/refresher.ts'
import { createScheduler, type Scheduler } from './rotation/scheduler.ts'
import { syncEndpoint, type TokenSource } from './source.ts'
import {
  initialSnapshot,
  type AuthFault,
  type AuthSnapshot,
  type BridgeEvent,
  type ResetReason,
} from './state.ts'
import { createHints, type Hints } from './tabs/hints.ts'
import type { TabSignal } from './tabs/signal.ts'
import { createTabs, type Tabs } from './tabs/tabs.ts'
import type { BridgeMetrics } from './telemetry/meter.ts'
import { createTelemetry, type Telemetry } from './telemetry/telemetry.ts'
import { isUsable, type AccessToken } from './token.ts'
import { createTransactions, type Transactions } from './transaction.ts'
import { createUnauthorized, type Unauthorized } from './unauthorized.ts'
import { unavailable } from './unavailable.ts'
import { waitForToken, type TokenWait } from './wait-for-token.ts'
import { captureWebAddresses } from './web-addresses.ts'
import { createVault, type Vault } from './vault.ts'
import type { TokenPayload } from './wire.ts'

/** Why the host rotates, and for how long it waits. */
export interface RotateOptions {
  /** Goes to the source and into the event. Default `host`. */
  readonly reason?: string
  /** Ends this caller's wait, not the rotation that others may wait for. */
  readonly signal?: AbortSignal
}

/** The reason of a rotation that another tab's signal led to. */
const FROM_TAB = 'tab'

/** How long the other tabs wait for the cleanup tasks of a reset, in milliseconds: they are to be empty within a second. */
const TASKS_FIRST = 400

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
  readonly #intake: Intake
  readonly #refresher: Refresher
  readonly #scheduler: Scheduler
  readonly #refusedTokens: RefusedTokens
  readonly #unauthorized: Unauthorized
  readonly #wait: TokenWait
  readonly #cleanup: Cleanup
  readonly #telemetry: Telemetry
  readonly #tabs: Tabs | null
  readonly #hints: Hints
  readonly #source: TokenSource
  readonly #origins: readonly string[]
  readonly #authority: Omit<ReaderAuthority, 'replace' | 'refused' | 'sent'>
  readonly #readers = createReaders((remote, access) => this.#createReader(remote, access))
  readonly #self: ReaderHandle
  /** Bumped by whatever makes answers that are still under way worthless. */
  #epoch = 0
  /** Aborts when the session ends, and with it the requests that carry its token. */
  #session = new AbortController()
  /** Aborts when the bridge stops, and with it the wait for cleanups. */
  #life = new AbortController()
  /** Hears when the bridge stops: those who wait for a token. */
  readonly #stops: Listeners<AuthError>
  /** Counts what the host puts in by hand, which an answer that is still under way must not replace. */
  #writes = 0
  #replacing = 0
  #reset: Promise<CleanupReport> | null = null
  #signedOutBy: ResetReason | null = null
  /** The other tabs have not heard yet that the session ended. */
  #isResetUntold = false
  /** Cookie-only because the sync endpoint is not there, until it is. */
  #isUninitialised = false
  #isStarted = false
  #flag: FlagWatcher | null = null
  #leavePage = (): void => {}

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
    const environment = this.#environment
    const { skewBuffer, verify } = this.#config
    this.#clock = createClock(environment)
    this.#vault = createVault(this.#clock, skewBuffer)
    this.#transactions = createTransactions(initialSnapshot, environment.reportFault)
    this.#stops = createListeners<AuthError>(environment.reportFault)
    this.#cleanup = createCleanup(environment)
    this.#source = this.#config.source ?? syncEndpoint()
    this.#origins =
      this.#config.origins ?? (typeof location === 'undefined' ? [] : [location.origin])
    this.#intake = createIntake({ clock: this.#clock, skewBuffer, verify, environment })
    this.#refusedTokens = createRefusedTokens(environment.monotonic)
    this.#refresher = createRefresher(this.#config.refresh, environment, {
      attempt: (question, signal) => this.#ask(question, signal),
      onSuccess: (answer, outcome) => this.#accept(answer, outcome),
      onFailure: (error, timed) =>
        this.#publish({ type: 'rotation-failed', error: fault(error), ...timed }),
      onOpen: (error, timed) => {
        this.#doWithout(error)
        this.#publish({ type: 'maintenance-entered', error: fault(error), ...timed })
      },
      onClose: () => this.#publish({ type: 'maintenance-left' }),
    })
    this.#authority = {
      allows: (origin) => this.#allows(origin),
      current: () => this.#vault.current(),
      ready: (signal) => this.#ready(signal),
      sessionSignal: () => this.#session.signal,
      fetch: environment.fetch,
      addresses: captureWebAddresses(),
      baseUrl: () => environment.baseUrl(),
      snapshot: () => this.snapshot,
      isUsable: (token) => this.validateToken(token),
      onEvent: (listener) => this.#transactions.readers.add(listener),
      environment,
    }
    this.#scheduler = createScheduler({
      environment,
      clock: this.#clock,
      vault: this.#vault,
      refresher: this.#refresher,
      skewBuffer,
      leadTime: this.#config.leadTime,
      jitter: this.#config.jitter,
      isIdle: () => this.#isOff() || this.snapshot.status === 'signed-out',
      onExpired: (generation) => this.#publish({ type: 'token-expired', generation }),
      onRestored: () => this.#forget(),
    })
    this.#unauthorized = createUnauthorized({
      vault: this.#vault,
      refresher: this.#refresher,
      refusedTokens: this.#refusedTokens,
      refresh: () => this.#scheduler.refresh('unauthorized'),
      publish: (event) => this.#publish(event),
    })
    this.#wait = {
      vault: this.#vault,
      changes: this.#transactions.readers,
      whyNot: () => this.#whyNot(),
      stops: this.#stops,
    }
    this.#self = this.#createReader('host', 'token')
    this.#telemetry = createTelemetry(this.#config.telemetry, environment, {
      publish: (event) => this.#publish(event),
      subscribers: () => this.#self.subscribers + this.#readers.subscribers,
      joinedCalls: () => this.#refresher.joined,
      duplicateCalls: () => this.#intake.duplicateCalls,
    })
    this.#hints = createHints(environment, {
      isNews: (signal) => this.#isNews(signal),
      confirm: () => this.#scheduler.confirm(FROM_TAB),
      recheckFlag: () => this.#flag?.recheck(),
    })
    const { tabs } = this.#config
    this.#tabs = tabs && createTabs(tabs, environment, { onSignal: this.#hints.follow })
    this.#transactions.events.add((event) => this.#tell(event))
    this.#transactions.events.add((event) => this.#telemetry.record(event))
    this.snapshot$ = new Observable((subscriber) =>
      this.#self.reader.snapshot$.subscribe(subscriber),
    )
    this.events$ = new Observable((subscriber) =>
      this.#transactions.events.add((event) => subscriber.next(event)),
    )
  }

  /**
   * Hydrates from the source and keeps the token current from now on. Starting twice changes nothing.
   *
   * @throws AuthError `ERR_SECOND_COPY` when another copy of the package runs a bridge in this page.
   */
  start(): this {
    if (this.#isStarted) return this
    this.#leavePage = claimPage(this.#environment.realm)
    this.#isStarted = true
    this.#telemetry.start()
    this.#tabs?.start()
    const flag = watchFlag(
      this.#config.enabled,
      {
        onValue: (enabled) => {
          this.#switch(enabled)
          // Not before the switch has spoken: a bridge that is off asks the sync endpoint nothing.
          if (this.#isStarted) this.#scheduler.start()
          this.#scheduler.wake()
        },
        onFailure: () => this.#publish({ type: 'flag-failed' }),
      },
      this.#environment,
    )
    // Who was told of a change of mode may have stopped the bridge.
    if (this.#isStarted) this.#flag = flag
    else flag.stop()
    return this
  }

  /**
   * Ends timers, listeners, channels, waits and the rotation under way. The token stays readable until it expires;
   * `reset()` wipes it.
   */
  stop(): void {
    this.#isStarted = false
    this.#flag?.stop()
    this.#flag = null
    this.#scheduler.stop()
    this.#refresher.abort()
    this.#hints.stop()
    this.#tellReset()
    this.#tabs?.stop()
    this.#telemetry.stop()
    this.#leavePage()
    this.#stops.emit(aborted('The wait'))
    this.#life.abort()
    this.#life = new AbortController()
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
    if (this.#isOff()) throw this.#whyNot() as AuthError
    const answer = this.#intake.check(payload)
    this.#writes += 1
    if (this.#config.verify === undefined) {
      this.#commit(answer, { reason: 'host' })
      return
    }
    const epoch = this.#epoch
    const write = this.#writes
    // The latest of several wins.
    const isCurrent = (): boolean => epoch === this.#epoch && write === this.#writes
    void this.#intake.verify(answer, this.#session.signal).then(
      () => {
        if (isCurrent()) this.#commit(answer, { reason: 'host' })
      },
      (error: unknown) => {
        if (isCurrent()) this.#publish({ type: 'rotation-failed', error: fault(error) })
      },
    )
  }

  /** Replaces the token by a newer one. Callers that come while a rotation is under way share it. */
  async rotate({ reason = 'host', signal }: RotateOptions = {}): Promise<AccessToken> {
    signal?.throwIfAborted()
    if (this.#isOff()) throw this.#whyNot() as AuthError
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
   * cleanups run, and `reauthenticate` called. Resetting again while one runs, or when signed out, changes nothing here; the
   * other tabs are told once more.
   */
  reset(reason: ResetReason): Promise<CleanupReport> {
    if (this.#reset !== null) {
      if (!this.#isResetUntold && reason !== 'session-ended')
        this.#tabs?.tellTwice({ type: 'reset' })
      return this.#reset
    }
    let begin!: (report: Promise<CleanupReport>) => void
    const report = new Promise<CleanupReport>((resolve) => {
      begin = resolve
    })
    // First of all: who is told of the reset and resets once more gets this one.
    this.#reset = report
    begin(this.#end(reason, 'signed-out'))
    return report
  }

  /** Registers what a reset has to clear in the app. Returns what takes it out again. */
  onCleanup(name: string, task: CleanupTask): () => void {
    return this.#cleanup.register(name, task)
  }

  /** Connects a store: it is told of every event before any remote is. Returns what disconnects it. */
  attach(adapter: StoreAdapter): () => void {
    return this.#transactions.attach(adapter)
  }

  /**
   * Records that somebody tried what only the bridge may do, such as a forged action. For adapters.
   *
   * @param remote - whose attempt it was, where that is known.
   */
  reportViolation(kind: string, detail: string, remote?: string): void {
    this.#publish({ type: 'violation', kind, detail, ...(remote !== undefined && { remote }) })
  }

  /**
   * Records that a remote was mounted or, with a reason code, that it was not. For whoever loads remotes.
   *
   * @param failure - why it was not mounted: a short code, no message of the remote's.
   */
  reportMount(remote: string, failure?: string): void {
    this.#publish(
      failure === undefined
        ? { type: 'remote-mounted', remote }
        : { type: 'remote-mount-failed', remote, reason: failure },
    )
  }

  get snapshot(): AuthSnapshot {
    return this.#transactions.snapshot
  }

  /** Counters since the bridge was made, and gauges as of now. */
  get metrics(): BridgeMetrics {
    return this.#telemetry.metrics
  }

  #createReader(remote: string, access: 'token' | 'fetch'): ReaderHandle {
    return createReader(remote, access, {
      ...this.#authority,
      sent: (generation) => this.#telemetry.request(remote, generation, this.#vault.generation),
      refused: (generation) => this.#unauthorized.report(remote, generation),
      replace: (refused, signal) => this.#unauthorized.replace(remote, refused, signal),
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

  /** The switch is off and there is no legacy source: no token is asked for, and none is taken. */
  #isOff(): boolean {
    return this.snapshot.mode === 'cookie-only' && !this.#isUninitialised
  }

  async #ask(
    { reason, isConfirmation }: RefreshQuestion,
    signal: AbortSignal,
  ): Promise<Answer | null> {
    const isLegacy = this.snapshot.mode === 'legacy'
    const held = isConfirmation ? null : this.#vault.held()
    this.#replacing = this.#writes
    // Tabs that rotate take turns. Who has no token waits for nobody.
    const endTurn = held === null || isLegacy ? undefined : await this.#tabs?.turn(signal)
    try {
      if (!this.#environment.isOnline()) throw offline()
      return await this.#intake.ask(
        isLegacy ? (this.#config.legacy as TokenSource) : this.#source,
        {
          signal,
          reason,
          ...(held !== null && { newerThan: held.expiresAt }),
        },
      )
    } finally {
      endTurn?.()
    }
  }

  #accept(answer: Answer | null, outcome: Outcome): void {
    // The host has put a newer token in by hand meanwhile.
    if (this.#replacing !== this.#writes) return
    if (answer !== null) return this.#commit(answer, outcome)
    this.#initialise()
    void this.reset('session-ended')
  }

  #commit({ payload, sent, setsClock }: Answer, outcome: Outcome): void {
    const epoch = this.#epoch
    this.#initialise()
    this.#transactions.run(() => {
      if (epoch !== this.#epoch) return null
      this.#reset = null
      this.#signedOutBy = null
      // Asked before the clock is set: a token that is over does not come back under the number it had.
      const held = this.#vault.current()
      // Not before now: a payload that is refused leaves the clock, and with it the token that is held, where they are.
      if (setsClock) {
        this.#clock.correct(payload.serverTime, sent)
        this.#vault.retime()
      }
      const { accessToken, expiresAt } = payload
      // An endpoint that cannot refresh on demand answers with the token we have: no rotation happened.
      const isSame = held?.accessToken === accessToken && this.snapshot.expiresAt === expiresAt
      const { generation } = isSame ? held : this.#vault.put(payload)
      this.#scheduler.plan(expiresAt)
      if (isSame) return null
      // Another tab's rotation may be the answer to a 401 as well: tabs must not forgive one another without end.
      if (outcome.reason !== 'unauthorized' && outcome.reason !== FROM_TAB)
        this.#refusedTokens.forgive()
      return { type: 'token-rotated', at: this.#clock.now(), generation, expiresAt, ...outcome }
    })
  }

  /** The sync endpoint is not there, and never was: the page does with the cookie until it is. */
  #doWithout(error: AuthError): void {
    const { mode, status } = this.snapshot
    if (mode !== 'bridge' || status === 'signed-out') return
    if (this.#vault.generation > 0 || !isMissingEndpoint(error)) return
    this.#isUninitialised = true
    this.#publish({ type: 'mode-changed', mode: 'cookie-only', status: 'ready' })
  }

  #initialise(): void {
    if (!this.#isUninitialised) return
    this.#isUninitialised = false
    // Who is signed out stays so: what came back is the endpoint.
    const status = this.#signedOutBy === null ? 'loading' : 'signed-out'
    this.#publish({ type: 'mode-changed', mode: 'bridge', status })
  }

  /** The page was away in the back/forward cache, and the session may have ended: the server is asked before anybody reads. */
  #forget(): void {
    this.#flag?.recheck()
    // An answer that waited in the frozen page speaks of the session as it was.
    this.#epoch += 1
    this.#refresher.abort()
    if (this.#vault.held() === null) return
    this.#vault.wipe()
    this.#publish({ type: 'page-restored' })
  }

  /** Another tab says so, or any script of the origin: a reason to ask, and nothing more. */
  #isNews(signal: TabSignal): boolean {
    if (signal.type === 'mode') return true
    if (this.#isOff()) return false
    const held = this.#vault.held()
    if (signal.type === 'reset') return held !== null || this.#refresher.busy
    return held === null ? this.#signedOutBy === 'session-ended' : signal.expiresAt > held.expiresAt
  }

  /** Tells the other tabs; not of what one of them has just told. A reset tells them in its own order. */
  #tell(event: BridgeEvent): void {
    if (event.type === 'token-rotated' && event.reason !== FROM_TAB)
      this.#tabs?.tell({ type: 'rotated', expiresAt: event.expiresAt })
    if (event.type === 'mode-changed') this.#tabs?.tell({ type: 'mode' })
  }

  #whyNot(): AuthError | null {
    return unavailable(this.snapshot, this.#refresher.notBefore - this.#environment.monotonic())
  }

  #ready(signal: AbortSignal | undefined): Promise<AccessToken> {
    signal?.throwIfAborted()
    this.#scheduler.wake()
    return waitForToken(this.#wait, signal)
  }

  /** The kill switch has a value. A change of mode ends what the old mode held, then the new mode hydrates. */
  #switch(enabled: boolean): void {
    const mode = modeFor(enabled, this.#config.legacy !== undefined)
    if (mode === this.snapshot.mode && !this.#isUninitialised) return
    this.#isUninitialised = false
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
  }

  #tellReset(): void {
    if (!this.#isResetUntold) return
    this.#isResetUntold = false
    // What the server has said is so. What a page has said may be ahead of the server.
    if (this.#signedOutBy === 'session-ended') this.#tabs?.tell({ type: 'reset' })
    else this.#tabs?.tellTwice({ type: 'reset' })
  }

  async #end(reason: ResetReason, status: 'signed-out' | 'loading'): Promise<CleanupReport> {
    this.#epoch += 1
    if (status === 'signed-out') {
      this.#signedOutBy = reason
      this.#isResetUntold = true
    }
    const environment = this.#environment
    const life = this.#life.signal
    const { steps, step } = createSteps(environment)
    const release = this.#transactions.hold()
    step('abort', () => {
      // The breaker guards rotation, not the sign-in that comes next.
      this.#refresher.reset()
      this.#hints.stop()
      // A change of mode lets requests that are on their way finish: their token is still good.
      if (status === 'loading') return
      this.#session.abort(aborted('The request'))
      this.#session = new AbortController()
    })
    step('wipe', () => this.#vault.wipe())
    step('tell', () => this.#publish({ type: 'auth-reset', reason, status }))
    // Asked for by somebody who was being told of something else: stores hear of it when that is over.
    if (this.#transactions.isRunning) await Promise.resolve()
    const cleanup = this.#cleanup.run(reason, life)
    // Other tabs do not wait for a task that hangs in this one, but hear of it again: it may be what ends the server's session.
    const isInTime =
      this.#cleanup.size === 0 ||
      (await within(cleanup, TASKS_FIRST, life, environment)) !== undefined
    const told = createSteps(environment)
    told.step('tabs', () => this.#tellReset())
    told.step('telemetry', release)
    steps.push(...(await cleanup), ...told.steps)
    // Who has signed in again while the tasks ran is not sent to do so once more.
    if (status === 'signed-out' && this.#signedOutBy !== null) {
      if (!isInTime) this.#tabs?.tellTwice({ type: 'reset' })
      step('reauthenticate', () => this.#config.reauthenticate?.(reason))
    }
    const report = Object.freeze({ reason, steps: Object.freeze(steps) })
    // Not for stores and remotes: to them the reset was over when they were told.
    this.#telemetry.record(
      Object.freeze({ type: 'reset-finished', at: this.#clock.now(), ...report }),
    )
    return report
  }
}

/** What is said of a token that came in. */
interface Outcome {
  readonly reason: string
  readonly duration?: number
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
