import type { AuthSnapshot } from '@token-bridge/core'
import type { ReactNode } from 'react'
import { useAuthSnapshot } from './hooks.ts'

/** What stands in place of the children while there is no token. Each has an accessible default. */
export interface AuthFallbacks {
  readonly loading?: ReactNode
  readonly error?:
    ReactNode | ((error: { readonly code: string; readonly message: string }) => ReactNode)
  readonly maintenance?: ReactNode
  readonly signedOut?: ReactNode
}

export interface AuthGateProps extends AuthFallbacks {
  readonly children?: ReactNode
}

/**
 * Renders its children while there is a valid token, and says what is the matter while there is none. It renders states
 * and never throws a promise.
 */
export function AuthGate({ children, ...fallbacks }: AuthGateProps): ReactNode {
  const snapshot = useAuthSnapshot()
  return isOpen(snapshot) ? children : fallbackFor(snapshot, fallbacks)
}

/** Cookie-only has no token and needs none; maintenance closes the gate only when the token has run out. */
function isOpen({ status, expiresAt }: AuthSnapshot): boolean {
  return status === 'ready' || (status === 'maintenance' && expiresAt !== null)
}

function fallbackFor({ status, error }: AuthSnapshot, fallbacks: AuthFallbacks): ReactNode {
  if (status === 'signed-out')
    return fallbacks.signedOut ?? <p role="status">You are signed out.</p>
  if (status === 'maintenance') {
    return (
      fallbacks.maintenance ?? (
        <p role="status">Sign-in is being maintained. This page continues by itself.</p>
      )
    )
  }
  if (status === 'error' && error !== null) {
    if (typeof fallbacks.error === 'function') return fallbacks.error(error)
    return fallbacks.error ?? <p role="alert">The session could not be loaded ({error.code}).</p>
  }
  return (
    fallbacks.loading ?? (
      <p role="status" aria-busy="true">
        Loading the session…
      </p>
    )
  )
}
