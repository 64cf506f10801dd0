/**
 * Signs a remote's build. Runs in Node, after the bundler.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Script } from 'node:vm'
import { AuthError } from '@token-bridge/core/errors'
import { calculateJwkThumbprint, CompactSign, importJWK, type JWK } from 'jose'
import {
  isListedPath,
  LIST_ALGORITHMS,
  LIST_FILE,
  LIST_TYPE,
  type ListPayload,
  type RemoteList,
} from './remote-list.ts'
import { isVersion } from './version.ts'

export {
  LIST_FILE,
  verifyRemote,
  type ListExpectations,
  type RemoteKeys,
  type RemoteList,
} from './remote-list.ts'

/** What the list says beside the hashes. */
export interface SignRemoteOptions {
  /** The remote's federation name, as its build and the host's `trust.remotes` have it. */
  readonly name: string
  /** Of the build, Semantic Versioning 2.0. Hosts refuse what is older than they ask for. */
  readonly version: string
  /** Milliseconds from now on. Default 90 days. Give this or `expiresAt`. */
  readonly expiresIn?: number
  /** Epoch milliseconds. */
  readonly expiresAt?: number
  /** The entry's file name, in the folder itself. Default `remoteEntry.js`. */
  readonly entry?: string
  /** The global that a script entry sets. Default: the name. */
  readonly global?: string
  /** Replaces a list that is there. Default `false`. */
  readonly replace?: boolean
}

/** What was written. */
export interface SignedRemote {
  /** Path of the list. */
  readonly file: string
  /** Of the key that signed. */
  readonly kid: string
  readonly list: RemoteList
}

const DAY = 86_400_000

/**
 * Hashes every file of a remote's build (SHA-384) and writes the signed list `token-bridge.jws` into its folder: a JWS in
 * compact serialization (RFC 7515), ES256 or EdDSA as the key says. The same build, key and times give the same list of
 * files, in the order of their paths.
 *
 * @param folder - what the bundler wrote, with the remote's entry directly in it.
 * @param key - a private JSON Web Key, as `token-bridge keygen` makes it.
 * @throws AuthError `ERR_CONFIG` for a folder, a key or an option that cannot be used, a symbolic link in the folder, or
 *   a list that is there already.
 * @example
 * await signRemote('dist', privateJwk, { name: 'remote_orders', version: '1.4.0' })
 */
export async function signRemote(
  folder: string,
  key: JWK,
  options: SignRemoteOptions,
): Promise<SignedRemote> {
  const { name, version, entry = 'remoteEntry.js', replace = false } = options
  const issuedAt = Date.now()
  const expiresAt = checkTimes(options, issuedAt)
  if (typeof name !== 'string' || name === '')
    throw misused('`name` must be the federation name of the remote.')
  if (!isVersion(version))
    throw misused('`version` must be a version such as 1.4.0 (Semantic Versioning 2.0).')
  const signer = await importSigner(key)

  const paths = await listFiles(folder)
  if (paths.length === 0) throw misused(`${folder} is empty: build the remote first.`)
  if (!paths.includes(entry) || entry.includes('/'))
    throw misused(
      `${folder} has no ${entry} directly in it. Name the folder with the remote's entry, or the entry's file name.`,
    )
  const files: Record<string, string> = {}
  for (const path of paths) files[path] = await hashFile(join(folder, path))

  const payload: ListPayload = {
    name,
    version,
    type: await entryType(join(folder, entry)),
    global: options.global ?? name,
    entry,
    iat: Math.floor(issuedAt / 1000),
    exp: Math.floor(expiresAt / 1000),
    files,
  }
  const text = await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: signer.algorithm, kid: signer.kid, typ: LIST_TYPE })
    .sign(signer.key)
  const file = join(folder, LIST_FILE)
  await writeFile(file, `${text}\n`, { flag: replace ? 'w' : 'wx' }).catch((cause: unknown) => {
    throw codeOf(cause) === 'EEXIST'
      ? misused(`${file} exists already. Build anew, or replace it on purpose: --replace.`, cause)
      : misused(`${file} cannot be written (${codeOf(cause)}).`, cause)
  })
  const { iat, exp, ...about } = payload
  return Object.freeze({
    file,
    kid: signer.kid,
    list: Object.freeze({ ...about, issuedAt: iat * 1000, expiresAt: exp * 1000 }),
  })
}

const misused = (message: string, cause?: unknown): AuthError =>
  new AuthError('ERR_CONFIG', message, { phase: 'configure', cause })

const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? 'unknown'

function checkTimes({ expiresIn, expiresAt }: SignRemoteOptions, now: number): number {
  if (expiresIn !== undefined && expiresAt !== undefined)
    throw misused('Give `expiresIn` or `expiresAt`, not both.')
  const end = expiresAt ?? now + (expiresIn ?? 90 * DAY)
  if (!Number.isSafeInteger(end) || end < now + 1000)
    throw misused('The list must end in the future: `expiresIn` or `expiresAt`, milliseconds.')
  return end
}

interface Signer {
  readonly key: Parameters<CompactSign['sign']>[0]
  readonly algorithm: string
  readonly kid: string
}

async function importSigner(jwk: JWK): Promise<Signer> {
  const algorithm = jwk.alg ?? (jwk.kty === 'EC' ? 'ES256' : 'EdDSA')
  const expected = 'a private JSON Web Key for ES256 or EdDSA, as `token-bridge keygen` makes it'
  if (typeof jwk.d !== 'string' || !LIST_ALGORITHMS.includes(algorithm))
    throw misused(
      `The key must be ${expected}${typeof jwk.x === 'string' && jwk.d === undefined ? '; this is a public one' : ''}.`,
    )
  try {
    return {
      key: await importJWK(jwk, algorithm),
      algorithm,
      kid: jwk.kid ?? (await calculateJwkThumbprint(jwk)),
    }
  } catch {
    // Not as a cause: what a key's parser complains of may quote the key.
    throw misused(`The key must be ${expected}; this one cannot be read.`)
  }
}

/** Paths from the folder on, with `/`, in the order of their code units. */
async function listFiles(folder: string): Promise<string[]> {
  const found: string[] = []
  const walk = async (relative: string): Promise<void> => {
    const entries = await readdir(join(folder, relative), { withFileTypes: true }).catch(
      (cause: unknown) => {
        throw misused(
          codeOf(cause) === 'ENOENT'
            ? `${folder} does not exist: build the remote first.`
            : `${folder} is no folder that can be read (${codeOf(cause)}).`,
          cause,
        )
      },
    )
    for (const entry of entries) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`
      if (entry.isDirectory()) await walk(path)
      else if (path !== LIST_FILE) {
        // A link may lead to other bytes where the build is served, and out of the folder.
        if (!entry.isFile())
          throw misused(
            `${join(folder, path)} is a symbolic link or no file at all: put the file itself there.`,
          )
        if (!isListedPath(path)) throw misused(`${join(folder, path)} has a name with a backslash.`)
        found.push(path)
      }
    }
  }
  await walk('')
  const list = await lstat(join(folder, LIST_FILE)).catch(() => null)
  if (list?.isSymbolicLink() === true)
    throw misused(`${join(folder, LIST_FILE)} is a symbolic link: remove it.`)
  return found.toSorted()
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha384')
  await pipeline(createReadStream(path), hash)
  return `sha384-${hash.digest('base64')}`
}

/** A container that is a module exports something, and that is no script's syntax. Nothing is run. */
async function entryType(path: string): Promise<'module' | 'global'> {
  try {
    void new Script(await readFile(path, 'utf8'))
    return 'global'
  } catch {
    return 'module'
  }
}
