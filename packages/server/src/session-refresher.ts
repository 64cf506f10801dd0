import type { Grant, OpenidProvider } from './openid-provider.ts'
import type { AuthLogger } from './options.ts'
import { providerFailure, type ProviderFailure } from './provider-failure.ts'
import type { Session, Sessions } from './sessions.ts'

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
  /** There is no such session, or someone else ended it meanwhile. */
  | { readonly status: 'gone' }

export interface SessionRefresher {
  /** Resolves with a session whose token satisfies `isFresh`, refreshing it if need be, once however many ask. */
  freshen(key: string, isFresh: (session: Session) => boolean): Promise<Freshening>
}

/** Refreshes sessions, one refresh at a time for each. */
export function sessionRefresher(parts: {
  readonly sessions: Sessions
  readonly provider: OpenidProvider
  readonly logger: AuthLogger
  readonly now: () => number
}): SessionRefresher {
  const { sessions, provider, logger, now } = parts
  const flights = new Map<string, Promise<Freshening>>()

  async function refresh(key: string, isFresh: (session: Session) => boolean): Promise<Freshening> {
    // Read again: a refresh may have ended since the caller read, and a refresh token used twice ends the whole grant.
    const session = await sessions.read(key)
    if (session === undefined) return { status: 'gone' }
    if (isFresh(session)) return { status: 'current', session, refreshed: false }
    if (session.refreshToken === undefined) return { status: 'unrefreshable', session }
    let grant: Grant
    try {
      grant = await provider.refresh(session.refreshToken)
    } catch (error) {
      return failed(key, session, providerFailure(error, now()))
    }
    return keep(key, session, grant)
  }

  async function failed(
    key: string,
    session: Session,
    { kind, code, retryAfter }: ProviderFailure,
  ): Promise<Freshening> {
    if (code === 'invalid_grant') return { status: (await sessions.end(key)) ? 'ended' : 'gone' }
    const advice = kind === 'refused' ? '; check the registration of the client' : ''
    logger.warn(`[auth] refresh failed: ${code}${advice}`)
    return { status: 'unavailable', session, ...(retryAfter !== undefined && { retryAfter }) }
  }

  async function keep(key: string, old: Session, grant: Grant): Promise<Freshening> {
    // Providers count in whole seconds, so a newer token may seem to expire up to a second earlier than the one before.
    const expiresAt = Math.max(grant.expiresAt, Math.min(old.expiresAt + 1, grant.expiresAt + 1000))
    // A grant without a refresh token or ID token leaves the old one in force (RFC 6749 section 6).
    const session: Session = { ...old, ...grant, expiresAt }
    if (await sessions.replace(key, session)) return { status: 'current', session, refreshed: true }
    // Signed out meanwhile: what came late must be of no use to anyone.
    if (grant.refreshToken !== undefined) {
      await provider
        .revoke(grant.refreshToken)
        .catch((error: unknown) =>
          logger.warn(`[auth] revocation failed: ${providerFailure(error, now()).code}`),
        )
    }
    return { status: 'gone' }
  }

  return Object.freeze<SessionRefresher>({
    async freshen(key, isFresh) {
      const session = await sessions.read(key)
      if (session === undefined) return { status: 'gone' }
      if (isFresh(session)) return { status: 'current', session, refreshed: false }
      for (;;) {
        const underWay = flights.get(key)
        if (underWay === undefined) break
        const outcome = await underWay
        // Another caller may have been content with less than this one asks for.
        const isMine = outcome.status !== 'current' || outcome.refreshed || isFresh(outcome.session)
        if (isMine) return outcome
      }
      const flight = refresh(key, isFresh).finally(() => flights.delete(key))
      flights.set(key, flight)
      return flight
    },
  })
}
