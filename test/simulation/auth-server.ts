import { sessionRefresher } from '../../packages/server/src/session-refresher.ts'
import type { Session, Sessions } from '../../packages/server/src/sessions.ts'
import type { Provider, ProviderSession } from './provider.ts'
import type { Timeline } from './timeline.ts'

/** What reaches a server. The cookie is the one that the browser had when the request left. */
export interface SimulatedRequest {
  readonly path: string
  readonly cookie: string | null
  readonly body: string | null
  readonly authorization: string | null
}

export interface SimulatedAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly retryAfter?: number
  /** The session cookie that the answer sets; `null` clears it. */
  readonly cookie?: string | null
}

/** How the front of the server fails, before the request reaches what knows the session. `retryAfter` in seconds. */
export type ServerFault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number }
  | { readonly kind: 'html' | 'garbage' | 'empty-token' }

/** The host's own server: sessions behind a cookie, refreshed by the code of `@token-bridge/server`. */
export interface AuthServer {
  fault: ServerFault | null
  /** The session of a cookie, as long as it is. */
  sessionOf(cookie: string | null): ProviderSession | null
  handle(request: SimulatedRequest): Promise<SimulatedAnswer>
  /** Ends a session from outside: an administrator, or a sign-out elsewhere (back-channel logout). */
  end(cookie: string | null): void
}

/** A session in the store, and who may write it. */
interface Entry {
  readonly session: Session
  readonly fence: number
  /** Milliseconds of the timeline. */
  readonly lockedUntil: number
}

/** As `@token-bridge/server` has them. */
const MINIMUM_LIFETIME = 90_000
const LAST_USE = 5_000

/** @param storeDelay - draws how long the session store takes, in milliseconds. */
export function createAuthServer(
  timeline: Timeline,
  provider: Provider,
  storeDelay: () => number,
): AuthServer {
  const stored = new Map<string, Entry>()
  const owners = new Map<string, ProviderSession>()
  let opened = 0

  function slowly(): Promise<void> | undefined {
    const span = storeDelay()
    return span === 0 ? undefined : new Promise((resolve) => void timeline.after(span, resolve))
  }

  /** The store of a single server: see `SessionStore` for what a lock and a fence are. */
  const sessions: Sessions = {
    keyOf: async (id) => id,
    async open(session) {
      opened += 1
      const id = `cookie-${opened}`
      stored.set(id, { session, fence: 0, lockedUntil: 0 })
      return id
    },
    async read(key) {
      const session = stored.get(key)?.session
      await slowly()
      return session
    },
    touch: async (key) => stored.has(key),
    async lock(key, lockFor) {
      const entry = stored.get(key)
      if (entry === undefined || entry.lockedUntil > timeline.now) return undefined
      const { session } = entry
      const fence = entry.fence + 1
      stored.set(key, { session, fence, lockedUntil: timeline.now + lockFor })
      await slowly()
      return { session, fence }
    },
    async replace(key, session, fence, lockFor) {
      const entry = stored.get(key)
      if (entry?.fence !== fence) return false
      const isOver = lockFor === 0
      stored.set(key, {
        session,
        fence: isOver ? fence + 1 : fence,
        lockedUntil: isOver ? 0 : timeline.now + lockFor,
      })
      return true
    },
    async end(key, fence) {
      if (fence !== undefined && stored.get(key)?.fence !== fence) return false
      return end(key)
    },
    whyGone: async () => undefined,
  }
  const refresher = sessionRefresher({
    sessions,
    provider: {
      ready: async () => {},
      refresh: (refreshToken) => provider.refresh(refreshToken),
      isActive: async () => undefined,
      revoke: async () => {},
    },
    grace: 0,
    minimumLifetime: 0,
    logger: { info() {}, warn() {}, error() {} },
    now: () => timeline.now,
  })

  function end(key: string): boolean {
    const owner = owners.get(key)
    if (owner !== undefined) owner.isRevoked = true
    return stored.delete(key)
  }

  const payloadOf = ({ accessToken, expiresAt, tokenType }: Session): string =>
    JSON.stringify({ accessToken, expiresAt, tokenType, serverTime: timeline.now })

  /** As `sync()` of `@token-bridge/server` answers, without its guard against other sites. */
  async function sync({ cookie, body }: SimulatedRequest): Promise<SimulatedAnswer> {
    if (cookie === null) return problem(401)
    const { newerThan } = JSON.parse(body ?? '{}') as { readonly newerThan?: number }
    const satisfies =
      (lifetime: number) =>
      ({ expiresAt }: Session): boolean =>
        expiresAt > timeline.now + lifetime && (newerThan === undefined || expiresAt > newerThan)
    const outcome = await refresher.freshen(cookie, satisfies(MINIMUM_LIFETIME))
    switch (outcome.status) {
      case 'current':
        return json(payloadOf(outcome.session))
      case 'unavailable':
        return satisfies(LAST_USE)(outcome.session)
          ? json(payloadOf(outcome.session))
          : { ...problem(503), retryAfter: 5 }
      case 'unrefreshable':
      case 'ended':
      case 'interrupted':
      case 'gone':
        return problem(401)
    }
  }

  async function signIn(): Promise<SimulatedAnswer> {
    const { session, grant } = provider.open()
    const stays = { ...grant, endsAt: timeline.now + 365 * 86_400_000 }
    const cookie = await sessions.open(stays)
    owners.set(cookie, session)
    return { ...json(payloadOf(stays)), cookie }
  }

  function legacyToken({ cookie }: SimulatedRequest): SimulatedAnswer {
    const session = sessionOf(cookie)
    if (session === null) return problem(401)
    const { accessToken, expiresAt } = provider.issue(session, 'legacy')
    return json(JSON.stringify({ accessToken, expiresAt, serverTime: timeline.now }))
  }

  function sessionOf(cookie: string | null): ProviderSession | null {
    return cookie !== null && stored.has(cookie) ? (owners.get(cookie) ?? null) : null
  }

  return {
    fault: null,
    sessionOf,
    async handle(request) {
      const { path } = request
      if (path === '/api/auth/login') return signIn()
      if (path === '/api/auth/logout') {
        if (request.cookie !== null) end(request.cookie)
        return { ...json('{}'), cookie: null }
      }
      if (this.fault !== null) return failing(this.fault)
      return path === '/legacy/token' ? legacyToken(request) : sync(request)
    },
    end(cookie) {
      if (cookie !== null) end(cookie)
    },
  }
}

const json = (body: string): SimulatedAnswer => ({ status: 200, type: 'application/json', body })

const problem = (status: number): SimulatedAnswer => ({
  status,
  type: 'application/problem+json',
  body: '{}',
})

function failing(fault: ServerFault): SimulatedAnswer {
  switch (fault.kind) {
    case 'status':
      return {
        ...problem(fault.status),
        ...(fault.retryAfter !== undefined && { retryAfter: fault.retryAfter }),
      }
    case 'html':
      return { status: 200, type: 'text/html', body: '<!doctype html><title>Sign in</title>' }
    case 'garbage':
      return json('{"accessToken": ')
    case 'empty-token':
      return json('{"accessToken":"","expiresAt":4102444800000}')
  }
}
