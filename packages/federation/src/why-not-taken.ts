import type { AuthError } from '@token-bridge/core/errors'
import type { PinnedFailure } from './element-pins.ts'
import { refusal } from './refusal.ts'
import type { TrustedRemote } from './trusted-remotes.ts'

/**
 * Finds out why the browser did not take a file: an `error` event says the same of wrong bytes and of no bytes. Asks for
 * the file once more, and runs nothing of it.
 */
export async function whyNotTaken(
  { name }: TrustedRemote,
  { base, address, hash }: PinnedFailure,
): Promise<AuthError> {
  const path = address.slice(base.length)
  if (hash === null)
    return refusal('ERR_REMOTE_TAMPERED', `The signed list of "${name}" has no file "${path}".`)
  const bytes = await fetch(address, { cache: 'no-store', credentials: 'omit' })
    .then((response) => (response.ok ? response.arrayBuffer() : null))
    .catch(() => null)
  if (bytes === null || (await hashOf(bytes)) === hash)
    return refusal('ERR_REMOTE_UNREACHABLE', `"${path}" of "${name}" could not be loaded.`)
  return refusal('ERR_REMOTE_TAMPERED', `"${path}" of "${name}" is not the file that was signed.`)
}

async function hashOf(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-384', bytes))
  return `sha384-${btoa(String.fromCharCode(...digest))}`
}
