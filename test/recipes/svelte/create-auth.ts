import type { AuthStatus, TokenReader } from '@token-bridge/core'
import { createSubscriber } from 'svelte/reactivity'

export interface Auth {
  readonly status: AuthStatus
  readonly token: string | null
  readonly fetch: typeof globalThis.fetch
}

/** The reader, as something that effects and markup follow while they are there. It holds nothing itself. */
export function createAuth(auth: TokenReader): Auth {
  const follow = createSubscriber((update) => auth.subscribe(update))
  return Object.freeze({
    get status() {
      follow()
      return auth.snapshot().status
    },
    get token() {
      follow()
      return auth.current()?.accessToken ?? null
    },
    fetch: auth.fetch,
  })
}
