import {
  configureStore,
  createSlice,
  type Action,
  type Middleware,
  type Reducer,
  type StoreEnhancer,
} from '@reduxjs/toolkit'
import { SecureTokenBridge, type AuthSnapshot } from '@token-bridge/core'
import {
  authEnhancer,
  authMiddleware,
  authReducer,
  type AuthMiddlewareOptions,
} from '@token-bridge/redux'

export const cart = createSlice({
  name: 'cart',
  initialState: { items: 0 },
  reducers: { added: (state) => void (state.items += 1) },
})

/** A bridge whose tokens are `secret-1`, `secret-2`, …, and what it reported. */
export function secretBridge() {
  let issued = 0
  const bridge = new SecureTokenBridge({
    source: async () => ({
      accessToken: `secret-${(issued += 1)}`,
      expiresAt: Date.now() + 300_000,
    }),
  })
  const violations: string[] = []
  bridge.events$.subscribe((event) => event.type === 'violation' && violations.push(event.kind))
  return { bridge, violations }
}

/** Notes the types of all actions that come by. */
export function recorder() {
  const actions: Action[] = []
  const middleware: Middleware = () => (next) => (action) => {
    actions.push(action as Action)
    return next(action)
  }
  return { actions, middleware, types: () => actions.map(({ type }) => type) }
}

interface Parts extends AuthMiddlewareOptions {
  readonly reducer?: Reducer
  readonly enhancer?: StoreEnhancer
  readonly preloadedState?: unknown
}

/** A host that uses both the middleware and the enhancer. */
export function guardedHost({ reducer, enhancer, preloadedState, ...options }: Parts = {}) {
  const { bridge, violations } = secretBridge()
  const record = recorder()
  const store = configureStore({
    reducer: (reducer ?? root) as typeof root,
    ...(preloadedState !== undefined && { preloadedState: preloadedState as HostState }),
    devTools: false,
    middleware: (defaults) =>
      defaults().concat(record.middleware).prepend(authMiddleware(bridge, options)),
    enhancers: (defaults) =>
      defaults().concat(
        authEnhancer(bridge, options),
        ...(enhancer === undefined ? [] : [enhancer]),
      ),
  })
  return { bridge, violations, store, ...record }
}

interface HostState {
  readonly auth: AuthSnapshot
  readonly cart: { readonly items: number }
}

export const root = (state: HostState | undefined, action: Action): HostState => ({
  auth: authReducer(state?.auth, action),
  cart: cart.reducer(state?.cart, action),
})

/** What somebody would like the store to hold. */
export const forgedSnapshot: AuthSnapshot = {
  status: 'ready',
  mode: 'bridge',
  generation: 99,
  expiresAt: 9e15,
  error: null,
}

export const microtask = (): Promise<void> => Promise.resolve()
