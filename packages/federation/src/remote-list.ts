/**
 * The signed list of a remote's files: its format, and what makes one acceptable. Runs in the page and in Node.
 *
 * @module
 */
import type { AuthError } from '@token-bridge/core/errors'
import { compactVerify, createLocalJWKSet, errors, type JWK } from 'jose'
import { refusal } from './refusal.ts'
import { compareVersions, isVersion } from './version.ts'

/** The name of the list, beside the entry that it vouches for. */
export const LIST_FILE = 'token-bridge.jws'

/** The `typ` of a list's header (RFC 7515, section 4.1.9): no other JWS by the same key passes for a list. */
export const LIST_TYPE = 'token-bridge-remote+jws'

/** What a list may be signed with (RFC 7518, RFC 8037). */
export const LIST_ALGORITHMS: readonly string[] = Object.freeze(['ES256', 'EdDSA'])

/** Public keys, as `token-bridge keygen` writes them (RFC 7517): several while one replaces another. */
export interface RemoteKeys {
  readonly keys: readonly JWK[]
}

/** What a signed list says of one build of a remote. */
export interface RemoteList {
  /** The remote's federation name. */
  readonly name: string
  /** Semantic Versioning 2.0. */
  readonly version: string
  /** How the entry is loaded: as an ES module, or as a script that sets a global. */
  readonly type: 'module' | 'global'
  /** The global that a script sets; for a module the remote's name. */
  readonly global: string
  /** The entry's path, which is one of `files`. */
  readonly entry: string
  /** Epoch milliseconds. */
  readonly issuedAt: number
  /** Epoch milliseconds. From then on nobody accepts the list. */
  readonly expiresAt: number
  /** SHA-384 of every file (`sha384-…`, as `integrity` takes it), by its path from the list on. */
  readonly files: Readonly<Record<string, string>>
}

/** What the one who asks for a remote knows of it. */
export interface ListExpectations {
  readonly name: string
  /** Refuse versions older than this. */
  readonly minVersion?: string
  /** Epoch milliseconds. Default: now. */
  readonly now?: number
}

/** The payload as it is signed; times are seconds, as in a JWT. */
export interface ListPayload {
  readonly name: string
  readonly version: string
  readonly type: 'module' | 'global'
  readonly global: string
  readonly entry: string
  readonly iat: number
  readonly exp: number
  readonly files: Readonly<Record<string, string>>
}

/**
 * Checks a signed list: its signature by one of these keys, its shape, its time, its name and its version.
 *
 * @param list - the text of the list: a JWS in compact serialization (RFC 7515, section 3.1).
 * @returns what it says, frozen.
 * @throws AuthError `ERR_REMOTE_SIGNATURE` for an unknown key, a bad signature or a list that is none;
 *   `ERR_REMOTE_EXPIRED`, `ERR_REMOTE_NAME`, `ERR_REMOTE_DOWNGRADE`.
 * @example
 * const { version } = await verifyRemote(text, { keys: [publicJwk] }, { name: 'remote_orders' })
 */
export async function verifyRemote(
  list: string,
  keys: RemoteKeys,
  expectations: ListExpectations,
): Promise<RemoteList> {
  const { name, minVersion, now = Date.now() } = expectations
  const payload = readPayload(await verifiedText(list, keys, name), name)
  if (payload.exp * 1000 <= now)
    throw refusal(
      'ERR_REMOTE_EXPIRED',
      `The signed list of "${name}" has expired. Sign the build anew: token-bridge sign.`,
    )
  if (payload.name !== name)
    throw refusal('ERR_REMOTE_NAME', `The list found for "${name}" is another remote's.`)
  if (minVersion !== undefined && compareVersions(payload.version, minVersion) < 0)
    throw refusal(
      'ERR_REMOTE_DOWNGRADE',
      `"${name}" is version ${payload.version}; the oldest that is accepted is ${minVersion}.`,
    )
  const { iat, exp, files, ...about } = payload
  return Object.freeze({
    ...about,
    issuedAt: iat * 1000,
    expiresAt: exp * 1000,
    files: Object.freeze(Object.assign(Object.create(null) as Record<string, string>, files)),
  })
}

async function verifiedText(list: string, keys: RemoteKeys, name: string): Promise<string> {
  try {
    const { payload, protectedHeader } = await compactVerify(
      list.trim(),
      createLocalJWKSet({ keys: [...keys.keys] }),
      { algorithms: [...LIST_ALGORITHMS] },
    )
    // Without a `kid` the header would leave it to chance which of several keys is meant.
    if (protectedHeader.typ === LIST_TYPE && protectedHeader.kid !== undefined)
      return new TextDecoder('utf-8', { fatal: true }).decode(payload)
  } catch (cause) {
    const why =
      cause instanceof errors.JWKSNoMatchingKey
        ? 'is signed by a key that the host does not trust'
        : 'has no valid signature'
    throw refusal('ERR_REMOTE_SIGNATURE', `The signed list of "${name}" ${why}.`, cause)
  }
  throw notAList(name)
}

const notAList = (name: string): AuthError =>
  refusal('ERR_REMOTE_SIGNATURE', `What is signed for "${name}" is no list of files.`)

function readPayload(text: string, name: string): ListPayload {
  let payload: unknown
  try {
    payload = JSON.parse(text)
  } catch (cause) {
    throw refusal('ERR_REMOTE_SIGNATURE', `The signed list of "${name}" is no JSON.`, cause)
  }
  if (!isPayload(payload)) throw notAList(name)
  return payload
}

const HASH = /^sha384-[A-Za-z0-9+/]{64}$/

/** Tells whether a path leads to a file below the list, and to one only. */
export function isListedPath(path: string): boolean {
  return (
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..') &&
    !path.includes('\\')
  )
}

function isPayload(value: unknown): value is ListPayload {
  if (typeof value !== 'object' || value === null) return false
  const { name, version, type, global, entry, iat, exp, files } = value as Record<string, unknown>
  return (
    typeof name === 'string' &&
    isVersion(version) &&
    (type === 'module' || type === 'global') &&
    typeof global === 'string' &&
    global !== '' &&
    Number.isSafeInteger(iat) &&
    Number.isSafeInteger(exp) &&
    typeof files === 'object' &&
    files !== null &&
    Object.entries(files).every(
      ([path, hash]) => isListedPath(path) && typeof hash === 'string' && HASH.test(hash),
    ) &&
    typeof entry === 'string' &&
    Object.hasOwn(files, entry)
  )
}
