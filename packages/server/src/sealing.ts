import { calculateJwkThumbprint, base64url, CompactEncrypt, compactDecrypt } from 'jose'
import type { AuthLogger } from './options.ts'
import type { SessionStore } from './session-store.ts'

/** How every compact JWE begins: `{"`. No value of ours does. */
const SEALED = 'eyJ'

/**
 * A store whose values are sealed on their way in and opened on their way out: compact JWE (RFC 7516), a fresh AES-256-GCM
 * key for each, wrapped with ours (`A256KW`), so that no number of values wears a key out. The value's own key in the
 * store is part of what is authenticated: what was copied from one entry into another does not open.
 *
 * A value that does not open counts as none; the first one is warned of, and so is a store outside of memory without keys.
 *
 * @param keys - the first seals, all open; none: values are stored as they are, and sealed ones count as none.
 */
export function sealing(
  store: SessionStore,
  keys: readonly Uint8Array[],
  logger: Pick<AuthLogger, 'warn'>,
): SessionStore {
  const named = new Map<string, Uint8Array>()
  let first: Promise<string | undefined> | undefined
  let hasWarned = false
  if (keys.length === 0 && store.isVolatile !== true) {
    logger.warn(
      '[auth] the store keeps tokens as plain text; give authRoutes({ encryptionKeys })',
      {
        event: 'unsealed-store',
      },
    )
  }

  /** Names the keys (RFC 7638) and resolves with the first one's name. */
  function firstName(): Promise<string | undefined> {
    first ??= (async () => {
      for (const key of keys) {
        named.set(await calculateJwkThumbprint({ kty: 'oct', k: base64url.encode(key) }), key)
      }
      return named.keys().next().value
    })()
    return first
  }

  async function seal(key: string, value: string): Promise<string> {
    const kid = await firstName()
    const secret = kid === undefined ? undefined : named.get(kid)
    if (kid === undefined || secret === undefined) return value
    return new CompactEncrypt(new TextEncoder().encode(value))
      .setProtectedHeader({ alg: 'A256KW', enc: 'A256GCM', kid, for: key })
      .encrypt(secret)
  }

  async function open(key: string, sealed: string): Promise<string | undefined> {
    if (keys.length === 0 && !sealed.startsWith(SEALED)) return sealed
    await firstName()
    try {
      const { plaintext, protectedHeader } = await compactDecrypt(
        sealed,
        ({ kid }) => {
          const secret = named.get(String(kid))
          if (secret === undefined) throw new Error('No such key.')
          return secret
        },
        { keyManagementAlgorithms: ['A256KW'], contentEncryptionAlgorithms: ['A256GCM'] },
      )
      if (protectedHeader['for'] === key) return new TextDecoder().decode(plaintext)
    } catch {
      // Which of the many ways it did not open is of no use to anyone but an attacker.
    }
    if (!hasWarned) {
      hasWarned = true
      logger.warn(
        '[auth] a stored value was not sealed for its place with one of encryptionKeys; it counts as none',
        { event: 'unreadable-value' },
      )
    }
    return undefined
  }

  return Object.freeze<SessionStore>({
    async get(key) {
      const sealed = await store.get(key)
      return sealed === undefined ? undefined : open(key, sealed)
    },
    set: async (key, value, expiresAt) => store.set(key, await seal(key, value), expiresAt),
    async lock(key, lockFor) {
      const locked = await store.lock(key, lockFor)
      const value = locked && (await open(key, locked.value))
      return locked && value !== undefined ? { value, fence: locked.fence } : undefined
    },
    replace: async (key, value, fence, lockFor) =>
      store.replace(key, await seal(key, value), fence, lockFor),
    touch: (key, expiresAt) => store.touch(key, expiresAt),
    delete: (key, fence) => store.delete(key, fence),
  })
}
