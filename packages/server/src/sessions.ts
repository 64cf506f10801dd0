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
}

/** The sessions in a store. A session is addressed by a key, the hash of the id that its cookie holds. */
export interface Sessions {
  keyOf(id: string): Promise<string>
  /** Starts a session and resolves with its id, always a new one, so nobody can fix it beforehand. */
  open(session: Session): Promise<string>
  read(key: string): Promise<Session | undefined>
  /** Writes only if the session still is; tells whether it is. */
  replace(key: string, session: Session): Promise<boolean>
  /** Ends a session; tells whether it was this call that did. */
  end(key: string): Promise<boolean>
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
    replace: (key, session) => store.replace(key, JSON.stringify(session), session.endsAt),
    end: (key) => store.delete(key),
  })
}
