import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { signRemote } from '@token-bridge/federation/sign'
import { exportJWK, generateKeyPair } from 'jose'
import { REMOTES, REMOTE_VERSION } from './container-names.ts'
import { KEYS_FILE } from './paths.ts'

/** A demo that was built long ago still starts. */
const TEN_YEARS = 315_360_000_000

/**
 * Signs the three remotes with a key that is made for this build and then forgotten: a build that is older or newer is
 * not one of this host's.
 */
export async function signRemotes(folder: string): Promise<void> {
  const pair = await generateKeyPair('ES256', { extractable: true })
  const about = { kid: 'demo', alg: 'ES256', use: 'sig' }
  const privateJwk = { ...(await exportJWK(pair.privateKey)), ...about }
  const publicJwk = { ...(await exportJWK(pair.publicKey)), ...about }
  for (const { name, container } of REMOTES)
    await signRemote(join(folder, name), privateJwk, {
      name: container,
      version: REMOTE_VERSION,
      expiresIn: TEN_YEARS,
    })
  writeFileSync(join(folder, KEYS_FILE), JSON.stringify({ keys: [publicJwk] }))
}
