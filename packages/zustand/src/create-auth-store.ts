import { createStore, type StoreApi } from 'zustand/vanilla'
import { withAuth, type AuthBridge, type AuthSlice, type WithAuthOptions } from './with-auth.ts'

/**
 * Makes a store that holds the auth snapshot and nothing else, for hosts without a store of their own.
 *
 * @example
 * const store = createAuthStore(bridge)
 * mount(element, { auth: bridge.reader('orders'), store: readOnlyStore(store) })
 */
export function createAuthStore(
  bridge: AuthBridge,
  options?: WithAuthOptions,
): StoreApi<AuthSlice> {
  return createStore<AuthSlice>()(withAuth(bridge, options)(() => ({})))
}
