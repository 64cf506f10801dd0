import {
  combineSlices,
  configureStore,
  createListenerMiddleware,
  createSlice,
  type Middleware,
  type Store,
  type ThunkAction,
  type UnknownAction,
  type WithSlice,
} from '@reduxjs/toolkit'
import { createApi, fetchBaseQuery } from '@reduxjs/toolkit/query'
import type { AuthSnapshot, SecureTokenBridge } from '@token-bridge/core'
import { Provider, useSelector, type TypedUseSelectorHook } from 'react-redux'
import { expectTypeOf } from 'vitest'
import {
  authEnhancer,
  authMiddleware,
  authReducer,
  authReset,
  authSlice,
  createAuthSelectors,
  readOnlyStore,
  tokenRotated,
} from '@token-bridge/redux'

declare const bridge: SecureTokenBridge

const cart = createSlice({
  name: 'cart',
  initialState: { items: 0 },
  reducers: { added: (state) => void (state.items += 1) },
})
const reader = bridge.reader('orders')
const api = createApi({
  baseQuery: fetchBaseQuery({ fetchFn: reader.fetch }),
  endpoints: (build) => ({ orders: build.query<number[], void>({ query: () => '/orders' }) }),
})
const listener = createListenerMiddleware()

const store = configureStore({
  reducer: { auth: authReducer, cart: cart.reducer, [api.reducerPath]: api.reducer },
  middleware: (defaults) =>
    defaults()
      .concat(api.middleware, authMiddleware(bridge, { onReset: [api.util.resetApiState()] }))
      .prepend(listener.middleware),
  enhancers: (defaults) => defaults().concat(authEnhancer(bridge)),
})
type RootState = ReturnType<typeof store.getState>

// The middleware and the enhancer change nothing of what the store infers.
expectTypeOf(store.getState().auth).toEqualTypeOf<AuthSnapshot>()
expectTypeOf(store.getState().cart).toEqualTypeOf<{ items: number }>()
const thunk: ThunkAction<number, RootState, unknown, UnknownAction> = () => 1
expectTypeOf(store.dispatch(thunk)).toEqualTypeOf<number>()
expectTypeOf(store.dispatch(api.endpoints.orders.initiate())).toHaveProperty('unsubscribe')
expectTypeOf(authMiddleware(bridge)).toEqualTypeOf<Middleware>()

// `onReset` takes actions and their creators.
authMiddleware(bridge, { onReset: [api.util.resetApiState, cart.actions.added] })
// @ts-expect-error and no thunks
authMiddleware(bridge, { onReset: [thunk] })

// The slice's actions can be matched, and carry the snapshot.
listener.startListening({
  actionCreator: tokenRotated,
  effect: ({ payload }) => {
    expectTypeOf(payload).toEqualTypeOf<AuthSnapshot>()
  },
})
createSlice({
  name: 'wishes',
  initialState: { wishes: [] as string[] },
  reducers: {},
  extraReducers: (builder) => builder.addCase(authReset, () => ({ wishes: [] })),
})

// Selectors fit every state that has the slice, also one that gets it later, under every key.
const { selectAuthToken, selectAuthStatus, selectIsAuthenticated, selectExpiresAt } =
  createAuthSelectors(reader)
const state = store.getState()
expectTypeOf(selectAuthToken(state)).toEqualTypeOf<string | null>()
expectTypeOf(selectAuthStatus(state)).toEqualTypeOf<AuthSnapshot['status']>()
expectTypeOf(selectIsAuthenticated(state)).toEqualTypeOf<boolean>()
expectTypeOf(selectExpiresAt(state)).toEqualTypeOf<number | null>()
expectTypeOf(useSelector(selectAuthToken)).toEqualTypeOf<string | null>()
const useHostSelector: TypedUseSelectorHook<RootState> = useSelector
expectTypeOf(useHostSelector(selectAuthStatus)).toEqualTypeOf<AuthSnapshot['status']>()

const lazy = combineSlices(cart).withLazyLoadedSlices<WithSlice<typeof authSlice>>()
const lazyStore = configureStore({ reducer: lazy })
expectTypeOf(lazyStore.getState().auth).toEqualTypeOf<AuthSnapshot | undefined>()
expectTypeOf(selectAuthToken(lazyStore.getState())).toEqualTypeOf<string | null>()
expectTypeOf(
  lazy.inject(authSlice)(undefined, cart.actions.added()).auth,
).toEqualTypeOf<AuthSnapshot>()

const session = createAuthSelectors(reader, { key: 'session' })
const sessionStore = configureStore({
  reducer: { session: authReducer },
  middleware: (defaults) => defaults().prepend(authMiddleware(bridge, { key: 'session' })),
})
expectTypeOf(session.selectAuthToken(sessionStore.getState())).toEqualTypeOf<string | null>()
// @ts-expect-error another key
selectAuthToken(sessionStore.getState())
// @ts-expect-error another key
session.selectAuthToken(store.getState())

// What a remote is given.
const remote = readOnlyStore(store, { bridge, remote: 'orders' })
expectTypeOf(remote.getState()).toEqualTypeOf<RootState>()
expectTypeOf(remote).toExtend<Store<RootState>>()
expectTypeOf(Provider).toBeCallableWith({ store: remote, children: null })
// @ts-expect-error the bridge has to be told whose it is
readOnlyStore(store, { bridge })
