import type { FlagStream, SecureTokenBridge } from '@token-bridge/core'
import type { DemoConfig } from '../demo-config.ts'
import type { EventLog } from './event-log.ts'
import type { SignOut } from './sign-out.ts'
import type { HostStore } from './store.ts'

/** What the host's own components work with. It is never given to a remote. */
export interface Host {
  readonly bridge: SecureTokenBridge
  readonly store: HostStore
  readonly config: DemoConfig
  readonly flag: Required<FlagStream>
  readonly log: EventLog
  readonly signOut: SignOut
}

let host: Host | null = null

export function openHost(opened: Host): void {
  host = opened
}

/**
 * The host of this page. Neither a React context nor a prop nor a hook's dependency may hold it: a remote mounts inside the
 * host's tree, and from its element it can walk React's own objects up to every one of those values.
 */
export function currentHost(): Host {
  if (host === null) throw new Error('The host has not been opened.')
  return host
}
