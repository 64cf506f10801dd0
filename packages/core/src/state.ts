/**
 * The token-free public state and the events that change it. Stores hold this and nothing else, and they all compute it
 * with the one {@link reduce}, so a Redux host and a Zustand host cannot differ.
 *
 * @module
 */
import type { AuthErrorCode } from './errors.ts'

/**
 * What the page knows of the session: `loading` before the first answer, `maintenance` while the circuit is open, `error`
 * after a failure that is no outage yet.
 */
export type AuthStatus = 'loading' | 'ready' | 'signed-out' | 'maintenance' | 'error'

/** `bridge`: tokens from the sync endpoint. `legacy`: from the `legacy` source, kill switch off. `cookie-only`: no tokens. */
export type BridgeMode = 'bridge' | 'legacy' | 'cookie-only'

/** Why a reset happened. Apps may add reasons of their own. */
export type ResetReason = 'sign-out' | 'session-ended' | 'mode-change' | 'rollback' | (string & {})

/** What everybody may know. It never holds a token. */
export interface AuthSnapshot {
  readonly status: AuthStatus
  readonly mode: BridgeMode
  /** The current token's number; keeps counting over resets. 0 before the first token. */
  readonly generation: number
  /** Epoch milliseconds, or `null` when there is no token. */
  readonly expiresAt: number | null
  readonly error: AuthFault | null
}

/** A failure, in a form that a store can hold. */
export interface AuthFault {
  readonly code: AuthErrorCode
  readonly message: string
}

/** What happened, token-free. `at` is epoch milliseconds. */
export type BridgeEvent = { readonly at: number } & (
  | {
      readonly type: 'token-rotated'
      readonly generation: number
      readonly expiresAt: number
      readonly reason: string
      /** Milliseconds from the question to the token's entry; absent for a token that the host put in by hand. */
      readonly duration?: number
    }
  | { readonly type: 'token-expired'; readonly generation: number }
  | {
      readonly type: 'auth-reset'
      readonly reason: ResetReason
      readonly status: 'signed-out' | 'loading'
    }
  | {
      readonly type: 'mode-changed'
      readonly mode: BridgeMode
      readonly status: 'loading' | 'ready' | 'signed-out'
    }
  | {
      readonly type: 'rotation-failed'
      readonly error: AuthFault
      /** Milliseconds that the attempt took; absent when no source was asked. */
      readonly duration?: number
    }
  | {
      readonly type: 'maintenance-entered'
      readonly error: AuthFault
      /** Milliseconds that the attempt took; absent when it was told as `rotation-failed` already. */
      readonly duration?: number
    }
  | { readonly type: 'maintenance-left' }
  | { readonly type: 'unauthorized'; readonly remote: string; readonly generation: number }
  | { readonly type: 'reader-revoked'; readonly remote: string }
  | {
      readonly type: 'violation'
      readonly kind: string
      readonly detail: string
      /** Whose attempt it was, where that is known. */
      readonly remote?: string
    }
  | { readonly type: 'flag-failed' }
  /** The page came out of the back/forward cache: what it held is gone until the server has spoken again. */
  | { readonly type: 'page-restored' }
  /** A request carried an older generation than the bridge held when it was sent. */
  | {
      readonly type: 'desync'
      readonly remote: string
      readonly generation: number
      readonly current: number
    }
  | { readonly type: 'remote-mounted'; readonly remote: string }
  | { readonly type: 'remote-mount-failed'; readonly remote: string; readonly reason: string }
  /** A rule of `telemetry.alerts` was crossed, or holds again. */
  | {
      readonly type: 'alert'
      readonly rule: AlertRule
      readonly state: 'firing' | 'cleared'
      readonly value: number
      readonly threshold: number
    }
  /** Everything that a reset has to do is done. For the log and the telemetry sinks only. */
  | {
      readonly type: 'reset-finished'
      readonly reason: ResetReason
      readonly steps: readonly CleanupStep[]
    }
)

/** What an alert watches: the share of desynchronised requests, the number of 401s, of remotes that failed to mount. */
export type AlertRule = 'desync' | 'unauthorized' | 'remote-mount-failed'

/** One step of a reset. `duration` in milliseconds. */
export interface CleanupStep {
  readonly name: string
  readonly outcome: 'done' | 'failed' | 'timed-out'
  readonly duration: number
}

/** What a bridge says before it has asked: no token, nothing known. */
export const initialSnapshot: AuthSnapshot = Object.freeze({
  status: 'loading',
  mode: 'bridge',
  generation: 0,
  expiresAt: null,
  error: null,
})

/**
 * The snapshot after an event. Returns the same object when the event changes nothing, so identity tells subscribers
 * whether to look.
 */
export function reduce(snapshot: AuthSnapshot, event: BridgeEvent): AuthSnapshot {
  switch (event.type) {
    case 'token-rotated':
      return freeze({
        ...snapshot,
        status: 'ready',
        generation: event.generation,
        expiresAt: event.expiresAt,
        error: null,
      })
    case 'token-expired':
    case 'page-restored':
      return snapshot.expiresAt === null
        ? snapshot
        : freeze({
            ...snapshot,
            status: snapshot.status === 'ready' ? 'loading' : snapshot.status,
            expiresAt: null,
          })
    case 'auth-reset':
      return freeze({ ...snapshot, status: event.status, expiresAt: null, error: null })
    case 'mode-changed':
      return freeze({
        ...snapshot,
        mode: event.mode,
        status: event.status,
        error: null,
      })
    case 'rotation-failed':
      // A token that is still valid outlives a failed early rotation, and so does the status.
      return snapshot.expiresAt === null && snapshot.status !== 'signed-out'
        ? freeze({ ...snapshot, status: 'error', error: event.error })
        : snapshot
    case 'maintenance-entered':
      // Who is signed out stays so: an endpoint that is down changes nothing for them.
      return snapshot.status === 'signed-out'
        ? snapshot
        : freeze({ ...snapshot, status: 'maintenance', error: event.error })
    case 'maintenance-left':
      return snapshot.status === 'maintenance'
        ? freeze({
            ...snapshot,
            status: snapshot.expiresAt === null ? 'loading' : 'ready',
            error: null,
          })
        : snapshot
    case 'unauthorized':
    case 'desync':
    case 'reader-revoked':
    case 'remote-mounted':
    case 'remote-mount-failed':
    case 'violation':
    case 'alert':
    case 'flag-failed':
    case 'reset-finished':
      return snapshot
  }
}

const freeze = (snapshot: AuthSnapshot): AuthSnapshot => Object.freeze(snapshot)
