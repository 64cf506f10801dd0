import { configureStore } from '@reduxjs/toolkit'
import type { SecureTokenBridge } from '@token-bridge/core'
import { authMiddleware, authReducer } from '@token-bridge/redux'
import { createOrdersApi } from './orders-api.ts'

/** The host's store: here the cache goes in the same step as the session. */
export function createHostStore(bridge: SecureTokenBridge) {
  const api = createOrdersApi(bridge.reader('host'))
  const store = configureStore({
    reducer: { auth: authReducer, [api.reducerPath]: api.reducer },
    middleware: (defaults) =>
      defaults()
        .prepend(authMiddleware(bridge, { onReset: [() => api.util.resetApiState()] }))
        .concat(api.middleware),
  })
  return { api, store }
}
