import {
  combineSlices,
  configureStore,
  createListenerMiddleware,
  createSelector,
  type Action,
} from '@reduxjs/toolkit'
import { describe, expect, it } from 'vitest'
import {
  authEnhancer,
  authMiddleware,
  authReducer,
  createAuthSelectors,
  statusChanged,
  tokenRotated,
} from '@token-bridge/redux'
import { devTools } from './dev-tools.test.support.ts'
import {
  cart,
  forgedSnapshot,
  guardedHost,
  microtask,
  root,
  secretBridge,
} from './host.test.support.ts'

function instrumented() {
  const tools = devTools()
  const host = guardedHost({ enhancer: tools.enhancer })
  const { selectAuthToken, selectAuthStatus } = createAuthSelectors(host.bridge.reader('orders'))
  return { ...host, tools, selectAuthToken, selectAuthStatus }
}

/** Runs `after` and looks, as long as it takes, at what whoever is told of a change would find. */
function watched({ store, bridge, selectAuthToken }: ReturnType<typeof instrumented>) {
  const tokens: (string | null)[] = []
  store.subscribe(() => {
    const token = selectAuthToken(store.getState())
    if (token !== bridge.reader('host').current()?.accessToken) tokens.push(token)
  })
  return tokens
}

describe('authEnhancer, with the DevTools', () => {
  it('shows the truth at once when they jump back, and the rest of the state as it was', async () => {
    const host = instrumented()
    const { bridge, store, tools, selectAuthToken } = host
    const wrong = watched(host)
    await bridge.rotate()
    store.dispatch(cart.actions.added())
    await bridge.rotate()
    store.dispatch(cart.actions.added())
    tools.send({ type: 'JUMP_TO_STATE', index: 2 })
    expect(store.getState()).toEqual({ auth: bridge.snapshot, cart: { items: 1 } })
    expect(store.getState()).toBe(store.getState())
    expect(selectAuthToken(store.getState())).toBe('secret-2')
    tools.send({ type: 'JUMP_TO_STATE', index: 0 })
    expect(store.getState()).toEqual({ auth: bridge.snapshot, cart: { items: 0 } })
    expect(wrong).toEqual([])
  })

  it('shows each further rotation and the sign-out while they stay in the past', async () => {
    const { bridge, store, tools, selectAuthToken, selectAuthStatus } = instrumented()
    await bridge.rotate()
    store.dispatch(cart.actions.added())
    tools.send({ type: 'JUMP_TO_STATE', index: 1 })
    const seen: unknown[] = []
    store.subscribe(() => {
      const state = store.getState()
      seen.push([selectAuthStatus(state), selectAuthToken(state), state.cart.items])
    })
    await bridge.rotate()
    await bridge.reset('sign-out')
    expect(seen).toEqual([
      ['ready', 'secret-2', 0],
      ['signed-out', null, 0],
    ])
  })

  it('shows no cache over the token the past as it was, so that it asks again', async () => {
    const { bridge, store, tools, selectAuthToken } = instrumented()
    const cached = createSelector([selectAuthToken], (token) => ({ token }))
    await bridge.rotate()
    store.dispatch(cart.actions.added())
    expect(cached(store.getState())).toEqual({ token: 'secret-1' })
    await bridge.rotate()
    tools.send({ type: 'JUMP_TO_STATE', index: 2 })
    expect(cached(store.getState())).toEqual({ token: 'secret-2' })
    await bridge.reset('sign-out')
    expect(cached(store.getState())).toEqual({ token: null })
  })

  it('does not answer the past with one action after another', async () => {
    const { bridge, store, tools } = instrumented()
    await bridge.rotate()
    await bridge.rotate()
    tools.send({ type: 'JUMP_TO_STATE', index: 1 })
    store.dispatch(cart.actions.added())
    for (let turn = 0; turn < 20; turn += 1) await microtask()
    store.dispatch(cart.actions.added())
    await bridge.rotate()
    for (let turn = 0; turn < 20; turn += 1) await microtask()
    expect(tools.log().map(({ type }) => type)).toEqual([
      '@@INIT',
      'auth/tokenRotated',
      'auth/tokenRotated',
      'cart/added',
      'auth/statusChanged',
      'cart/added',
      'auth/tokenRotated',
    ])
  })

  it('keeps the history as it was: replaying it is no forgery', async () => {
    const { bridge, store, tools, violations } = instrumented()
    await bridge.rotate()
    store.dispatch(cart.actions.added())
    tools.send({ type: 'TOGGLE_ACTION', id: 2 })
    await microtask()
    expect(store.getState()).toEqual({ auth: bridge.snapshot, cart: { items: 0 } })
    expect(tools.exported().computedStates).toMatchObject([
      { auth: { generation: 0 } },
      { auth: { generation: 1 } },
      { auth: { generation: 1 } },
    ])
    expect(violations).toEqual([])
  })

  it.each<[string, (tools: ReturnType<typeof devTools>) => void]>([
    [
      'a session of another day',
      (tools) => {
        const file = tools.exported()
        tools.send({
          type: 'IMPORT_STATE',
          nextLiftedState: {
            ...file,
            actionsById: { ...file.actionsById, 1: tokenRotated(forgedSnapshot) },
          },
        })
      },
    ],
    [
      'a list of actions',
      (tools) =>
        tools.send({
          type: 'IMPORT_STATE',
          nextLiftedState: [tokenRotated(forgedSnapshot), cart.actions.added()],
        }),
    ],
    [
      'one action past all middlewares',
      (tools) => tools.send({ type: 'PERFORM_ACTION', action: tokenRotated(forgedSnapshot) }),
    ],
  ])('drops auth actions out of %s before the reducer, and reports each once', async (_, load) => {
    const { bridge, store, tools, violations, selectAuthToken } = instrumented()
    await bridge.rotate()
    store.dispatch(cart.actions.added())
    load(tools)
    tools.send({ type: 'TOGGLE_ACTION', id: 0 })
    tools.send({ type: 'TOGGLE_ACTION', id: 0 })
    expect(JSON.stringify(tools.exported().computedStates)).not.toContain('"generation":99')
    expect(store.getState()).toEqual({ auth: bridge.snapshot, cart: { items: 1 } })
    expect(selectAuthToken(store.getState())).toBe('secret-1')
    await microtask()
    expect(violations).toEqual(['forged-action'])
    expect(bridge.metrics.violations).toBe(1)
  })

  it('shows the truth after a reset, a commit and a rollback of theirs', async () => {
    const { bridge, store, tools } = instrumented()
    await bridge.rotate()
    for (const type of ['COMMIT', 'RESET', 'ROLLBACK'] as const) {
      tools.send({ type })
      expect(store.getState().auth).toEqual(bridge.snapshot)
    }
  })

  it('sends what is typed into their panel past our middleware, where it is dropped', async () => {
    const { bridge, store, violations } = instrumented()
    await bridge.rotate()
    store.dispatch(JSON.parse(JSON.stringify(statusChanged(forgedSnapshot))))
    expect(store.getState().auth).toEqual(bridge.snapshot)
    expect(violations).toEqual(['forged-action'])
  })

  it('reports outside of the reducer, so that whoever hears of it may dispatch', async () => {
    const { bridge, store, tools } = instrumented()
    bridge.events$.subscribe(
      ({ type }) => type === 'violation' && store.dispatch(cart.actions.added()),
    )
    tools.send({ type: 'PERFORM_ACTION', action: tokenRotated(forgedSnapshot) })
    await microtask()
    expect(store.getState().cart.items).toBe(1)
  })
})

describe('authEnhancer', () => {
  it.each<[string, object]>([
    ['a forged snapshot', forgedSnapshot],
    ['a snapshot with more in it', { user: 'admin' }],
  ])(
    'brings back for the reducers, too, and reports, what %s was imported over',
    async (_, change) => {
      const seen: unknown[] = []
      const host = guardedHost({
        reducer: (
          state: ReturnType<typeof root> | undefined,
          action: Action & { auth?: object },
        ) => {
          seen.push(state?.auth)
          return action.type === 'import'
            ? ({ ...state, auth: action.auth } as ReturnType<typeof root>)
            : root(state, action)
        },
      })
      const { bridge, store, violations } = host
      await bridge.rotate()
      store.dispatch({ type: 'import', auth: { ...bridge.snapshot, ...change } } as Action)
      expect(store.getState().auth).toBe(bridge.snapshot)
      await microtask()
      store.dispatch(cart.actions.added())
      expect(seen.at(-1)).toBe(bridge.snapshot)
      expect(violations).toEqual(['store-write'])
    },
  )

  it('shows the truth in a store that begins with somebody else’s state', async () => {
    const { bridge, store } = guardedHost({
      preloadedState: { auth: forgedSnapshot, cart: { items: 3 } },
    })
    expect(store.getState()).toEqual({ auth: bridge.snapshot, cart: { items: 3 } })
    await microtask()
    expect(store.getState().auth).toEqual(bridge.snapshot)
  })

  it('shows the truth outside of the middlewares, too', async () => {
    const tools = devTools()
    const { bridge } = secretBridge()
    const store = configureStore({
      reducer: root,
      devTools: false,
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
      enhancers: (defaults) => defaults().prepend(authEnhancer(bridge)).concat(tools.enhancer),
    })
    await bridge.rotate()
    store.dispatch(cart.actions.added())
    await bridge.rotate()
    tools.send({ type: 'JUMP_TO_STATE', index: 1 })
    expect(store.getState()).toEqual({ auth: bridge.snapshot, cart: { items: 0 } })
  })

  it('shows listeners the state before and after each action of ours, the first one included', async () => {
    const { bridge } = secretBridge()
    const listener = createListenerMiddleware<{ auth: ReturnType<typeof authReducer> }>()
    const seen: unknown[] = []
    listener.startListening({
      predicate: (_action, current, previous) => current.auth !== previous.auth,
      effect: (_action, api) =>
        void seen.push(api.getOriginalState().auth.generation, api.getState().auth.generation),
    })
    configureStore({
      reducer: { auth: authReducer },
      middleware: (defaults) =>
        defaults().prepend(authMiddleware(bridge)).concat(listener.middleware),
      enhancers: (defaults) => defaults().concat(authEnhancer(bridge)),
    })
    await bridge.rotate()
    await bridge.rotate()
    expect(seen).toEqual([0, 1, 1, 2])
  })

  it('shows the truth in a slice that a new reducer drops and a later one brings back', async () => {
    const { bridge, store, violations } = guardedHost()
    const replace = store.replaceReducer as (reducer: unknown) => void
    await bridge.rotate()
    replace((state: { cart: { items: number } } | undefined) => ({ cart: state?.cart }))
    expect(store.getState().auth).toBeUndefined()
    await bridge.rotate()
    expect(store.getState().auth).toBeUndefined()
    replace(root)
    expect(store.getState().auth).toEqual(bridge.snapshot)
    await microtask()
    expect(store.getState().auth).toMatchObject({ generation: 2 })
    expect(violations).toEqual([])
  })

  it('guards the reducer that replaces another', async () => {
    const tools = devTools()
    const { store, bridge } = guardedHost({ enhancer: tools.enhancer })
    store.replaceReducer(root)
    tools.send({ type: 'PERFORM_ACTION', action: tokenRotated(forgedSnapshot) })
    expect(JSON.stringify(tools.exported().computedStates)).not.toContain('99')
    await microtask()
    expect(bridge.metrics.violations).toBe(1)
  })

  it('shows the truth in a slice from the moment it is injected, under a key of its own', async () => {
    const { bridge } = secretBridge()
    const reducer = combineSlices(cart).withLazyLoadedSlices<{
      session: ReturnType<typeof authReducer>
    }>()
    const store = configureStore({
      reducer,
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge, { key: 'session' })),
      enhancers: (defaults) => defaults().concat(authEnhancer(bridge, { key: 'session' })),
    })
    await bridge.rotate()
    reducer.inject({ reducerPath: 'session', reducer: authReducer })
    store.dispatch({ type: 'injected' })
    expect(store.getState().session).toEqual(bridge.snapshot)
  })

  it('guards a store that nothing has been told yet, and leaves all else as it is', () => {
    const { bridge } = secretBridge()
    const store = configureStore({
      reducer: root,
      enhancers: (defaults) => defaults().concat(authEnhancer(bridge)),
    })
    const before = store.getState()
    store.dispatch(tokenRotated(forgedSnapshot))
    expect(store.getState()).toEqual(before)
    store.dispatch(cart.actions.added())
    expect(store.getState()).toEqual({ ...before, cart: { items: 1 } })
  })
})
