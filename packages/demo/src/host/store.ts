import { configureStore } from '@reduxjs/toolkit'
import type { SecureTokenBridge } from '@token-bridge/core'
import { authEnhancer, authMiddleware, authReducer } from '@token-bridge/redux'

/** The host's store. The bridge adds one reducer and one middleware to it; the enhancer is for the DevTools. */
export function createHostStore(bridge: SecureTokenBridge) {
  return configureStore({
    reducer: { auth: authReducer },
    middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
    enhancers: (defaults) => defaults().concat(authEnhancer(bridge)),
  })
}

export type HostStore = ReturnType<typeof createHostStore>
export type HostState = ReturnType<HostStore['getState']>
