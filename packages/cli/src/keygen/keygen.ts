import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AuthError } from '@token-bridge/core/errors'
import type { JWK } from 'jose'
import { createSigningKey, type SigningAlgorithm } from './signing-key.ts'

/** Which key pair to make, and where to write it. */
export interface KeygenOptions {
  /** Where the two files go; made when it does not exist. Default: the current directory. */
  readonly directory?: string
  /** Default `ES256`. */
  readonly algorithm?: SigningAlgorithm
}

/** Where the two halves of the key pair were written. */
export interface KeygenResult {
  /** RFC 7638 thumbprint, the same in both files. */
  readonly kid: string
  readonly privateFile: string
  readonly publicFile: string
}

/**
 * Makes a key pair for signing remotes and writes `remote-signing.private.jwk.json` (readable by its owner only, mode
 * 0600) and `remote-signing.public.jwk.json`. Writes both or none.
 *
 * @throws AuthError `ERR_CONFIG` when one of the files exists, or cannot be written.
 */
export async function keygen(options: KeygenOptions = {}): Promise<KeygenResult> {
  const { directory = '.', algorithm = 'ES256' } = options
  const privateFile = join(directory, 'remote-signing.private.jwk.json')
  const publicFile = join(directory, 'remote-signing.public.jwk.json')
  const { kid, privateJwk, publicJwk } = await createSigningKey(algorithm)

  await mkdir(directory, { recursive: true }).catch((cause: unknown) => {
    throw new AuthError(
      'ERR_CONFIG',
      `${directory} cannot be made a directory (${codeOf(cause)}).`,
      {
        phase: 'configure',
        cause,
      },
    )
  })
  // The public one first: should the second fail, no private key has ever been on the disk.
  await writeNew(publicFile, publicJwk, 0o644)
  try {
    await writeNew(privateFile, privateJwk, 0o600)
  } catch (error) {
    await rm(publicFile)
    throw error
  }
  return Object.freeze({ kid, privateFile, publicFile })
}

async function writeNew(file: string, jwk: JWK, mode: number): Promise<void> {
  await writeFile(file, `${JSON.stringify(jwk, null, 2)}\n`, { flag: 'wx', mode }).catch(
    (cause: unknown) => {
      throw unwritable(file, cause)
    },
  )
}

function unwritable(path: string, cause: unknown): AuthError {
  const code = codeOf(cause)
  const message =
    code === 'EEXIST'
      ? `${path} exists already and is not overwritten: what it has signed could no longer be replaced. Move it away, or choose another --out.`
      : `${path} cannot be written (${code}).`
  return new AuthError('ERR_CONFIG', message, { phase: 'configure', cause })
}

const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? 'unknown'
