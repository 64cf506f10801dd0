import type { TokenReader } from '@token-bridge/core'
import type { ReactNode } from 'react'
import { AuthGate, type AuthGateProps } from './auth-gate.tsx'
import { ReaderContext } from './reader-context.ts'

/** A reader, and what its gate renders. */
export interface AuthProviderProps extends AuthGateProps {
  /** What the host passed to this remote's `mount(el, { auth })`. */
  readonly reader: TokenReader
}

/**
 * Gives a remote's components its reader, and shows them once there is a token. Otherwise as `<AuthGate>`.
 *
 * @throws AuthError `ERR_CONFIG` when there is no reader, as when the host passed none.
 * @example
 * export function mount(element, { auth }) {
 *   createRoot(element).render(<AuthProvider reader={auth}><Orders /></AuthProvider>)
 * }
 */
export function AuthProvider({ reader, ...gate }: AuthProviderProps): ReactNode {
  return (
    <ReaderContext.Provider value={reader}>
      <AuthGate {...gate} />
    </ReaderContext.Provider>
  )
}
