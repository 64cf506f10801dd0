import { createStore, type StoreApi } from 'zustand/vanilla'
import { withAuth, type AuthBridge, type AuthSlice } from './with-auth.ts'

/** Makes a store that holds the auth snapshot and nothing else, for hosts without a store of their own. */
export function createAuthStore(bridge: AuthBridge): StoreApi<AuthSlice> {
  return createStore<AuthSlice>()(withAuth(bridge)(() => ({})))
}
