import {
  combineSlices,
  configureStore,
  createSelector,
  createSlice,
  Tuple,
  type Action,
  type Middleware,
} from '@reduxjs/toolkit'
import { SecureTokenBridge, type AuthSnapshot } from '@token-bridge/core'
import { from } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  authMiddleware,
  authReducer,
  authReset,
  createAuthSelectors,
  readOnlyStore,
  statusChanged,
  tokenRotated,
} from '@token-bridge/redux'

const cart = createSlice({
  name: 'cart',
  initialState: { items: 0 },
  reducers: { added: (state) => void (state.items += 1) },
})

const isOurs = (action: unknown): boolean => (action as Action).type.startsWith('auth/')

let issued = 0
const source = async () => ({
  accessToken: `secret-${(issued += 1)}`,
  expiresAt: Date.now() + 300_000,
})
const tick = () => new Promise<void>((resolve) => queueMicrotask(resolve))

function host(
  bridge = new SecureTokenBridge({ source }),
  options: Parameters<typeof authMiddleware>[1] = {},
) {
  const actions: { type: string }[] = []
  const recorder: Middleware = () => (next) => (action) => {
    actions.push(action as { type: string })
    return next(action)
  }
  const store = configureStore({
    reducer: { auth: authReducer, cart: cart.reducer },
    middleware: (defaults) =>
      // A busy machine makes the checks slow, and they say so.
      defaults({ immutableCheck: { warnAfter: 1e6 }, serializableCheck: { warnAfter: 1e6 } })
        .concat(recorder)
        .prepend(authMiddleware(bridge, options)),
  })
  return { bridge, store, types: () => actions.map(({ type }) => type), actions }
}

beforeEach(() => {
  issued = 0
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('authMiddleware', () => {
  it('dispatches token-rotated and auth-reset, and keeps the slice equal to the snapshot', async () => {
    const { bridge, store, types } = host()
    await bridge.rotate()
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(store.getState().auth).toMatchObject({ status: 'ready', generation: 1 })
    await bridge.rotate()
    await bridge.reset('sign-out')
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(types()).toEqual(['auth/tokenRotated', 'auth/tokenRotated', 'auth/authReset'])
  })

  it('puts no token into state or action', async () => {
    const { bridge, store, actions } = host()
    await bridge.rotate()
    expect(JSON.stringify([store.getState(), actions])).not.toContain('secret')
  })

  it('passes the immutability and the serialisability check', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const { bridge } = host()
    await bridge.rotate()
    await bridge.reset('sign-out')
    expect(error).not.toHaveBeenCalled()
    expect(warn).not.toHaveBeenCalled()
  })

  it('has updated the store before any remote is told', async () => {
    const { bridge, store } = host()
    const generations: number[] = []
    bridge
      .reader('orders')
      .getToken()
      .subscribe(() => generations.push(store.getState().auth.generation))
    await bridge.rotate()
    expect(generations).toEqual([1])
  })

  it('lets a store catch up that is made after the bridge has a token', async () => {
    const bridge = new SecureTokenBridge({ source })
    await bridge.rotate()
    const { store, types } = host(bridge)
    await tick()
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(types()).toEqual(['auth/statusChanged'])
  })

  it('keeps two stores on one bridge in step', async () => {
    const bridge = new SecureTokenBridge({ source })
    const first = host(bridge)
    const second = host(bridge)
    await bridge.rotate()
    expect(first.store.getState().auth).toBe(second.store.getState().auth)
  })

  it.each([
    [
      'forged',
      () =>
        tokenRotated({
          status: 'ready',
          mode: 'bridge',
          generation: 9,
          expiresAt: Date.now() + 1e6,
          error: null,
        }),
    ],
    [
      'reset',
      () =>
        authReset({
          status: 'signed-out',
          mode: 'bridge',
          generation: 1,
          expiresAt: null,
          error: null,
        }),
    ],
    [
      'status',
      () =>
        statusChanged({
          status: 'error',
          mode: 'bridge',
          generation: 1,
          expiresAt: null,
          error: null,
        }),
    ],
  ])('drops and reports a %s action, and the app goes on', async (_name, forge) => {
    const { bridge, store, types } = host()
    const violations: string[] = []
    bridge.events$.subscribe((event) => event.type === 'violation' && violations.push(event.kind))
    await bridge.rotate()
    const before = store.getState()
    store.dispatch(forge())
    expect(store.getState()).toBe(before)
    expect(types()).toEqual(['auth/tokenRotated'])
    expect(violations).toEqual(['forged-action'])
    expect(bridge.metrics.violations).toBe(1)
    store.dispatch(cart.actions.added())
    expect(store.getState().cart.items).toBe(1)
  })

  it('drops a minted action that is replayed', async () => {
    const { bridge, store, actions } = host()
    await bridge.rotate()
    const minted = actions[0] as { type: string }
    await bridge.reset('sign-out')
    store.dispatch(minted)
    expect(store.getState().auth.status).toBe('signed-out')
    expect(bridge.metrics.violations).toBe(1)
  })

  it('leaves actions of an app slice that is called auth alone', () => {
    const { store, types } = host()
    store.dispatch({ type: 'auth/loginClicked' })
    expect(types()).toEqual(['auth/loginClicked'])
  })

  it('dispatches what the app registered right after the reset', async () => {
    const { bridge, types, store } = host(undefined, {
      onReset: [cart.actions.added(), () => ({ type: 'api/reset' })],
    })
    await bridge.rotate()
    void bridge.reset('sign-out')
    expect(types()).toEqual(['auth/tokenRotated', 'auth/authReset', 'cart/added', 'api/reset'])
    expect(store.getState().cart.items).toBe(1)
  })

  it('goes on with a reset when a listener of the host throws', async () => {
    const reported = vi.fn()
    vi.stubGlobal('reportError', reported)
    const { bridge, store, types } = host(undefined, { onReset: [cart.actions.added()] })
    await bridge.rotate()
    store.subscribe(() => {
      throw new Error('host')
    })
    await bridge.reset('sign-out')
    vi.unstubAllGlobals()
    expect(types()).toEqual(['auth/tokenRotated', 'auth/authReset', 'cart/added'])
  })

  it('fills a slice that is injected later, under a key of its own', async () => {
    const bridge = new SecureTokenBridge({ source })
    const reducer = combineSlices(cart).withLazyLoadedSlices<{
      session: ReturnType<typeof authReducer>
    }>()
    const store = configureStore({
      reducer,
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge, { key: 'session' })),
    })
    await bridge.rotate()
    reducer.inject({ reducerPath: 'session', reducer: authReducer })
    store.dispatch({ type: 'injected' })
    await tick()
    expect(store.getState().session).toBe(bridge.snapshot)
  })

  // Whoever cloned an action, or had one cloned by `structuredClone`, storage or another window.
  it.each<[string, (action: object) => object]>([
    ['spread', (action) => ({ ...action })],
    ['JSON', (action) => JSON.parse(JSON.stringify(action)) as object],
    ['structuredClone', (action) => structuredClone(action)],
    ['inheritance', (action) => Object.assign(Object.create(null) as object, action)],
  ])('drops a copy of its own action, made by %s', async (_, copy) => {
    const { bridge, store, actions } = host()
    await bridge.rotate()
    const minted = actions[0] as Action
    await bridge.rotate()
    store.dispatch(copy(minted) as Action)
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(bridge.metrics.violations).toBe(1)
  })

  it('drops an action that was made for another store on the same bridge', async () => {
    const bridge = new SecureTokenBridge({ source })
    const first = host(bridge)
    const second = host(bridge)
    await bridge.rotate()
    second.store.dispatch(first.actions[0] as Action)
    expect(second.types()).toEqual(['auth/tokenRotated'])
    expect(bridge.metrics.violations).toBe(1)
  })

  it('makes actions that nobody on their way can put another snapshot into', async () => {
    const { bridge, store, actions } = host()
    await bridge.rotate()
    expect(() => Object.assign(actions[0] as Action, { payload: null })).toThrow(TypeError)
    expect(store.getState().auth).toBe(bridge.snapshot)
  })

  it('names an attempt by its type alone, whatever it carried', () => {
    const { bridge, store } = host()
    const events: unknown[] = []
    bridge.events$.subscribe((event) => events.push(event))
    store.dispatch({ ...tokenRotated(bridge.snapshot), payload: 'secret' } as Action)
    expect(events).toMatchObject([
      {
        type: 'violation',
        kind: 'forged-action',
        detail: 'auth/tokenRotated was not made by the bridge and was dropped',
      },
    ])
    expect(JSON.stringify(events)).not.toContain('secret')
  })

  it.each<[string, Middleware]>([
    ['swallows', () => (next) => (action) => (isOurs(action) ? action : next(action))],
    ['clones', () => (next) => (action) => next({ ...(action as Action) })],
    [
      'throws at',
      () => (next) => (action) => {
        if (isOurs(action)) throw new Error('ahead')
        return next(action)
      },
    ],
    [
      'holds back',
      () => (next) => (action) =>
        isOurs(action) ? void setTimeout(next, 0, action) : next(action),
    ],
  ])('reaches the slice when a middleware ahead of it %s its actions', async (does, ahead) => {
    vi.stubGlobal('reportError', vi.fn())
    const bridge = new SecureTokenBridge({ source })
    const store = configureStore({
      reducer: { auth: authReducer },
      middleware: (defaults) => defaults().prepend(ahead, authMiddleware(bridge)),
    })
    const generations: number[] = []
    store.subscribe(() => generations.push(store.getState().auth.generation))
    await bridge.rotate()
    expect(store.getState().auth).toBe(bridge.snapshot)
    await bridge.rotate()
    expect(store.getState().auth).toBe(bridge.snapshot)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(generations).toEqual([1, 2])
    // A clone is nobody's that we know; the rest are our own.
    expect(bridge.metrics.violations).toBe(does === 'clones' ? 2 : 0)
    vi.unstubAllGlobals()
  })

  // Middlewares that stamp actions or number them are common.
  it('reaches the slice when a middleware behind it writes into its actions', async () => {
    const stamp: Middleware = () => (next) => (action) =>
      next(Object.assign(action as Action, { timestamp: 1 }))
    const bridge = new SecureTokenBridge({ source })
    const store = configureStore({
      reducer: { auth: authReducer },
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge)).concat(stamp),
    })
    await bridge.rotate()
    expect(store.getState().auth).toBe(bridge.snapshot)
    await bridge.reset('sign-out')
    expect(store.getState().auth).toBe(bridge.snapshot)
  })

  it.each<[string, (next: (action: unknown) => unknown, action: unknown) => unknown]>([
    ['swallows', (_next, action) => action],
    ['clones and spoils', (next, action) => next({ ...(action as Action), payload: null })],
    [
      'throws at',
      () => {
        throw new Error('behind')
      },
    ],
  ])('catches up by itself when a middleware behind it %s an action', async (_, handle) => {
    vi.stubGlobal('reportError', vi.fn())
    const bridge = new SecureTokenBridge({ source })
    const behind: Middleware = () => (next) => (action) =>
      tokenRotated.match(action) ? handle(next, action) : next(action)
    const store = configureStore({
      reducer: { auth: authReducer },
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge)).concat(behind),
    })
    await tick()
    bridge.updateToken({ accessToken: 'by-hand', expiresAt: Date.now() + 300_000 })
    expect(store.getState().auth).not.toEqual(bridge.snapshot)
    await tick()
    expect(store.getState().auth).toBe(bridge.snapshot)
    vi.unstubAllGlobals()
  })

  it.each<[string, (forge: () => Action) => Action]>([
    [
      'a batch that a reducer unpacks',
      (forge) => ({ type: 'batch', payload: [forge()] }) as Action,
    ],
    [
      'a type that reads otherwise the next time',
      (forge) => {
        let reads = 0
        const { type, ...action } = forge()
        return Object.defineProperty(action as Action, 'type', {
          get: () => ((reads += 1) > 3 ? type : 'cart/other'),
        })
      },
    ],
  ])('brings the slice back after %s, and shows no token meanwhile', async (_, wrap) => {
    const bridge = new SecureTokenBridge({ source })
    interface Root {
      readonly auth: ReturnType<typeof authReducer>
    }
    const reducer = (state: Root | undefined, action: Action): Root =>
      action.type === 'batch'
        ? (action as unknown as { payload: Action[] }).payload.reduce<Root | undefined>(
            (before, one) => reducer(before, one),
            state,
          )!
        : { auth: authReducer(state?.auth, action) }
    const store = configureStore({
      reducer,
      middleware: () => new Tuple(authMiddleware(bridge)),
    })
    const { selectAuthToken } = createAuthSelectors(bridge.reader('orders'))
    await bridge.rotate()
    store.dispatch(wrap(() => tokenRotated({ ...bridge.snapshot, generation: 99 })))
    expect(store.getState().auth.generation).toBe(99)
    expect(selectAuthToken(store.getState())).toBeNull()
    await tick()
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(selectAuthToken(store.getState())).toBe('secret-1')
    expect(bridge.metrics.violations).toBe(1)
  })

  it('counts a forgery that a middleware behind it sends to the reducer', async () => {
    const bridge = new SecureTokenBridge({ source })
    const evil: Middleware = () => (next) => (action) =>
      next(
        (action as Action).type === 'evil'
          ? tokenRotated({ ...bridge.snapshot, generation: 99 })
          : action,
      )
    const store = configureStore({
      reducer: { auth: authReducer },
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge)).concat(evil),
    })
    await bridge.rotate()
    store.dispatch({ type: 'evil' })
    await tick()
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(bridge.metrics.violations).toBe(1)
  })

  it('takes no travel in time for a forgery, nor what a store begins with', async () => {
    const bridge = new SecureTokenBridge({ source })
    const root = (
      state: { auth: AuthSnapshot } | undefined,
      action: Action,
    ): { auth: AuthSnapshot } =>
      action.type === 'travel'
        ? (action as unknown as { to: { auth: AuthSnapshot } }).to
        : { auth: authReducer(state?.auth, action) }
    await bridge.rotate()
    const store = configureStore({
      reducer: root,
      preloadedState: { auth: { ...bridge.snapshot, mode: 'legacy' as const, generation: 7 } },
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
    })
    const states = [store.getState()]
    await tick()
    for (let turn = 0; turn < 3; turn += 1) {
      states.push(store.getState())
      await bridge.rotate()
    }
    for (const to of [...states, root(undefined, { type: 'init' })]) {
      store.dispatch({ type: 'travel', to } as Action)
      expect(store.getState()).toBe(to)
      await tick()
      expect(store.getState().auth).toBe(bridge.snapshot)
    }
    expect(bridge.metrics.violations).toBe(0)
  })

  it('knows its actions also after a remote has patched the sets of the realm', async () => {
    const bridge = new SecureTokenBridge({ source })
    const { store } = host(bridge)
    await bridge.rotate()
    const before = store.getState()
    vi.spyOn(WeakSet.prototype, 'has').mockReturnValue(true)
    vi.spyOn(WeakSet.prototype, 'delete').mockReturnValue(true)
    store.dispatch(tokenRotated({ ...bridge.snapshot, generation: 99 }))
    vi.restoreAllMocks()
    expect(store.getState()).toBe(before)
    expect(bridge.metrics.violations).toBe(1)
  })

  it('asks once, and not without end, when another reducer stands at its key', async () => {
    const bridge = new SecureTokenBridge({ source })
    const seen: string[] = []
    const spy: Middleware = () => (next) => (action) => {
      seen.push((action as Action).type)
      return next(action)
    }
    const store = configureStore({
      reducer: { auth: (state = { user: 'host' }) => ({ ...state }) },
      middleware: (defaults) => defaults().concat(spy).prepend(authMiddleware(bridge)),
    })
    for (let turn = 0; turn < 20; turn += 1) await tick()
    expect(seen).toEqual(['auth/statusChanged'])
    store.dispatch({ type: 'cart/added' })
    for (let turn = 0; turn < 20; turn += 1) await tick()
    expect(seen).toEqual(['auth/statusChanged', 'cart/added', 'auth/statusChanged'])
    expect(store.getState().auth).toEqual({ user: 'host' })
  })

  it('leaves it to Redux to say that reducers may not dispatch', () => {
    const bridge = new SecureTokenBridge({ source })
    const store = configureStore({
      reducer: (state = 0, action: Action): number => {
        if (action.type === 'nested') store.dispatch({ type: 'inner' })
        return state
      },
      middleware: () => new Tuple(authMiddleware(bridge)),
    })
    expect(() => store.dispatch({ type: 'nested' })).toThrow('Reducers may not dispatch actions.')
  })

  it('asks for nothing while there is no slice', async () => {
    const bridge = new SecureTokenBridge({ source })
    const seen: string[] = []
    const spy: Middleware = () => (next) => (action) => {
      seen.push((action as Action).type)
      return next(action)
    }
    await bridge.rotate()
    const store = configureStore({
      reducer: { cart: cart.reducer },
      middleware: (defaults) => defaults().concat(spy).prepend(authMiddleware(bridge)),
    })
    await tick()
    store.dispatch(cart.actions.added())
    await tick()
    expect(seen).toEqual(['cart/added'])
  })

  it('leaves a slice alone that says the same in other words', async () => {
    const bridge = new SecureTokenBridge({ source })
    const { types } = host(bridge)
    const copy = configureStore({
      reducer: { auth: authReducer },
      preloadedState: { auth: { ...bridge.snapshot } },
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
    })
    const before = copy.getState()
    await tick()
    expect(copy.getState()).toBe(before)
    expect(types()).toEqual([])
  })

  it('catches up after a listener of the host has thrown at what spoilt the slice', async () => {
    const bridge = new SecureTokenBridge({ source })
    const store = configureStore({
      reducer: (
        state: { auth: ReturnType<typeof authReducer> } | undefined,
        action: { type: string },
      ) =>
        action.type === 'spoil'
          ? { auth: { ...bridge.snapshot, generation: 99 } }
          : { auth: authReducer(state?.auth, action) },
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
    })
    await tick()
    const leave = store.subscribe(() => {
      throw new Error('host')
    })
    expect(() => store.dispatch({ type: 'spoil' })).toThrow('host')
    leave()
    await tick()
    expect(store.getState().auth).toBe(bridge.snapshot)
  })

  it('survives a listener that throws at what it does by itself', async () => {
    const reported = vi.fn()
    vi.stubGlobal('reportError', reported)
    const bridge = new SecureTokenBridge({ source })
    await bridge.rotate()
    const { store } = host(bridge)
    store.subscribe(() => {
      throw new Error('host')
    })
    await tick()
    vi.unstubAllGlobals()
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(reported).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'host' }))
  })

  it('selects no token of another generation from a state that somebody has kept, unlike a cache by the state', async () => {
    const { bridge, store } = host()
    const { selectAuthToken } = createAuthSelectors(bridge.reader('orders'))
    const headerOf = (token: string | null) => ({ authorization: token })
    const cached = createSelector([selectAuthToken], headerOf)
    const asked = (state: ReturnType<typeof store.getState>) => headerOf(selectAuthToken(state))
    await bridge.rotate()
    const kept = store.getState()
    expect(asked(kept)).toEqual({ authorization: 'secret-1' })
    expect(cached(kept)).toEqual(asked(kept))
    await bridge.rotate()
    expect(asked(kept)).toEqual({ authorization: null })
    await bridge.reset('sign-out')
    expect(asked(kept)).toEqual({ authorization: null })
    // Why the docblock forbids it.
    expect(cached(kept)).toEqual({ authorization: 'secret-1' })
  })

  it('brings the slice back after the state was replaced', async () => {
    const bridge = new SecureTokenBridge({ source })
    const root = (
      state: { auth: ReturnType<typeof authReducer> } | undefined,
      action: { type: string; payload?: unknown },
    ) =>
      action.type === 'import'
        ? (action.payload as { auth: ReturnType<typeof authReducer> })
        : { auth: authReducer(state?.auth, action) }
    const store = configureStore({
      reducer: root,
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
    })
    await bridge.rotate()
    const old = store.getState()
    await bridge.rotate()
    store.dispatch({ type: 'import', payload: old })
    const { selectAuthToken } = createAuthSelectors(bridge.reader('orders'))
    expect(selectAuthToken(store.getState())).toBeNull()
    await tick()
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(selectAuthToken(store.getState())).toBe('secret-2')
  })
})

describe('authMiddleware with a signal', () => {
  it('lets go of the bridge when the signal is aborted, and guards the slice all the same', async () => {
    const life = new AbortController()
    const { bridge, store, types } = host(undefined, { signal: life.signal })
    await bridge.rotate()
    life.abort()
    await bridge.rotate()
    store.dispatch(cart.actions.added())
    await tick()
    store.dispatch(tokenRotated(bridge.snapshot))
    expect(types()).toEqual(['auth/tokenRotated', 'cart/added'])
    expect(store.getState().auth.generation).toBe(1)
    expect(bridge.metrics.violations).toBe(1)
  })

  it('never connects a store whose signal was aborted before', async () => {
    const { bridge, types } = host(undefined, { signal: AbortSignal.abort() })
    await bridge.rotate()
    await tick()
    expect(types()).toEqual([])
  })
})

describe('selectors', () => {
  it('resolve the token of the generation that the state names, and of no other', async () => {
    const { bridge, store } = host()
    const { selectAuthToken, selectAuthStatus, selectIsAuthenticated, selectExpiresAt } =
      createAuthSelectors(bridge.reader('orders'))
    expect(selectAuthToken(store.getState())).toBeNull()
    expect(selectAuthStatus(store.getState())).toBe('loading')
    await bridge.rotate()
    const past = store.getState()
    expect(selectAuthToken(past)).toBe('secret-1')
    expect(selectIsAuthenticated(past)).toBe(true)
    expect(selectExpiresAt(past)).toBe(bridge.snapshot.expiresAt)
    await bridge.rotate()
    expect(selectAuthToken(store.getState())).toBe('secret-2')
    expect(selectAuthToken(past)).toBeNull()
    await bridge.reset('sign-out')
    expect(selectAuthToken(store.getState())).toBeNull()
    expect(selectIsAuthenticated(past)).toBe(false)
  })
})

describe('readOnlyStore', () => {
  it('reads and subscribes, and refuses to write with an error that helps', async () => {
    const { bridge, store } = host()
    const remote = readOnlyStore(store)
    const calls = vi.fn()
    const leave = remote.subscribe(calls)
    await bridge.rotate()
    expect(remote.getState()).toEqual(store.getState())
    expect(remote.getState()).toBe(remote.getState())
    expect(calls).toHaveBeenCalledTimes(1)
    leave()
    store.dispatch(cart.actions.added())
    expect(calls).toHaveBeenCalledTimes(1)
    expect(() => remote.dispatch(cart.actions.added())).toThrow(
      expect.objectContaining({ name: 'ReadOnlyStoreError', code: 'ERR_READ_ONLY_STORE' }),
    )
    expect(() => remote.replaceReducer((state) => state as never)).toThrow(/read-only store/)
  })

  it('names the remote that tries to write, in a violation that says nothing of what it tried', async () => {
    const { bridge, store, types } = host()
    const events: unknown[] = []
    bridge.events$.subscribe((event) => events.push(event))
    const remote = readOnlyStore(store, { bridge, remote: 'orders' })
    expect(() => remote.dispatch(tokenRotated({ ...bridge.snapshot, generation: 99 }))).toThrow(
      /dispatch\(\) was called on a read-only store.*store of your own, or ask the host/,
    )
    expect(() => remote.replaceReducer((state) => state as never)).toThrow(/replaceReducer/)
    expect(events).toMatchObject([
      {
        type: 'violation',
        kind: 'read-only-store',
        remote: 'orders',
        detail: 'dispatch() was called on a read-only store',
      },
      { remote: 'orders', detail: 'replaceReducer() was called on a read-only store' },
    ])
    expect(bridge.metrics.violations).toBe(2)
    expect(types()).toEqual([])
  })

  it('leads to no writer by any chain of properties, prototypes or returned objects', async () => {
    const { bridge, store } = host()
    const remote = readOnlyStore(store, { bridge, remote: 'orders' })
    await bridge.rotate()
    const observable = (remote as unknown as Record<PropertyKey, () => object>)[
      Symbol.observable ?? '@@observable'
    ]!()
    const reachable = new Set<unknown>()
    const visit = (value: unknown): void => {
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return
      if (reachable.has(value) || value === Function.prototype || value === Object.prototype) return
      reachable.add(value)
      for (const key of Reflect.ownKeys(value)) {
        if (typeof value === 'function' && (key === 'caller' || key === 'arguments')) continue
        visit((value as Record<PropertyKey, unknown>)[key])
      }
      visit(Object.getPrototypeOf(value))
    }
    for (const entry of [remote, remote.getState(), remote.subscribe(() => {}), observable])
      visit(entry)
    for (const own of [store, store.dispatch, store.getState(), bridge, bridge.snapshot])
      expect(reachable.has(own)).toBe(false)
    expect(reachable.size).toBeGreaterThan(8)
  })

  it('cannot be used to change the state of the host', async () => {
    const plain = (state = { items: [1] }) => state
    const store = configureStore({ reducer: { plain } })
    const state = readOnlyStore(store).getState()
    expect(() => {
      ;(state as { plain: unknown }).plain = null
    }).toThrow(TypeError)
    expect(() => state.plain.items.push(2)).toThrow(TypeError)
    expect(store.getState()).toEqual({ plain: { items: [1] } })
  })

  it('keeps the faults of a listener from the host, its other listeners and its sign-out', async () => {
    const reported = vi.fn()
    vi.stubGlobal('reportError', reported)
    const { bridge, store, types } = host(undefined, { onReset: [cart.actions.added()] })
    readOnlyStore(store).subscribe(() => {
      throw new Error('remote')
    })
    const calls = vi.fn()
    store.subscribe(calls)
    await bridge.rotate()
    await bridge.reset('sign-out')
    vi.unstubAllGlobals()
    expect(types()).toEqual(['auth/tokenRotated', 'auth/authReset', 'cart/added'])
    expect(calls).toHaveBeenCalledTimes(3)
    expect(reported).toHaveBeenCalledTimes(3)
  })

  it('exposes nothing else, and cannot be changed', () => {
    const remote = readOnlyStore(host().store)
    expect(Object.isFrozen(remote)).toBe(true)
    expect(Object.getPrototypeOf(remote)).toBeNull()
    expect(Reflect.ownKeys(remote).map(String).toSorted()).toEqual(
      [
        'dispatch',
        'getState',
        'replaceReducer',
        'subscribe',
        String(Symbol.observable ?? '@@observable'),
      ].toSorted(),
    )
  })

  it('is an observable of states', () => {
    const { store } = host()
    const seen: number[] = []
    const subscription = from(readOnlyStore(store)).subscribe((state) =>
      seen.push(state.cart.items),
    )
    store.dispatch(cart.actions.added())
    subscription.unsubscribe()
    store.dispatch(cart.actions.added())
    expect(seen).toEqual([0, 1])
  })
})
