export { AuthGate, type AuthFallbacks, type AuthGateProps } from './auth-gate.tsx'
export { AuthProvider, type AuthProviderProps } from './auth-provider.tsx'
export { useAuthFetch, useAuthReader, useAuthStatus, useAuthToken } from './hooks.ts'
