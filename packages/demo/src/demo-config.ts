import type { RemoteKeys } from '@token-bridge/federation/runtime'
import type { RemoteDefinition } from './build/container-names.ts'

/** What `/demo/config.json` tells the page: nothing of it is built in, because ports are chosen at the start. */
export interface DemoConfig {
  readonly apiOrigin: string
  /** Milliseconds. */
  readonly skewBuffer: number
  /** Milliseconds. */
  readonly leadTime: number
  readonly remotes: readonly DemoRemote[]
  /** The keys that the remotes are signed by. */
  readonly keys: RemoteKeys['keys']
}

export interface DemoRemote extends RemoteDefinition {
  readonly entry: string
}
