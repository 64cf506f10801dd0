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
  /** Tells when the bridge stops. Not a signal: a thousand may wait, and Node warns of more than ten on one. */
  readonly stops: Pick<Listeners<AuthError>, 'add'>
}

/** Resolves with a valid token, or rejects with the typed reason why there will be none, or why the wait was ended. */
export function waitForToken(
  parts: TokenWait,
  signal: AbortSignal | undefined,
): Promise<AccessToken> {
  const { vault, changes, stops, whyNot } = parts
  let leave = (): void => {}
  const settled = new Promise<AccessToken>((resolve, reject) => {
    const look = (): void => {
      const token = vault.current()
      const reason = token === null ? whyNot() : null
      if (token !== null) resolve(token)
      else if (reason !== null) reject(reason)
    }
    const removeLook = changes.add(look)
    const removeStop = stops.add(reject)
    leave = () => {
      removeLook()
      removeStop()
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
