import { abortable } from './abort.ts'
import type { AuthError } from './errors.ts'
import type { Listeners } from './listeners.ts'
import type { BridgeEvent } from './state.ts'
import type { AccessToken } from './token.ts'
import type { Vault } from './vault.ts'

/** What a wait goes by. */
export interface TokenWait {
  readonly vault: Pick<Vault, 'current' | 'held'>
  readonly changes: Pick<Listeners<BridgeEvent>, 'add'>
  /** Why waiting would bring no token; `null` while it can. */
  whyNot(): AuthError | null
  /** Aborts when the bridge stops. */
  life(): AbortSignal
}

/** Resolves with a valid token, or rejects with the typed reason why there will be none, or why the wait was ended. */
export function waitForToken(
  parts: TokenWait,
  signal: AbortSignal | undefined,
): Promise<AccessToken> {
  const { vault, changes, whyNot } = parts
  const life = parts.life()
  let leave = (): void => {}
  const settled = new Promise<AccessToken>((resolve, reject) => {
    const look = (): void => {
      const token = vault.current()
      const reason = token === null ? whyNot() : null
      if (token !== null) resolve(token)
      else if (reason !== null) reject(reason)
    }
    const stop = (): void => reject(life.reason as Error)
    const unsubscribe = changes.add(look)
    life.addEventListener('abort', stop)
    leave = () => {
      unsubscribe()
      life.removeEventListener('abort', stop)
    }
    look()
  })
  return (
    abortable(settled, signal)
      .finally(leave)
      // A reset may have come between the token and whoever waited for it.
      .then((token) => (vault.held() === token ? token : waitForToken(parts, signal)))
  )
}
