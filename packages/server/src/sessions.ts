import { createSecretId, hashSecretId } from './secret-id.ts'
import type { SessionStore } from './session-store.ts'

/** What the server knows of one signed-in browser. Times are epoch milliseconds. */
export interface Session {
  readonly accessToken: string
  readonly expiresAt: number
  readonly tokenType: string
  readonly scope?: string
  readonly refreshToken?: string
  /** Only for `id_token_hint` at sign-out (OpenID Connect RP-Initiated Logout 1.0 section 2). */
  readonly idToken?: string
  /** When the session ends whatever happens. */
  readonly endsAt: number
  /** When its code was redeemed: a logout from the provider ends what started before it. */
  readonly startedAt?: number
  /** Keys of the marks that end it: see `session-marks.ts`. */
  readonly marks?: readonly string[]
  /** The refresh under way, or the last one that failed. */
  readonly refresh?: RefreshRecord
}

/** What becomes of a refresh token, so that who takes over from a replica that died knows. Times are epoch milliseconds. */
export interface RefreshRecord {
  /** When the token was sent last: written before it is. */
  readonly sentAt: number
  /**
   * When it was sent first without an answer to this day: from then on the provider may have taken it. Only a success
   * takes that back, no later "no".
   */
  readonly openSince?: number
  /** Of those who sent it without an answer one died, so nobody knows how far it came. */
  readonly isOrphan?: true
  /**
   * How the last attempt ended. Without it the one who sent the token waits for the answer, or died.
   * - `declined`: the provider answered, and did not take the token.
   * - `unanswered`: the provider may have taken the token.
   */
  readonly outcome?: 'declined' | 'unanswered'
  /** Until then nobody need ask the provider again. */
  readonly retryAt?: number
}

/** Why a session was ended before its time. */
export type EndReason =
  /** Someone wanted it to end. */
  | 'session-ended'
  /** A server died while it refreshed the session, and what the provider answered is lost. */
  | 'refresh-interrupted'
  /** The same browser signed in anew, and the provider may have given both sessions one grant. */
  | 'session-replaced'

/** The sessions in a store. A session is addressed by a key, the hash of the id that its cookie holds. */
export interface Sessions {
  keyOf(id: string): Promise<string>
  /** Starts a session and resolves with its id, always a new one, so nobody can fix it beforehand. */
  open(session: Session): Promise<string>
  read(key: string): Promise<Session | undefined>
  /** Moves the time at which the session ends by itself, e.g. for want of activity; tells whether it still is. */
  touch(key: string, expiresAt: number): Promise<boolean>
  /** Takes the session's lock, and reads it. `undefined` when someone holds it or there is no session. */
  lock(key: string, lockFor: number): Promise<LockedSession | undefined>
  /** Writes if the session still is and nobody else took its lock; tells whether it did. `lockFor` 0 lets the lock go. */
  replace(key: string, session: Session, fence: number, lockFor: number): Promise<boolean>
  /**
   * Ends a session, with `fence` only if nobody else took its lock; tells whether it was this call that did. Whoever asks
   * for it within an hour is told the `reason`, if there is one.
   */
  end(key: string, fence?: number, reason?: EndReason): Promise<boolean>
  /** Why there is no such session; `undefined`: its time is over, or it never was. */
  whyGone(key: string): Promise<EndReason | undefined>
}

/** Milliseconds for which is remembered why a session was ended: tabs ask within minutes. */
const MEMORY = 3_600_000

export interface LockedSession {
  readonly session: Session
  readonly fence: number
}

/** @param now - epoch milliseconds. */
export function createSessions(store: SessionStore, now: () => number = Date.now): Sessions {
  const keyOf = async (id: string) => `session:${await hashSecretId(id)}`
  const placeOf = (key: string) => `ended:${key}`

  async function end(key: string, fence?: number, reason?: EndReason): Promise<boolean> {
    if (reason === undefined) return store.delete(key, fence)
    // A key that nobody has leaves nothing behind, and of two reasons the first counts.
    const isKnown = (await store.get(key)) !== undefined
    const isFirst = isKnown && (await store.get(placeOf(key))) === undefined
    // First the reason, so that nobody finds the session gone and no reason.
    if (isFirst) await store.set(placeOf(key), reason, now() + MEMORY)
    const isEnded = await store.delete(key, fence)
    if (isFirst && !isEnded && (await store.get(key)) !== undefined)
      await store.delete(placeOf(key))
    return isEnded
  }

  return Object.freeze<Sessions>({
    keyOf,
    async open(session) {
      const id = createSecretId()
      await store.set(await keyOf(id), JSON.stringify(session), session.endsAt)
      return id
    },
    async read(key) {
      const text = await store.get(key)
      return text === undefined ? undefined : (JSON.parse(text) as Session)
    },
    touch: (key, expiresAt) => store.touch(key, expiresAt),
    async lock(key, lockFor) {
      const locked = await store.lock(key, lockFor)
      return locked && { session: JSON.parse(locked.value) as Session, fence: locked.fence }
    },
    replace: (key, session, fence, lockFor) =>
      store.replace(key, JSON.stringify(session), fence, lockFor),
    end,
    whyGone: async (key) => (await store.get(placeOf(key))) as EndReason | undefined,
  })
}
