import type { Settings } from './options.ts'
import { hashSecretId } from './secret-id.ts'

/** Milliseconds for which a logout token is remembered: longer than it is accepted. */
const MEMORY = 900_000

/** Whom a provider means (OpenID Connect Back-Channel Logout 1.0 section 2.4). */
export interface ProviderNames {
  /** `sub` */
  readonly subject?: string | undefined
  /** `sid` */
  readonly providerSession?: string | undefined
}

/** What a mark needs to know of a session. */
export interface Markable {
  readonly startedAt?: number
  readonly marks?: readonly string[]
}

/**
 * Marks say "every session of this user, or of this session of the provider, that started before this moment is over".
 * One entry ends any number of sessions at once, without a list of them, and outlives them all, so a refresh under way
 * brings none of them back.
 */
export interface SessionMarks {
  /** The keys of the marks that can end a session; kept with it, so that reading it computes none. */
  of(names: ProviderNames): Promise<readonly string[]>
  hasEnded(session: Markable): Promise<boolean>
  /** Ends what was started up to now. The same logout token does so once: `false` when it was heard before. */
  end(names: ProviderNames, tokenId: string): Promise<boolean>
}

/** Marks in a store that others may use as well: their provider or client is another one. */
export function createSessionMarks(
  settings: Pick<Settings, 'store' | 'issuer' | 'clientId' | 'sessionLifetime' | 'now'>,
): SessionMarks {
  const { store, issuer, clientId, sessionLifetime, now } = settings
  const keyOf = async (kind: 'sid' | 'sub' | 'sub-without-sid' | 'jti', name: string) =>
    `mark:${kind}:${await hashSecretId(JSON.stringify([issuer.href, clientId, name]))}`

  const keys = (
    list: readonly (readonly ['sid' | 'sub' | 'sub-without-sid', string | undefined])[],
  ) => Promise.all(list.flatMap(([kind, name]) => (name === undefined ? [] : [keyOf(kind, name)])))

  return Object.freeze<SessionMarks>({
    of: ({ subject, providerSession }) =>
      keys([
        ['sub', subject],
        providerSession === undefined ? ['sub-without-sid', subject] : ['sid', providerSession],
      ]),
    async hasEnded({ startedAt = 0, marks = [] }) {
      const moments = await Promise.all(marks.map((key) => store.get(key)))
      return moments.some((moment) => moment !== undefined && startedAt <= Number(moment))
    },
    async end({ subject, providerSession }, tokenId) {
      const heard = await keyOf('jti', tokenId)
      if ((await store.get(heard)) !== undefined) return false
      // A token with a `sid` means that session alone, and those of the user whose ID token did not name theirs.
      const ended = await keys(
        providerSession === undefined
          ? [['sub', subject]]
          : [
              ['sid', providerSession],
              ['sub-without-sid', subject],
            ],
      )
      await Promise.all(ended.map((key) => store.set(key, String(now()), now() + sessionLifetime)))
      // After the marks: should they fail, the provider may send the token again. Of two at the same time both are right.
      await store.set(heard, '', now() + MEMORY)
      return true
    },
  })
}
