import {
  AuthError,
  SecureTokenBridge,
  type AuthStatus,
  type TokenPayload,
  type TokenReader,
} from '@token-bridge/core'
import { flagSwitch } from './flag-switch.ts'
import { stillEnvironment } from './still-environment.ts'

/** Whose reader it is, and what it may do. */
export interface FakeReaderOptions {
  /** The remote's name. Default `remote`. */
  readonly remote?: string
  /** As for `bridge.reader()`. Default `token`. */
  readonly access?: 'token' | 'fetch'
  /** Origins to which `reader.fetch` sends the token. Default: the page's own. */
  readonly origins?: readonly string[]
}

/** A reader for the component under test, and the host's end of it for the test. */
export interface FakeReader {
  readonly reader: TokenReader
  /**
   * The next token. What is left out is made up: a token of its own, five minutes to live.
   *
   * @throws TokenRejectedError as the bridge does, when it is malformed or ends inside the skew buffer of 60 s.
   */
  setToken(payload?: Partial<TokenPayload>): void
  /**
   * Takes the reader where the bridge would bring it, and resolves when it is there; `loading`, `ready` and `signed-out`
   * are there at once. `maintenance` keeps a valid token, `loading` and `error` lose it, and `ready` makes one up.
   */
  setStatus(status: AuthStatus): Promise<void>
  /** The session has ended. */
  signOut(): void
  /** The host cuts this remote off, for good. */
  revoke(): void
}

/** Five minutes, in milliseconds. */
const LIFETIME = 300_000

/** Longest wait between attempts, in milliseconds: who asks for more puts the bridge into maintenance at once. */
const LONGEST_WAIT = 1

/**
 * Makes a reader without a host. It is the reader of a real bridge that runs without network, timers and passing time, so
 * it cannot behave otherwise than the one in the page.
 *
 * @param initial - the token to begin with, or where to begin. Default `loading`, as every page does.
 * @example
 * const { reader, setToken, setStatus } = createFakeReader('ready')
 * render(<AuthProvider reader={reader}><Orders /></AuthProvider>)
 * await act(() => setStatus('maintenance'))
 */
export function createFakeReader(
  initial: 'loading' | 'ready' | 'signed-out' | Partial<TokenPayload> = 'loading',
  { remote = 'remote', access = 'token', origins }: FakeReaderOptions = {},
): FakeReader {
  const still = stillEnvironment()
  const enabled = flagSwitch()
  let made = 0
  let outage = deferredFailure()
  // A 401 in `reader.fetch` gets its newer token. Everything else waits until the test says how it ends.
  const source = ({ reason }: { readonly reason: string }): Promise<TokenPayload> =>
    reason === 'unauthorized' ? Promise.resolve(makeUp()) : outage.promise
  const bridge = new SecureTokenBridge({
    source,
    legacy: source,
    enabled: enabled.flag,
    environment: still.environment,
    rotation: {
      backoff: { initialDelay: LONGEST_WAIT, maxDelay: LONGEST_WAIT },
      breaker: { threshold: Number.MAX_SAFE_INTEGER },
    },
    ...(origins !== undefined && { origins }),
  }).start()
  const reader = bridge.reader(remote, { access })

  function makeUp(): TokenPayload {
    made += 1
    return {
      accessToken: `fake-reader-token-${made}`,
      expiresAt: still.now() + LIFETIME,
    }
  }

  /** Ends what the bridge waits for. */
  const restart = (): void => {
    bridge.stop()
    still.advance(LONGEST_WAIT * 2)
    bridge.start()
  }

  function setToken(payload: Partial<TokenPayload> = {}): void {
    bridge.updateToken({ ...makeUp(), ...payload })
    restart()
  }

  function load(): void {
    restart()
    // The kill switch, off and on again: the one way back to `loading` from everywhere.
    enabled.set(false)
    enabled.set(true)
  }

  async function fail(status: 'error' | 'maintenance'): Promise<void> {
    if (bridge.snapshot.status === status) return
    if (status === 'error' || bridge.snapshot.status !== 'ready') load()
    const arrived = new Promise<void>((resolve) => {
      const detach = bridge.attach({
        name: 'fake-reader',
        apply(_event, snapshot) {
          if (snapshot.status !== status) return
          detach()
          resolve()
        },
      })
    })
    void bridge.rotate().catch(() => {})
    outage.reject(
      new AuthError('ERR_SYNC_NETWORK', 'The fake source failed, as it was told to.', {
        phase: 'sync',
        retryable: true,
        ...(status === 'maintenance' && { retryAfter: LONGEST_WAIT + 1 }),
      }),
    )
    await arrived
    outage = deferredFailure()
  }

  const signOut = (): void => void bridge.reset('session-ended')

  async function setStatus(status: AuthStatus): Promise<void> {
    switch (status) {
      case 'ready':
        return setToken()
      case 'loading':
        return load()
      case 'signed-out':
        return signOut()
      case 'error':
      case 'maintenance':
        return fail(status)
    }
  }

  if (initial === 'signed-out') signOut()
  else if (initial === 'ready') setToken()
  else if (initial !== 'loading') setToken(initial)

  return Object.freeze({
    reader,
    setToken,
    setStatus,
    signOut,
    revoke: () => bridge.revoke(remote),
  })
}

function deferredFailure(): {
  readonly promise: Promise<never>
  readonly reject: (error: Error) => void
} {
  let reject = (_error: Error): void => {}
  const promise = new Promise<never>((_resolve, settle) => {
    reject = settle
  })
  promise.catch(() => {})
  return { promise, reject }
}
