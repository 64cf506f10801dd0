import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'

/** Where a pair of keys went. */
export interface WrittenKeys {
  readonly privateKey: string
  readonly publicKey: string
  /** RFC 7638 thumbprint; also the name of the files. */
  readonly kid: string
}

/**
 * Makes a pair of signing keys and writes both as JWK (RFC 7517), the private one readable by its owner only.
 *
 * @throws Error when a file is there already: a key is never overwritten.
 */
export async function keygen(folder: string, alg: 'ES256' | 'EdDSA'): Promise<WrittenKeys> {
  const pair = await generateKeyPair(alg, { extractable: true })
  const [secret, open] = await Promise.all([exportJWK(pair.privateKey), exportJWK(pair.publicKey)])
  const kid = await calculateJwkThumbprint(open)
  const written: WrittenKeys = {
    privateKey: join(folder, 'remote-signing.private.jwk.json'),
    publicKey: join(folder, 'remote-signing.public.jwk.json'),
    kid,
  }
  await mkdir(folder, { recursive: true })
  const text = (key: object): string =>
    `${JSON.stringify({ ...key, kid, alg, use: 'sig' }, null, 2)}\n`
  await create(written.privateKey, text(secret), 0o600)
  // The mode of a new file is cut by the umask, never widened; said again for file systems that ignore it.
  await chmod(written.privateKey, 0o600)
  await create(written.publicKey, text(open), 0o644)
  return written
}

async function create(path: string, content: string, mode: number): Promise<void> {
  try {
    await writeFile(path, content, { flag: 'wx', mode })
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    throw new Error(
      exists
        ? `${path} exists already, and a key is never overwritten.`
        : `${path} could not be written.`,
      { cause },
    )
  }
}
