export { createAuthStore } from './create-auth-store.ts'
export { readOnlyStore } from './read-only-store.ts'
export {
  withAuth,
  type AuthBridge,
  type AuthSlice,
  type WithAuth,
  type WithAuthOptions,
} from './with-auth.ts'
export {
  createAuthSelectors,
  type AuthSelectors,
  type AuthState,
} from '@token-bridge/core/selectors'
export type { ReadOnlyStoreOptions } from '@token-bridge/core/store-view'
export { ReadOnlyStoreError } from '@token-bridge/core/errors'
