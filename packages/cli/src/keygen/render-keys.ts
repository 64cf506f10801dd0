import type { KeygenResult } from './keygen.ts'

/** Says where the keys are and what to do with each. */
export function renderKeys({ kid, privateFile, publicFile }: KeygenResult): string {
  return `New key ${kid}

${privateFile}
  The private key: it signs remotes. Put it into the secret store of the build that publishes them, then delete
  this file. Never commit it, never put it on a web server: who has it can run code in the host's page.

${publicFile}
  The public key: it checks signatures. Build it into the host, as the key that its remotes are trusted by. It is no
  secret, and may be committed.

To replace the key: make another one, let the host trust both, sign everything anew, then take the old one out.
`
}
