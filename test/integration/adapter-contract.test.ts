import { configureStore } from '@reduxjs/toolkit'
import { authMiddleware, authReducer } from '@token-bridge/redux'
import { adapterContract } from '@token-bridge/testing'
import { createAuthStore } from '@token-bridge/zustand'
import { describe, expect, it } from 'vitest'

adapterContract(
  'redux',
  (bridge) => {
    const store = configureStore({
      reducer: { auth: authReducer },
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
    })
    return {
      getAuth: () => store.getState().auth,
      getState: store.getState,
      subscribe: store.subscribe,
      dispose() {},
    }
  },
  { describe, it, expect },
)

adapterContract(
  'zustand',
  (bridge) => {
    const store = createAuthStore(bridge)
    return {
      getAuth: () => store.getState().auth,
      getState: store.getState,
      subscribe: store.subscribe,
      dispose() {},
    }
  },
  { describe, it, expect },
)
