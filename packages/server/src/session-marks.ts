import { base64url } from 'jose'
import type { Settings } from './options.ts'
import { hashSecretId } from './secret-id.ts'

/** Milliseconds for which a logout token is remembered: longer than it is accepted. */
const MEMORY = 900_000

/**
 * Milliseconds by which the clocks of replicas may differ: what started up to so much later than a logout, by another
 * clock, is over as well. Whoever signs in again faster than that signs in once more.
 */
const CLOCK_TOLERANCE = 5_000

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

/**
 * Marks in a store that others may use as well: their provider or client is another one.
 *
 * Names of users are guessable, often they are addresses. So with keys a mark's own key is their HMAC, and who reads the
 * store cannot try names; without keys it is a plain hash. The value is a time, and is not sealed.
 */
export function createSessionMarks(
  settings: Pick<
    Settings,
    'store' | 'issuer' | 'clientId' | 'encryptionKeys' | 'sessionLifetime' | 'now'
  >,
): SessionMarks {
  const { store, issuer, clientId, encryptionKeys, sessionLifetime, now } = settings
  let digests: Promise<readonly Digest[]> | undefined

  /** A session keeps what the first key makes of its names; a logout later may find that key behind a newer one. */
  const keysOf = async (kind: 'sid' | 'sub' | 'sub-without-sid', name: string | undefined) => {
    if (name === undefined) return []
    digests ??=
      encryptionKeys.length === 0 ? Promise.resolve([hashSecretId]) : hmacs(encryptionKeys)
    const text = JSON.stringify([issuer.href, clientId, name])
    return Promise.all((await digests).map(async (digest) => `mark:${kind}:${await digest(text)}`))
  }

  return Object.freeze<SessionMarks>({
    async of({ subject, providerSession }) {
      const keys = await Promise.all([
        keysOf('sub', subject),
        providerSession === undefined
          ? keysOf('sub-without-sid', subject)
          : keysOf('sid', providerSession),
      ])
      return keys.flatMap(([first]) => first ?? [])
    },
    async hasEnded({ startedAt = 0, marks = [] }) {
      const moments = await Promise.all(marks.map((key) => store.get(key)))
      return moments.some(
        (moment) => moment !== undefined && startedAt <= Number(moment) + CLOCK_TOLERANCE,
      )
    },
    async end({ subject, providerSession }, tokenId) {
      const heard = `mark:jti:${await hashSecretId(JSON.stringify([issuer.href, clientId, tokenId]))}`
      if ((await store.get(heard)) !== undefined) return false
      // A token with a `sid` means that session alone, and those of the user whose ID token did not name theirs.
      const ended = await Promise.all(
        providerSession === undefined
          ? [keysOf('sub', subject)]
          : [keysOf('sid', providerSession), keysOf('sub-without-sid', subject)],
      )
      // No session lives longer than that, also one that began when the option was another: see `livingSessions`.
      const until = now() + CLOCK_TOLERANCE + sessionLifetime
      await Promise.all(ended.flat().map((key) => store.set(key, String(now()), until)))
      // After the marks: should they fail, the provider may send the token again. Of two at the same time both are right.
      await store.set(heard, '', now() + MEMORY)
      return true
    },
  })
}

type Digest = (text: string) => Promise<string>

/** One function for each key: HMAC-SHA-256 with a key that is derived from it (RFC 5869), base64url. */
async function hmacs(keys: readonly Uint8Array[]): Promise<readonly Digest[]> {
  const info = new TextEncoder().encode('@token-bridge/server session marks')
  return Promise.all(
    keys.map(async (key) => {
      const base = await crypto.subtle.importKey('raw', Uint8Array.from(key), 'HKDF', false, [
        'deriveKey',
      ])
      const derived = await crypto.subtle.deriveKey(
        { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info },
        base,
        { name: 'HMAC', hash: 'SHA-256', length: 256 },
        false,
        ['sign'],
      )
      return async (text) =>
        base64url.encode(
          new Uint8Array(await crypto.subtle.sign('HMAC', derived, new TextEncoder().encode(text))),
        )
    }),
  )
}
