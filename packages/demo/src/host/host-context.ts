import type { FlagStream, SecureTokenBridge } from '@token-bridge/core'
import { createContext, useContext, type Context } from 'react'
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

export const HostContext: Context<Host | null> = createContext<Host | null>(null)

export function useHost(): Host {
  const host = useContext(HostContext)
  if (host === null) throw new Error('Outside of the host.')
  return host
}
