import { readFile } from 'node:fs/promises'
import { AuthError } from '@token-bridge/core/errors'
import {
  signRemote,
  type SignedRemote,
  type SignRemoteOptions,
} from '@token-bridge/federation/sign'
import type { JWK } from 'jose'

/** Signs the build in a folder with the key in a file. */
export async function sign(
  folder: string,
  keyFile: string,
  options: SignRemoteOptions,
): Promise<SignedRemote> {
  return signRemote(folder, await readKey(keyFile), options)
}

async function readKey(file: string): Promise<JWK> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw refuse(code === 'ENOENT' ? `${file} does not exist` : `${file} cannot be read (${code})`)
  })
  let jwk: unknown
  try {
    jwk = JSON.parse(text)
  } catch {
    // Without the cause: a parser's message quotes the beginning of the text.
    throw refuse(`${file} is no key`)
  }
  if (!isKey(jwk)) throw refuse(`${file} is no key`)
  return jwk
}

const isKey = (value: unknown): value is JWK =>
  typeof value === 'object' && value !== null && typeof (value as JWK).kty === 'string'

const refuse = (what: string): AuthError =>
  new AuthError(
    'ERR_CONFIG',
    `${what}. --key takes the private JSON Web Key that \`token-bridge keygen\` writes.`,
    { phase: 'configure' },
  )
