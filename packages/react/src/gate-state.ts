import type { AuthFault, AuthSnapshot } from '@token-bridge/core'

/** There is no answer yet, or the token has run out and the next one is on its way. */
export interface LoadingState {
  readonly status: 'loading'
}

/** A try has failed and there is no token. The bridge goes on trying. */
export interface ErrorState extends AuthFault {
  readonly status: 'error'
}

/** The host has cut this remote off, for good. */
export interface RevokedState extends AuthFault {
  readonly status: 'revoked'
}

/** The auth endpoint has failed repeatedly and is left alone for a while. `code` and `message`: its last failure. */
export interface MaintenanceState extends AuthFault {
  readonly status: 'maintenance'
  /**
   * Asks for a try now. The bridge alone decides: while its circuit breaker is open no request is sent, and of many calls
   * one is. It cannot be pressed into a storm.
   */
  readonly retry: () => void
  /** What came of the last `retry()`: milliseconds until a try is allowed; 0 while one is under way; `null` before. */
  readonly retryAfter: number | null
}

/** Nobody is signed in. */
export interface SignedOutState {
  readonly status: 'signed-out'
}

/** There are no tokens: requests go out with the session cookie. `error`: why, unless the kill switch says so. */
export interface CookieOnlyState {
  readonly status: 'cookie-only'
  readonly error: AuthFault | null
}

/** Why a gate does not simply render its children. */
export type GateState =
  LoadingState | ErrorState | RevokedState | MaintenanceState | SignedOutState | CookieOnlyState

/** What the gate adds to the maintenance that the snapshot tells of. */
export type Retry = Pick<MaintenanceState, 'retry' | 'retryAfter'>

/** There is a valid token: also in maintenance, until it has run out. */
export const hasToken = ({ expiresAt }: AuthSnapshot): boolean => expiresAt !== null

/** The state of a gate whose reader has no valid token. */
export function gateState({ status, mode, error }: AuthSnapshot, retry: Retry): GateState {
  if (error?.code === 'ERR_READER_REVOKED') return { ...error, status: 'revoked' }
  if (status === 'signed-out') return { status }
  // Also while the endpoint is missing, which the snapshot calls maintenance: no token is needed.
  if (mode === 'cookie-only') return { status: mode, error }
  if (status === 'maintenance' && error !== null) return { ...error, status, ...retry }
  if (status === 'error' && error !== null) return { ...error, status }
  return { status: 'loading' }
}
