export { authEnhancer } from './auth-enhancer.ts'
export { authMiddleware, type AuthMiddlewareOptions } from './auth-middleware.ts'
export { authReducer, authReset, authSlice, statusChanged, tokenRotated } from './auth-slice.ts'
export type { AuthBridge } from './provenance.ts'
export { readOnlyStore } from './read-only-store.ts'
export {
  createAuthSelectors,
  type AuthSelectors,
  type AuthState,
} from '@token-bridge/core/selectors'
export type { ReadOnlyStoreOptions } from '@token-bridge/core/store-view'
export { ReadOnlyStoreError } from '@token-bridge/core/errors'
