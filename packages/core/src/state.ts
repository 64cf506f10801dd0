/**
 * The token-free public state and the events that change it. Stores hold this and nothing else, and they all compute it
 * with the one {@link reduce}, so a Redux host and a Zustand host cannot differ.
 *
 * @module
 */
import type { AuthErrorCode } from './errors.ts'

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
  | { readonly type: 'rotation-failed'; readonly error: AuthFault }
  | { readonly type: 'maintenance-entered'; readonly error: AuthFault }
  | { readonly type: 'maintenance-left' }
  | { readonly type: 'unauthorized'; readonly remote: string; readonly generation: number }
  | { readonly type: 'reader-revoked'; readonly remote: string }
  | { readonly type: 'violation'; readonly kind: string; readonly detail: string }
  | { readonly type: 'flag-failed' }
)

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
    case 'reader-revoked':
    case 'violation':
    case 'flag-failed':
      return snapshot
  }
}

const freeze = (snapshot: AuthSnapshot): AuthSnapshot => Object.freeze(snapshot)
