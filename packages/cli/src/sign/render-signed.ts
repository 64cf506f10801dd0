import type { SignedRemote } from '@token-bridge/federation/sign'

/** Says what was signed, by which key and until when. */
export function renderSigned({ file, kid, list }: SignedRemote): string {
  const count = Object.keys(list.files).length
  const how = list.type === 'module' ? 'a module' : `a script that sets ${list.global}`
  return `Signed ${list.name} ${list.version}: ${count} ${count === 1 ? 'file' : 'files'}, ${list.entry} is ${how}

${file}
  Publish it with the build, beside ${list.entry}, and never without it: hosts run what is in it, byte for byte, until
  ${new Date(list.expiresAt).toISOString()}. Sign anew before that day (--replace), also when nothing has changed.
  Key ${kid}
`
}
