import type { AuthSnapshot, BridgeEvent } from './state.ts'

/**
 * The interception seam: what a store has to be for the bridge. Called once for each event, in order, after the vault has
 * changed and before any remote is told, so a remote that looks at the store finds the state it was told about.
 */
export interface StoreAdapter {
  readonly name: string
  apply(event: BridgeEvent, snapshot: AuthSnapshot): void
}
