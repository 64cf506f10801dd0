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

/** What becomes of a refresh token, so that who takes over from a replica that died knows. */
export interface RefreshRecord {
  /** Epoch milliseconds: written before the token is sent. */
  readonly sentAt: number
  /**
   * Without it the one who sent the token waits for the answer, or died.
   * - `declined`: the provider answered; the token is still good.
   * - `unanswered`: the provider may have taken the token.
   */
  readonly outcome?: 'declined' | 'unanswered'
  /** Milliseconds that the provider asked for. */
  readonly retryAfter?: number
}

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
  /** Ends a session, with `fence` only if nobody else took its lock; tells whether it was this call that did. */
  end(key: string, fence?: number): Promise<boolean>
}

export interface LockedSession {
  readonly session: Session
  readonly fence: number
}

export function createSessions(store: SessionStore): Sessions {
  const keyOf = async (id: string) => `session:${await hashSecretId(id)}`

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
    end: (key, fence) => store.delete(key, fence),
  })
}
