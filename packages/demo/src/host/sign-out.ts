import type { SecureTokenBridge } from '@token-bridge/core'
import { SYNC_HEADER, SYNC_VERSION } from '@token-bridge/core/wire'

/** Ends the session in the page, at the host's server and at the provider, in this order. */
export async function signOut(bridge: SecureTokenBridge): Promise<void> {
  await bridge.reset('sign-out')
  const response = await fetch('/api/auth/logout', {
    method: 'POST',
    headers: { [SYNC_HEADER]: SYNC_VERSION },
  })
  const { endSessionUrl } = (await response.json()) as { readonly endSessionUrl?: string }
  if (endSessionUrl !== undefined) location.assign(endSessionUrl)
}
