import type { SecureTokenBridge } from '@token-bridge/core'
import { SYNC_HEADER, SYNC_VERSION } from '@token-bridge/core/wire'

/** Ends the session in the page, at the host's server and at the provider. Rejects when the server did not hear of it. */
export type SignOut = () => Promise<void>

const TASK = 'server-session'

/**
 * Makes the end of the server's session a part of every sign-out. As a cleanup it comes after the page is empty, and before
 * the other tabs are told, which ask the server whether it is true.
 */
export function createSignOut(bridge: SecureTokenBridge): SignOut {
  let endSessionUrl: string | undefined
  bridge.onCleanup(TASK, async (reason) => {
    if (reason !== 'sign-out') return
    const response = await fetch('/api/auth/logout', {
      method: 'POST',
      headers: { [SYNC_HEADER]: SYNC_VERSION },
    })
    if (!response.ok) throw new Error(`The sign-out was answered ${response.status}.`)
    ;({ endSessionUrl } = (await response.json()) as { readonly endSessionUrl?: string })
  })
  return async () => {
    const { steps } = await bridge.reset('sign-out')
    if (steps.some(({ name, outcome }) => name === TASK && outcome !== 'done'))
      throw new Error('The server could not be told of the sign-out.')
    if (endSessionUrl !== undefined) location.assign(endSessionUrl)
  }
}
