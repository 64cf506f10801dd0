'use client'

export { AuthGate, type AuthFallbacks, type AuthGateProps, type Fallback } from './auth-gate.tsx'
export { AuthProvider, type AuthProviderProps } from './auth-provider.tsx'
export type {
  CookieOnlyState,
  ErrorState,
  GateState,
  LoadingState,
  MaintenanceState,
  RevokedState,
  SignedOutState,
} from './gate-state.ts'
export {
  useAuthFetch,
  useAuthReader,
  useAuthSelector,
  useAuthStatus,
  useAuthToken,
} from './hooks.ts'
export { RemoteBoundary, type RemoteBoundaryProps, type RemoteFailure } from './remote-boundary.tsx'
