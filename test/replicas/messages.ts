/** What the processes of a run tell each other. */

export const CLIENT_ID = 'shop'
export const CLIENT_SECRET = 'replicas-client-secret'

/** What the sessions are sealed with in the store. */
export const ENCRYPTION_KEY: Uint8Array = new Uint8Array(32).fill(7)

export interface ProviderSettings {
  readonly origin: string
  /** Milliseconds for which a refresh token is taken again; 0: any reuse ends the grant. */
  readonly grace: number
  /** Whether it says what became of a refresh token (RFC 7662). */
  readonly introspects: boolean
  /** Milliseconds that a request or an answer is on its way, at most. */
  readonly latency: number
  readonly seed: number
}

export interface ReplicaSettings {
  readonly name: string
  readonly origin: string
  readonly issuer: string
  readonly redisUrl: string
  readonly grace: number
}

/** Sent by a process that is ready. */
export interface Ready {
  readonly type: 'ready'
  readonly port: number
}

/** What the provider saw. Refresh tokens are named by their hash. */
export type ProviderEvent =
  | {
      readonly type: 'consumed'
      readonly replica: string
      readonly token: string
      readonly successor: string
      /** Milliseconds since the epoch: when the token was marked as used. */
      readonly at: number
      /** It had been used before, within the grace period. */
      readonly isRepeat: boolean
    }
  | { readonly type: 'reuse'; readonly replica: string; readonly token: string }
  | { readonly type: 'introspected'; readonly replica: string; readonly isActive: boolean }
  /** Answers `{ isIdle }`: no request of this replica is under way. */
  | { readonly type: 'idle'; readonly replica: string }

/** Asks the provider to say when no request of this replica is under way. */
export interface WhenIdle {
  readonly replica: string
}
