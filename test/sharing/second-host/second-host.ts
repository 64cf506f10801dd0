import { createTokenBridge } from '@token-bridge/core'
import { isAuthError } from '@token-bridge/core/errors'

declare global {
  /** How the second host of the page fared: a code and a message, or that it got its bridge. */
  var secondHost: { readonly code: string; readonly message: string } | undefined
}

try {
  createTokenBridge({ tabs: false })
  globalThis.secondHost = { code: 'none', message: 'started' }
} catch (error) {
  const { code, message } = isAuthError(error) ? error : { code: '', message: String(error) }
  globalThis.secondHost = { code, message }
}
