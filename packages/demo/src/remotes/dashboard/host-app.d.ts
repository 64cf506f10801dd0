/** The host's module, which Module Federation resolves at run time. */
declare module 'host_app/auth-bridge' {
  import type { TokenReader } from '@token-bridge/core'

  export const tokenBridge: TokenReader
}
