import type { Grant, OpenidProvider } from './openid-provider.ts'
import type { AuthLogger } from './options.ts'
import { providerFailure, type ProviderFailure } from './provider-failure.ts'
import type { LockedSession, RefreshRecord, Session, Sessions } from './sessions.ts'

/** What came of the wish for a fresh token. */
export type Freshening =
  /** `refreshed`: the provider was asked, and there is nothing newer to be had. */
  | { readonly status: 'current'; readonly session: Session; readonly refreshed: boolean }
  /** No refresh was possible now. `retryAfter` in milliseconds, if the provider said so. */
  | { readonly status: 'unavailable'; readonly session: Session; readonly retryAfter?: number }
  /** There is no refresh token to ask with. */
  | { readonly status: 'unrefreshable'; readonly session: Session }
  /** The provider no longer knows the grant; the session was deleted just now. */
  | { readonly status: 'ended' }
  /** A server died while it refreshed, and the token that the provider answered is lost; the session was deleted just now. */
  | { readonly status: 'interrupted' }
  /** There is no such session, or someone else ended it meanwhile. */
  | { readonly status: 'gone' }

export interface SessionRefresher {
  /** Resolves with a session whose token satisfies `isFresh`, refreshing it if need be, once however many ask. */
  freshen(key: string, isFresh: (session: Session) => boolean): Promise<Freshening>
  /** Resolves when no refresh is under way: until then a process that ends would lose what the provider answers. */
  settled(): Promise<void>
}

type IsFresh = (session: Session) => boolean

/**
 * Milliseconds that a lock outlives its holder, who extends it every `HEARTBEAT`. So a replica that died is replaced
 * within `LOCK` and a look (0.4 s at most), well within the 10 s that the bridge waits.
 */
const LOCK = 4_000
const HEARTBEAT = 1_000

/** Milliseconds for which others wait for the holder of a lock; less than the bridge waits for us. */
const PATIENCE = 8_500

/** Milliseconds for which an answer of the provider is tried to be stored. */
const PERSISTENCE = 10_000

/**
 * Refreshes sessions, one refresh at a time for each: within the process by joining the one under way, between processes
 * by the session's lock in the store. See docs/decisions/0013-one-refresh-however-many-servers.md.
 */
export function sessionRefresher(parts: {
  readonly sessions: Sessions
  readonly provider: Pick<OpenidProvider, 'ready' | 'refresh' | 'isActive' | 'revoke'>
  readonly logger: AuthLogger
  readonly now: () => number
  /** Milliseconds for which the provider takes a refresh token again. */
  readonly grace: number
}): SessionRefresher {
  const { sessions, provider, logger, now, grace } = parts
  const flights = new Map<string, Promise<Freshening>>()

  async function refresh(key: string, seen: Session, isFresh: IsFresh): Promise<Freshening> {
    try {
      // First of all, so that nothing slow happens under the lock but the refresh itself.
      await provider.ready()
    } catch (error) {
      return unavailable(seen, providerFailure(error, now()))
    }
    const deadline = performance.now() + PATIENCE
    for (let wait = 40; ; wait = Math.min(wait * 1.5, 250)) {
      const locked = await sessions.lock(key, LOCK)
      if (locked !== undefined) {
        const outcome = await refreshLocked(key, locked, seen, isFresh)
        if (outcome !== 'overtaken') return outcome
      }
      const session = await sessions.read(key)
      if (session === undefined) return { status: 'gone' }
      if (isFresh(session)) return { status: 'current', session, refreshed: false }
      if (performance.now() > deadline) return { status: 'unavailable', session }
      await pause(wait * (0.5 + Math.random()))
    }
  }

  /** Someone else's lock is not to be waited for twice: what the holder before us wrote decides first. */
  async function refreshLocked(
    key: string,
    { session, fence }: LockedSession,
    seen: Session,
    isFresh: IsFresh,
  ): Promise<Freshening | 'overtaken'> {
    const letGo = (rest: Session = session) => sessions.replace(key, rest, fence, 0)
    if (isFresh(session)) {
      await letGo()
      return { status: 'current', session, refreshed: false }
    }
    const { refreshToken, refresh: last } = session
    if (refreshToken === undefined) {
      await letGo()
      return { status: 'unrefreshable', session }
    }
    if (last?.outcome !== undefined && last.sentAt !== seen.refresh?.sentAt) {
      // It failed while we waited, so we would only have asked the same a moment later.
      await letGo()
      return { status: 'unavailable', session, ...pick(last.retryAfter) }
    }
    try {
      if (!(await alive(key, session, fence, isUnspent(refreshToken, last)))) {
        if (!(await sessions.end(key, fence))) return 'overtaken'
        logger.warn('[auth] session ended: a refresh was interrupted', {
          event: 'refresh-interrupted',
        })
        return { status: 'interrupted' }
      }
    } catch (error) {
      await letGo()
      return unavailable(session, providerFailure(error, now()))
    }
    const marked: Session = { ...session, refresh: { sentAt: now() } }
    if (!(await sessions.replace(key, marked, fence, LOCK))) return 'overtaken'
    let grant: Grant
    try {
      grant = await alive(key, marked, fence, provider.refresh(refreshToken))
    } catch (error) {
      return failed(key, marked, fence, providerFailure(error, now()))
    }
    return keep(key, session, fence, grant)
  }

  /** Whether the refresh token can be sent without being a reuse, after whatever happened to it the last time. */
  async function isUnspent(
    refreshToken: string,
    last: RefreshRecord | undefined,
  ): Promise<boolean> {
    if (last === undefined || last.outcome === 'declined' || now() - last.sentAt < grace)
      return true
    // Where nobody can say, a living server may try again: the provider may never have seen the first.
    return (await provider.isActive(refreshToken)) ?? last.outcome === 'unanswered'
  }

  /** Extends the lock while a request is under way. */
  async function alive<T>(
    key: string,
    session: Session,
    fence: number,
    request: Promise<T>,
  ): Promise<T> {
    const timer = setInterval(() => {
      // Whether it could is seen when the answer is written.
      sessions.replace(key, session, fence, LOCK).catch(() => {})
    }, HEARTBEAT)
    return request.finally(() => clearInterval(timer))
  }

  async function failed(
    key: string,
    marked: Session,
    fence: number,
    failure: ProviderFailure,
  ): Promise<Freshening | 'overtaken'> {
    const { code, status = 0, retryAfter } = failure
    if (code === 'invalid_grant')
      return (await sessions.end(key, fence)) ? { status: 'ended' } : 'overtaken'
    const record: RefreshRecord = {
      sentAt: marked.refresh?.sentAt ?? now(),
      outcome: status >= 400 && status < 500 ? 'declined' : 'unanswered',
      ...pick(retryAfter),
    }
    const session: Session = { ...marked, refresh: record }
    await sessions.replace(key, session, fence, 0)
    return unavailable(session, failure)
  }

  function unavailable(session: Session, { kind, code, retryAfter }: ProviderFailure): Freshening {
    const advice = kind === 'refused' ? '; check the registration of the client' : ''
    logger.warn(`[auth] refresh failed: ${code}${advice}`, { event: 'refresh-failed', code })
    return { status: 'unavailable', session, ...pick(retryAfter) }
  }

  async function keep(
    key: string,
    before: Session,
    fence: number,
    grant: Grant,
  ): Promise<Freshening | 'overtaken'> {
    const { refresh: _, ...old } = before
    // Providers count in whole seconds, so a newer token may seem to expire up to a second earlier than the one before.
    const expiresAt = Math.max(grant.expiresAt, Math.min(old.expiresAt + 1, grant.expiresAt + 1000))
    // A grant without a refresh token or ID token leaves the old one in force (RFC 6749 section 6).
    const session: Session = { ...old, ...grant, expiresAt }
    if (await stored(key, session, fence)) return { status: 'current', session, refreshed: true }
    // Or it was we who wrote, and the store's word on it was lost.
    if ((await sessions.read(key)) !== undefined) return 'overtaken'
    // Signed out meanwhile: what came late must be of no use to anyone.
    if (grant.refreshToken !== undefined) {
      await provider.revoke(grant.refreshToken).catch((error: unknown) => {
        const { code } = providerFailure(error, now())
        const fields = { event: 'sign-out-incomplete', what: 'revocation', code }
        logger.warn(`[auth] revocation failed: ${code}`, fields)
      })
    }
    return { status: 'gone' }
  }

  /** The old refresh token is spent, so a store that stumbles is asked again. */
  async function stored(key: string, session: Session, fence: number): Promise<boolean> {
    const deadline = performance.now() + PERSISTENCE
    for (let wait = 50; ; wait = Math.min(wait * 2, 500)) {
      try {
        return await sessions.replace(key, session, fence, 0)
      } catch (error) {
        if (performance.now() > deadline) throw error
        await pause(wait)
      }
    }
  }

  return Object.freeze<SessionRefresher>({
    async freshen(key, isFresh) {
      const session = await sessions.read(key)
      if (session === undefined) return { status: 'gone' }
      if (isFresh(session)) return { status: 'current', session, refreshed: false }
      if (session.refreshToken === undefined) return { status: 'unrefreshable', session }
      for (;;) {
        const underWay = flights.get(key)
        if (underWay === undefined) break
        const outcome = await underWay
        // Another caller may have been content with less than this one asks for.
        const isMine = outcome.status !== 'current' || outcome.refreshed || isFresh(outcome.session)
        if (isMine) return outcome
      }
      const flight = refresh(key, session, isFresh).finally(() => flights.delete(key))
      flights.set(key, flight)
      return flight
    },
    async settled() {
      while (flights.size > 0) await Promise.allSettled(flights.values())
    },
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function pick(retryAfter: number | undefined): { readonly retryAfter?: number } {
  return retryAfter === undefined ? {} : { retryAfter }
}
