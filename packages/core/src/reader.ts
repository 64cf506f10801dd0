import { abortable } from './abort.ts'
import { authorizedFetch, type RequestAuthority } from './authorized-fetch.ts'
import type { Environment } from './environment.ts'
import { AuthError } from './errors.ts'
import { interopObservable, type InteropObservable } from './interop-observable.ts'
import { createListeners } from './listeners.ts'
import { timerDelay } from './rotation/schedule.ts'
import type { AuthSnapshot, BridgeEvent } from './state.ts'
import type { AccessToken } from './token.ts'
import type { TokenPayload } from './wire.ts'

/** What a remote is given. */
export interface ReaderOptions {
  /** Default `token`. With `fetch` the remote never sees the token; it has {@link TokenReader.fetch} only. */
  readonly access?: 'token' | 'fetch'
}

/** How long a caller waits for a token. */
export interface ReadyOptions {
  readonly signal?: AbortSignal
  /** Milliseconds to wait at most. Default: until there is a token or a reason why there will be none. */
  readonly timeout?: number
}

/** What a remote holds: frozen, without a prototype, revocable, and with no way back to the host. */
export interface TokenReader {
  readonly remote: string
  /** Replays the current valid token, then delivers each rotation. Ends with an error when the reader is revoked. */
  getToken(): InteropObservable<AccessToken>
  /** The token when it is valid now, else `null`. */
  current(): AccessToken | null
  /**
   * Resolves with a valid token.
   *
   * @throws AuthError `ERR_SIGNED_OUT`, `ERR_MAINTENANCE`, `ERR_COOKIE_ONLY`, `ERR_READER_REVOKED`, `ERR_READY_TIMEOUT`,
   * or the reason of the caller's signal.
   */
  ready(options?: ReadyOptions): Promise<AccessToken>
  /** Whether the token outlives the skew buffer, by the server's clock. */
  validateToken(token: AccessToken | TokenPayload | null | undefined): boolean
  snapshot(): AuthSnapshot
  /** Replays the snapshot, then delivers each change. */
  readonly snapshot$: InteropObservable<AuthSnapshot>
  /** Calls back after each change of token or snapshot; made for `useSyncExternalStore`. Returns what ends it. */
  subscribe(listener: () => void): () => void
  /**
   * Tells the bridge of a request that the remote sent with a client of its own: it counts towards the desync rate, and a
   * 401 on the current generation is followed by one rotation, as with `fetch`. For axios, ky and their like.
   */
  report(request: ReportedRequest): void
  /** `fetch` that waits for a valid token, signs requests to the host's allowed origins and replays once after a 401. */
  readonly fetch: typeof globalThis.fetch
}

/** A request that a remote has sent without the reader's `fetch`. */
export interface ReportedRequest {
  /** The generation of the token that it carried. */
  readonly generation: number
  /** The status of the answer, once there is one; without it the request has just been sent. */
  readonly status?: number
}

/** What a reader is made on. */
export interface ReaderAuthority extends RequestAuthority {
  /** The token of this generation was answered with 401, by a client that takes care of its own retry. */
  refused(generation: number): void
  snapshot(): AuthSnapshot
  isUsable(token: AccessToken | TokenPayload | null | undefined): boolean
  /** Calls back in the reader phase of every transaction. */
  onEvent(listener: (event: BridgeEvent) => void): () => void
  readonly environment: Environment
}

/** The host's end of a reader. */
export interface ReaderHandle {
  readonly reader: TokenReader
  readonly access: 'token' | 'fetch'
  /** How many are told of a new token: each subscription of `getToken()`, and the state listeners as one. */
  readonly subscribers: number
  revoke(): void
}

export function createReader(
  remote: string,
  access: 'token' | 'fetch',
  given: ReaderAuthority,
): ReaderHandle {
  const { reportFault } = given.environment
  const { fetch, addresses, baseUrl } = given
  const tokens = createListeners<AccessToken>(reportFault)
  const endings = createListeners<AuthError>(reportFault)
  const changes = createListeners<void>(reportFault)
  // Cut on revocation: from then on nothing that the remote holds leads to the bridge.
  let authority: ReaderAuthority | null = given
  const revocation = new AbortController()
  let snapshot = given.snapshot()

  const revokedError = (): AuthError =>
    new AuthError(
      'ERR_READER_REVOKED',
      `The host has revoked the reader of remote "${remote}". Ask the host to mount the remote anew.`,
      {
        phase: 'read',
      },
    )
  const withheldError = (): AuthError =>
    new AuthError(
      'ERR_TOKEN_WITHHELD',
      `The reader of remote "${remote}" was given access: 'fetch'. Use reader.fetch, which waits and signs by itself.`,
      {
        phase: 'read',
      },
    )
  const demand = (): ReaderAuthority => {
    if (authority === null) throw revokedError()
    return authority
  }
  const current = (): AccessToken | null =>
    authority === null || access === 'fetch' ? null : authority.current()

  const stop = given.onEvent((event) => {
    if (authority === null) return
    const before = snapshot
    snapshot = authority.snapshot()
    if (event.type === 'token-rotated' && access === 'token') {
      const token = authority.current()
      if (token !== null) tokens.emit(token)
    }
    if (snapshot !== before) changes.emit()
  })

  const tokenStream = interopObservable<AccessToken>((sink) => {
    if (authority === null || access === 'fetch') {
      sink.error(authority === null ? revokedError() : withheldError())
      return () => {}
    }
    let seen = 0
    const deliver = (token: AccessToken): void => {
      if (token.generation <= seen) return
      seen = token.generation
      sink.next(token)
    }
    const removeToken = tokens.add(deliver)
    const removeEnding = endings.add(sink.error)
    const held = current()
    if (held !== null) deliver(held)
    return () => {
      removeToken()
      removeEnding()
    }
  }, reportFault)

  const snapshot$ = interopObservable<AuthSnapshot>((sink) => {
    sink.next(snapshot)
    return changes.add(() => sink.next(snapshot))
  }, reportFault)

  async function ready({ signal, timeout }: ReadyOptions = {}): Promise<AccessToken> {
    const { environment } = demand()
    if (timeout !== undefined && !(timeout >= 0)) {
      throw new TypeError(
        `ready({ timeout }) must be a number of milliseconds from 0, got ${typeof timeout === 'number' ? timeout : `a ${typeof timeout}`}.`,
      )
    }
    const token = await waitFor(timeout, signal)
    // Withheld at the end: also who never sees the token may ask for one to be there, and hear why it is not.
    if (access === 'fetch') throw withheldError()
    return token

    function waitFor(
      span: number | undefined,
      ends: AbortSignal | undefined,
    ): Promise<AccessToken> {
      if (span === undefined) return wait(ends)
      const limit = new AbortController()
      const timer = environment.setTimer(() => limit.abort(timeoutError(span)), timerDelay(span))
      const either = ends === undefined ? limit.signal : AbortSignal.any([ends, limit.signal])
      return wait(either).finally(() => environment.clearTimer(timer))
    }
  }

  /** Waits for a token until there is one, a reason why not, the caller gives up, or the reader is revoked. */
  async function wait(signal: AbortSignal | undefined): Promise<AccessToken> {
    const { ready: bridgeReady } = demand()
    const either =
      signal === undefined ? revocation.signal : AbortSignal.any([signal, revocation.signal])
    return abortable(bridgeReady(either), either)
  }

  let joined: { readonly session: AbortSignal; readonly signal: AbortSignal } | null = null
  /** Aborts when the session ends or the reader is revoked. Joined once for each session, not for each request. */
  function sessionSignal(): AbortSignal {
    const session = demand().sessionSignal()
    if (joined?.session !== session)
      joined = { session, signal: AbortSignal.any([session, revocation.signal]) }
    return joined.signal
  }

  const signedFetch = authorizedFetch({
    allows: (origin) => demand().allows(origin),
    current: () => demand().current(),
    ready: wait,
    replace: async (refused, signal) => authority?.replace(refused, signal) ?? null,
    sent: (generation) => authority?.sent(generation),
    sessionSignal,
    fetch,
    addresses,
    baseUrl,
  })

  function report({ generation, status }: ReportedRequest): void {
    const { sent, refused } = demand()
    if (!Number.isSafeInteger(generation))
      throw new TypeError(
        `reader.report({ generation }) must be the token's generation, got a ${typeof generation}.`,
      )
    if (status === undefined) sent(generation)
    else if (status === 401) refused(generation)
  }

  const reader = Object.freeze({
    __proto__: null,
    remote,
    getToken: () => tokenStream,
    current,
    ready,
    validateToken: (token: AccessToken | TokenPayload | null | undefined) =>
      authority?.isUsable(token) ?? false,
    // The bridge's, not the one that was told last: else it could name another generation than `current()` has.
    snapshot: () => authority?.snapshot() ?? snapshot,
    snapshot$,
    subscribe(listener: () => void) {
      if (typeof listener !== 'function')
        throw new TypeError(`reader.subscribe() needs a function, got ${typeof listener}.`)
      return changes.add(listener)
    },
    report,
    fetch: signedFetch,
  }) as TokenReader

  return {
    reader,
    access,
    get subscribers() {
      return tokens.size + (changes.size > 0 ? 1 : 0)
    },
    revoke() {
      if (authority === null) return
      authority = null
      stop()
      const error = revokedError()
      snapshot = Object.freeze({
        ...snapshot,
        status: 'error',
        expiresAt: null,
        error: Object.freeze({ code: error.code, message: error.message }),
      })
      endings.emit(error)
      revocation.abort(error)
      changes.emit()
    },
  }
}

const timeoutError = (timeout: number): AuthError =>
  new AuthError('ERR_READY_TIMEOUT', `No valid token within ${timeout} ms.`, {
    phase: 'read',
    retryable: true,
  })
