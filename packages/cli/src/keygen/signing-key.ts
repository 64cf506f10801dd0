import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'

/** What remotes can be signed with (RFC 7518, RFC 8037). */
export type SigningAlgorithm = 'ES256' | 'EdDSA'

export const SIGNING_ALGORITHMS: readonly SigningAlgorithm[] = Object.freeze(['ES256', 'EdDSA'])

/** A key pair as JSON Web Keys (RFC 7517) with `alg`, `use` and `kid`. */
export interface SigningKey {
  /** RFC 7638 thumbprint, SHA-256. */
  readonly kid: string
  readonly privateJwk: JWK
  readonly publicJwk: JWK
}

/** Makes a new key pair. */
export async function createSigningKey(algorithm: SigningAlgorithm): Promise<SigningKey> {
  const pair = await generateKeyPair(algorithm, { extractable: true })
  const [privateJwk, publicJwk] = await Promise.all([
    exportJWK(pair.privateKey),
    exportJWK(pair.publicKey),
  ])
  const kid = await calculateJwkThumbprint(publicJwk)
  const about = { kid, alg: algorithm, use: 'sig' }
  return { kid, privateJwk: { ...privateJwk, ...about }, publicJwk: { ...publicJwk, ...about } }
}
