import type { TokenReader } from '@token-bridge/core'
import type { AuthSnapshot } from '@token-bridge/core/state'
import type { Store } from '@reduxjs/toolkit'

/** The part of the host's state that remotes may count on. */
export interface HostState {
  readonly auth: AuthSnapshot
}

/** What the host hands to each remote. */
export interface MountContext {
  readonly auth: TokenReader
  /** The host's store, to read. */
  readonly store: Store<HostState>
  readonly apiOrigin: string
}

/** What each remote exposes as `./mount`. Returns what takes it off the page again. */
export type Mount = (element: HTMLElement, context: MountContext) => () => void
