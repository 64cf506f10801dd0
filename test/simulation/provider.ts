import type { Grant } from '../../packages/server/src/openid-provider.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

/** What the provider knows of a token it has issued. Times are epoch milliseconds, true time. */
export interface IssuedToken {
  readonly accessToken: string
  readonly session: ProviderSession
  readonly expiresAt: number
}

/** One sign-in: its refresh tokens can be used once each, and using one twice ends the whole grant. */
export interface ProviderSession {
  readonly number: number
  readonly openedAt: number
  isRevoked: boolean
  readonly refreshesInFlight: number
}

export type ProviderState = 'up' | 'slow' | 'down'

/** An OpenID provider that rotates refresh tokens and detects their reuse. It counts what must not happen. */
export interface Provider {
  state: ProviderState
  readonly tokens: ReadonlyMap<string, IssuedToken>
  readonly refreshes: number
  /** Refresh tokens that were used a second time. */
  readonly reused: number
  /** The most refreshes of one session that were under way at the same time. */
  readonly mostInFlight: number
  open(): { readonly session: ProviderSession; readonly grant: Grant }
  refresh(refreshToken: string): Promise<Grant>
  /** Issues a token without a refresh token, as a system from before the bridge would. */
  issue(session: ProviderSession, kind: string): Grant
}

export function createProvider(timeline: Timeline, random: Random, lifetime: number): Provider {
  type Session = { -readonly [Key in keyof ProviderSession]: ProviderSession[Key] }
  const tokens = new Map<string, IssuedToken>()
  const refreshTokens = new Map<string, { readonly session: Session; isUsed: boolean }>()
  let sessions = 0
  let issued = 0
  let refreshes = 0
  let reused = 0
  let mostInFlight = 0

  function issue(session: ProviderSession, kind: string): Grant {
    issued += 1
    const accessToken = `${kind}.${session.number}.${issued}`
    const expiresAt = timeline.now + lifetime
    tokens.set(accessToken, { accessToken, session, expiresAt })
    return { accessToken, expiresAt, tokenType: 'Bearer' }
  }

  function grantTo(session: Session): Grant {
    const refreshToken = `refresh.${session.number}.${issued}`
    refreshTokens.set(refreshToken, { session, isUsed: false })
    return { ...issue(session, 'access'), refreshToken }
  }

  function redeem(refreshToken: string): Grant {
    const known = refreshTokens.get(refreshToken)
    if (known === undefined) throw new Error('The provider does not know this refresh token.')
    const { session } = known
    if (known.isUsed) {
      reused += 1
      session.isRevoked = true
      throw new Error('The provider has revoked the grant.')
    }
    known.isUsed = true
    // Also when the session has just ended: the server hears of it from nobody but itself, and has to drop what comes.
    return grantTo(session)
  }

  const sleep = (span: number): Promise<void> =>
    new Promise((resolve) => void timeline.after(span, resolve))

  return {
    state: 'up',
    tokens,
    get refreshes() {
      return refreshes
    },
    get reused() {
      return reused
    },
    get mostInFlight() {
      return mostInFlight
    },
    open() {
      sessions += 1
      const session = {
        number: sessions,
        openedAt: timeline.now,
        isRevoked: false,
        refreshesInFlight: 0,
      }
      return { session, grant: grantTo(session) }
    },
    async refresh(refreshToken) {
      refreshes += 1
      const session = refreshTokens.get(refreshToken)?.session
      if (session !== undefined) {
        session.refreshesInFlight += 1
        mostInFlight = Math.max(mostInFlight, session.refreshesInFlight)
      }
      const { state } = this
      try {
        await sleep(state === 'slow' ? random.between(3_000, 7_000) : random.between(10, 200))
        // Down means that nothing was redeemed: a provider that redeems and then says nothing loses the session anyway.
        if (state === 'down') throw new Error('The provider does not answer.')
        return redeem(refreshToken)
      } finally {
        if (session !== undefined) session.refreshesInFlight -= 1
      }
    },
    issue,
  }
}
