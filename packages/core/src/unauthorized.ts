import { abortable } from './abort.ts'
import type { RefusedTokens } from './refused-tokens.ts'
import type { Refresher } from './rotation/refresher.ts'
import type { AccessToken } from './token.ts'
import type { Vault } from './vault.ts'

/** What becomes of a 401. */
export interface Unauthorized {
  /** A client of the remote's own got a 401 with the token of this generation. */
  report(remote: string, generation: number): void
  /** Resolves with a newer token than the one that was refused, or with `null`. Rejects only when the signal aborts. */
  replace(
    remote: string,
    refused: AccessToken,
    signal: AbortSignal | undefined,
  ): Promise<AccessToken | null>
}

/**
 * A 401 that names a token already replaced needs no rotation: the current one is newer. One that names the current token
 * causes a rotation, if the last one that a 401 asked for is long enough ago, and all who report it wait for that one.
 */
export function createUnauthorized(parts: {
  readonly vault: Pick<Vault, 'current' | 'held'>
  readonly refresher: Pick<Refresher, 'refreshing' | 'landed'>
  readonly refusedTokens: Pick<RefusedTokens, 'mayRotate'>
  refresh(): Promise<void>
  publish(event: {
    readonly type: 'unauthorized'
    readonly remote: string
    readonly generation: number
  }): void
}): Unauthorized {
  const { vault, refresher, refusedTokens, refresh, publish } = parts
  // A session that is over, or a switch that was thrown: the 401 of a token from before must not begin a new one.
  const isHeld = (generation: number): boolean => vault.held()?.generation === generation

  /** Rotates if that can help. Its failure is in the events and the snapshot. */
  async function rotate(generation: number): Promise<void> {
    try {
      // A confirmation under way may bring a newer token.
      if (isHeld(generation) && !refresher.refreshing) await refresher.landed()
      if (isHeld(generation) && (refresher.refreshing || refusedTokens.mayRotate())) await refresh()
    } catch {}
  }

  return {
    report(remote, generation) {
      publish({ type: 'unauthorized', remote, generation })
      void rotate(generation)
    },
    async replace(remote, { generation }, signal) {
      publish({ type: 'unauthorized', remote, generation })
      await abortable(rotate(generation), signal)
      const token = vault.current()
      return token !== null && token.generation > generation ? token : null
    },
  }
}
