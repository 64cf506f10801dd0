import { combineSlices, configureStore, type Action } from '@reduxjs/toolkit'
import type { AuthSnapshot, SecureTokenBridge } from '@token-bridge/core'
import { authEnhancer, authMiddleware, authReducer, tokenRotated } from '@token-bridge/redux'
import { adapterContract } from '@token-bridge/testing'
import { createAuthStore, withAuth, type AuthSlice } from '@token-bridge/zustand'
import { describe, expect, it } from 'vitest'
import { createJSONStorage, devtools, persist, subscribeWithSelector } from 'zustand/middleware'
import { immer } from 'zustand/middleware/immer'
import { createStore, type StoreApi } from 'zustand/vanilla'

const tools = { describe, it, expect }

adapterContract(
  'redux',
  (bridge) => {
    const life = new AbortController()
    const store = configureStore({
      // As the reducer of redux-persist takes what was stored.
      reducer: (
        state: { auth: AuthSnapshot } | undefined,
        action: Action & { auth?: AuthSnapshot },
      ) =>
        action.type === 'REHYDRATE' && action.auth !== undefined
          ? { auth: action.auth }
          : { auth: authReducer(state?.auth, action) },
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge, { signal: life.signal })),
    })
    return {
      getAuth: () => store.getState().auth,
      getState: store.getState,
      subscribe: store.subscribe,
      forge: (snapshot) => void store.dispatch(tokenRotated(snapshot)),
      rehydrate: (auth) => void store.dispatch({ type: 'REHYDRATE', auth }),
      dispose: () => life.abort(),
    }
  },
  tools,
)

adapterContract(
  'redux, last of the middlewares, with the enhancer, injected late and under another key',
  (bridge) => {
    const life = new AbortController()
    const reducer = combineSlices().withLazyLoadedSlices<{ session: AuthSnapshot }>()
    const store = configureStore({
      reducer,
      middleware: (defaults) =>
        defaults().concat(authMiddleware(bridge, { key: 'session', signal: life.signal })),
      enhancers: (defaults) => defaults().concat(authEnhancer(bridge, { key: 'session' })),
    })
    reducer.inject({ reducerPath: 'session', reducer: authReducer })
    store.dispatch({ type: 'app/routed' })
    return {
      getAuth: () => store.getState().session as AuthSnapshot,
      getState: store.getState,
      subscribe: store.subscribe,
      forge: (snapshot) => void store.dispatch(tokenRotated(snapshot)),
      dispose: () => life.abort(),
    }
  },
  tools,
)

/** What a Zustand store has to offer to the contract, whatever is around it. */
function zustand(create: (bridge: SecureTokenBridge, signal: AbortSignal) => StoreApi<AuthSlice>) {
  return (bridge: SecureTokenBridge) => {
    const life = new AbortController()
    const store = create(bridge, life.signal)
    return {
      getAuth: () => store.getState().auth,
      getState: store.getState,
      subscribe: store.subscribe,
      forge: (auth: AuthSnapshot) => store.setState({ auth }),
      dispose: () => life.abort(),
    }
  }
}

adapterContract(
  'zustand',
  zustand((bridge, signal) => createAuthStore(bridge, { signal })),
  tools,
)

/** As `zustand`, of a store with `persist`, which is made to read `auth` out of its storage. */
function persisted(
  create: (bridge: SecureTokenBridge, signal: AbortSignal) => StoreApi<AuthSlice>,
) {
  return (bridge: SecureTokenBridge) => {
    let store!: StoreApi<AuthSlice> & { persist: { rehydrate(): Promise<void> } }
    const harness = zustand((...given) => (store = create(...given) as typeof store))(bridge)
    return {
      ...harness,
      async rehydrate(auth: AuthSnapshot) {
        stored = { auth }
        await store.persist.rehydrate()
        stored = null
      },
    }
  }
}

let stored: AuthSlice | null = null
const storage = createJSONStorage<AuthSlice>(() => ({
  getItem: () => stored && JSON.stringify({ state: stored, version: 0 }),
  setItem() {},
  removeItem() {},
}))!

adapterContract(
  'zustand, inside of all middlewares',
  persisted((bridge, signal) =>
    createStore<AuthSlice>()(
      devtools(
        subscribeWithSelector(
          persist(immer(withAuth(bridge, { signal })(() => ({}))), { name: 'contract', storage }),
        ),
      ),
    ),
  ),
  tools,
)

adapterContract(
  'zustand, outside of all middlewares',
  persisted(
    (bridge, signal) =>
      createStore<AuthSlice & { items: number }>()(
        withAuth(bridge, { signal })(
          devtools(
            subscribeWithSelector(
              persist(
                immer(() => ({ items: 0 }) as { items: number } & AuthSlice),
                { name: 'contract', storage },
              ),
            ),
          ),
        ),
      ) as unknown as StoreApi<AuthSlice>,
  ),
  tools,
)

/** A binding as somebody else would write it, from the documentation. */
function plainStore(bridge: SecureTokenBridge) {
  const listeners = new Set<() => void>()
  let auth = bridge.snapshot
  const detach = bridge.attach({
    name: 'plain',
    apply(_event, snapshot) {
      if (snapshot === auth) return
      auth = snapshot
      for (const listener of listeners) listener()
    },
  })
  const subscribe = (listener: () => void) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
  return { getAuth: () => auth, subscribe, dispose: detach }
}

adapterContract('a store of the app’s own', plainStore, tools)
