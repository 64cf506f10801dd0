// @vitest-environment happy-dom
import {
  combineReducers,
  combineSlices,
  configureStore,
  createAsyncThunk,
  createListenerMiddleware,
  createSlice,
  Tuple,
  type Middleware,
  type WithSlice,
} from '@reduxjs/toolkit'
import { act, cleanup, render, screen } from '@testing-library/react'
import { SecureTokenBridge } from '@token-bridge/core'
import {
  authEnhancer,
  authMiddleware,
  authReducer,
  authSlice,
  createAuthSelectors,
  readOnlyStore,
  tokenRotated,
} from '@token-bridge/redux'
import { createFakeAuthority } from '@token-bridge/testing'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { Provider, useDispatch, useSelector, useStore } from 'react-redux'
import { createTransform, persistReducer, persistStore } from 'redux-persist'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const cart = createSlice({
  name: 'cart',
  initialState: { items: 0 },
  reducers: {
    added: (state) => void (state.items += 1),
    spoilt: (state, { payload }: { payload: unknown }) => void Object.assign(state, payload),
  },
})
const pay = createAsyncThunk('cart/pay', async () => 'paid')

/** What Redux Toolkit has to say about a store; not that its checks took long on a machine that is busy. */
const output = () =>
  [console.error, console.warn]
    .flatMap((method) => vi.mocked(method).mock.calls)
    .filter(([text]) => !/Middleware took \d+ms/.test(String(text)))
const tick = () => Promise.resolve()
const fakeBridge = () => {
  const authority = createFakeAuthority()
  return { authority, bridge: new SecureTokenBridge({ source: authority.source }) }
}

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  vi.spyOn(console, 'warn').mockImplementation(() => {})
})
afterEach(() => {
  cleanup()
})

describe('authMiddleware at its position', () => {
  const listener = () => createListenerMiddleware().middleware
  const logger = (): Middleware => () => (next) => (action) => next(action)
  const positions: Record<string, (ours: Middleware, heard: Middleware) => Tuple<Middleware[]>> = {
    first: (ours, heard) => checked((defaults) => defaults.prepend(ours, heard)),
    last: (ours, heard) => checked((defaults) => defaults.concat(heard, ours)),
    'after the thunk middleware': (ours, heard) => {
      const defaults = checked((all) => all)
      return new Tuple(...defaults.slice(0, 1), ours, ...defaults.slice(1), heard)
    },
    'before a listener middleware': (ours, heard) =>
      checked((defaults) => defaults.prepend(ours, heard, listener())),
    'after a listener middleware': (ours, heard) =>
      checked((defaults) => defaults.prepend(heard, listener(), ours)),
    'between middlewares of the app': (ours, heard) =>
      checked((defaults) => defaults.concat(logger(), heard, ours, logger())),
    'the only one': (ours, heard) => new Tuple(heard, ours),
  }
  /** The default middlewares, with the immutability and the serialisability check. */
  function checked(place: (defaults: Tuple<Middleware[]>) => Tuple<Middleware[]>) {
    let placed!: Tuple<Middleware[]>
    configureStore({
      reducer: () => null,
      middleware: (defaults) => {
        placed = place(defaults())
        return new Tuple()
      },
    })
    return placed
  }

  it.each(Object.entries(positions))('works %s', async (_, place) => {
    const { bridge, authority } = fakeBridge()
    const { middleware, startListening } = createListenerMiddleware()
    const heard: string[] = []
    startListening({
      predicate: ({ type }) => type.startsWith('auth/'),
      effect: ({ type }) => void heard.push(type),
    })
    const store = configureStore({
      reducer: { auth: authReducer, cart: cart.reducer },
      middleware: () => place(authMiddleware(bridge), middleware),
    })
    await bridge.rotate()
    expect(store.getState().auth).toBe(bridge.snapshot)
    store.dispatch(cart.actions.added())
    await bridge.rotate()
    await bridge.reset('sign-out')
    expect(store.getState()).toEqual({ auth: bridge.snapshot, cart: { items: 1 } })
    expect(heard).toEqual(['auth/tokenRotated', 'auth/tokenRotated', 'auth/authReset'])
    store.dispatch(tokenRotated({ ...bridge.snapshot, generation: 99 }))
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(bridge.metrics.violations).toBe(1)
    expect(authority.issued.some((token) => JSON.stringify(store.getState()).includes(token))).toBe(
      false,
    )
    expect(output()).toEqual([])
  })

  it('lets thunks through, which find the auth state', async () => {
    const { bridge } = fakeBridge()
    const store = configureStore({
      reducer: { auth: authReducer, cart: cart.reducer },
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
    })
    await bridge.rotate()
    expect(store.dispatch((_dispatch, getState) => getState().auth.status)).toBe('ready')
    expect(await store.dispatch(pay()).unwrap()).toBe('paid')
  })

  it('would hear of it when a check of Redux Toolkit had something to say', () => {
    const store = configureStore({
      reducer: { auth: authReducer, cart: cart.reducer },
      middleware: (defaults) => defaults().prepend(authMiddleware(fakeBridge().bridge)),
    })
    store.dispatch(cart.actions.spoilt({ at: () => {} }))
    expect(String(output()[0])).toContain('non-serializable')
  })
})

describe('a store and its bridge', () => {
  const rootUnder = (key: string) =>
    combineReducers({ [key]: authReducer, cart: cart.reducer } as {
      auth: typeof authReducer
      cart: typeof cart.reducer
    })
  const storeOn = (bridge: SecureTokenBridge, key = 'auth') =>
    configureStore({
      reducer: rootUnder(key),
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge, { key })),
    })

  it.each(['before', 'after'])(
    'agree when the store is made %s the bridge starts',
    async (when) => {
      const { bridge } = fakeBridge()
      const early = when === 'before' ? storeOn(bridge) : null
      bridge.start()
      await bridge.reader('orders').ready()
      const store = early ?? storeOn(bridge)
      await tick()
      expect(store.getState().auth).toBe(bridge.snapshot)
      expect(bridge.snapshot.status).toBe('ready')
      await bridge.rotate()
      expect(store.getState().auth).toBe(bridge.snapshot)
      bridge.stop()
    },
  )

  it('agree in several stores at once, each under its own key', async () => {
    const { bridge } = fakeBridge()
    const stores = [storeOn(bridge), storeOn(bridge, 'session'), storeOn(bridge, 'login')] as const
    const snapshots = () =>
      stores.flatMap((store) => Object.entries(store.getState()).filter(([key]) => key !== 'cart'))
    const truth = () => ['auth', 'session', 'login'].map((key) => [key, bridge.snapshot])
    await bridge.rotate()
    expect(snapshots()).toEqual(truth())
    await bridge.reset('sign-out')
    expect(snapshots()).toEqual(truth())
    stores[0].dispatch(tokenRotated(bridge.snapshot))
    expect(bridge.metrics.violations).toBe(1)
  })

  it('agree in a slice that is injected later', async () => {
    const { bridge } = fakeBridge()
    const reducer = combineSlices(cart).withLazyLoadedSlices<WithSlice<typeof authSlice>>()
    const store = configureStore({
      reducer,
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
    })
    const { selectAuthToken, selectAuthStatus } = createAuthSelectors(bridge.reader('orders'))
    await bridge.rotate()
    expect(selectAuthStatus(store.getState())).toBe('loading')
    expect(selectAuthToken(store.getState())).toBeNull()
    reducer.inject(authSlice)
    store.dispatch({ type: 'app/routed' })
    await tick()
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(selectAuthToken(store.getState())).toBe('fake-token-1')
    expect(output()).toEqual([])
  })

  it('agree after a hot reload of the reducer, with the state that was there', async () => {
    const { bridge } = fakeBridge()
    const store = storeOn(bridge)
    await bridge.rotate()
    store.dispatch(cart.actions.added())
    store.replaceReducer(rootUnder('auth'))
    expect(store.getState()).toEqual({ auth: bridge.snapshot, cart: { items: 1 } })
    await bridge.rotate()
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(output()).toEqual([])
  })

  it('agree again after the next action when a reducer has dropped the slice and a later one brought it back', async () => {
    const { bridge } = fakeBridge()
    const store = storeOn(bridge)
    const { selectAuthToken } = createAuthSelectors(bridge.reader('orders'))
    await bridge.rotate()
    store.replaceReducer(combineReducers({ cart: cart.reducer }) as never)
    await bridge.rotate()
    await bridge.reset('sign-out')
    bridge.updateToken({ accessToken: 'by-hand', expiresAt: Date.now() + 300_000 })
    expect(store.getState()).not.toHaveProperty('auth')
    store.replaceReducer(rootUnder('auth'))
    expect(selectAuthToken(store.getState())).toBeNull()
    store.dispatch({ type: 'app/routed' })
    await tick()
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(selectAuthToken(store.getState())).toBe('by-hand')
  })
})

describe('onReset', () => {
  it('has cleared what the app registered before any remote hears of the reset', async () => {
    const { bridge } = fakeBridge()
    const orders = createSlice({
      name: 'orders',
      initialState: [1],
      reducers: { cleared: () => [] },
    })
    const store = configureStore({
      reducer: { auth: authReducer, orders: orders.reducer },
      middleware: (defaults) =>
        defaults().prepend(
          authMiddleware(bridge, {
            onReset: [
              () => {
                throw new Error('an app')
              },
              orders.actions.cleared,
            ],
          }),
        ),
    })
    vi.stubGlobal('reportError', vi.fn())
    await bridge.rotate()
    const seen: unknown[] = []
    bridge.reader('orders').subscribe(() => seen.push(store.getState()))
    void bridge.reset('sign-out')
    expect(seen).toEqual([{ auth: bridge.snapshot, orders: [] }])
    vi.unstubAllGlobals()
  })
})

describe('redux-persist', () => {
  /** A storage in memory, as slow as IndexedDB. */
  function memory(entries: Record<string, string> = {}) {
    return {
      entries,
      getItem: async (key: string) => entries[key] ?? null,
      setItem: async (key: string, value: string) => void (entries[key] = value),
      removeItem: async (key: string) => void delete entries[key],
    }
  }
  const ignored = {
    serializableCheck: { ignoredActions: ['persist/PERSIST', 'persist/REHYDRATE'] },
  }
  const old = JSON.stringify({
    status: 'ready',
    mode: 'bridge',
    generation: 7,
    expiresAt: 9e15,
    error: null,
  })

  function persisted(
    bridge: SecureTokenBridge,
    storage: ReturnType<typeof memory>,
    whole: boolean,
  ) {
    const auth = (
      whole ? authReducer : persistReducer({ key: 'auth', storage }, authReducer)
    ) as typeof authReducer
    const plain = combineReducers({ auth, cart: cart.reducer })
    const reducer = (whole
      ? persistReducer({ key: 'root', storage }, plain)
      : plain) as unknown as typeof plain
    const store = configureStore({
      reducer,
      middleware: (defaults) => defaults(ignored).prepend(authMiddleware(bridge)),
    })
    const { selectAuthToken } = createAuthSelectors(bridge.reader('orders'))
    const tokens = new Set<string | null>()
    store.subscribe(() => tokens.add(selectAuthToken(store.getState())))
    return { store, tokens, persistor: persistStore(store) }
  }

  it.each([
    [
      'the whole state',
      true,
      { 'persist:root': JSON.stringify({ auth: old, cart: '{"items":3}' }) },
    ],
    [
      'the slice alone',
      false,
      {
        'persist:auth': JSON.stringify({
          ...JSON.parse(old),
          status: '"ready"',
          mode: '"bridge"',
          generation: '7',
          expiresAt: '9000000000000000',
          error: 'null',
        }),
      },
    ],
  ])('does not bring an old session back when it holds %s', async (_, whole, entries) => {
    const { bridge, authority } = fakeBridge()
    await bridge.rotate()
    const storage = memory(entries)
    const { store, tokens, persistor } = persisted(bridge, storage, whole)
    let rehydrated: unknown
    await new Promise<void>((resolve) => {
      const leave = store.subscribe(() => {
        if (!persistor.getState().bootstrapped) return
        leave()
        rehydrated = store.getState().auth
        resolve()
      })
    })
    await tick()
    expect(store.getState().auth).toMatchObject(bridge.snapshot)
    expect(rehydrated).toBeDefined()
    expect(store.getState().cart.items).toBe(whole ? 3 : 0)
    await bridge.rotate()
    expect(store.getState().auth).toMatchObject({ generation: 2, status: 'ready' })
    await persistor.flush()
    const stored = JSON.stringify(storage.entries)
    expect(authority.issued).toHaveLength(2)
    for (const token of authority.issued) expect(stored).not.toContain(token)
    expect([...tokens].every((token) => token === null || authority.issued.includes(token))).toBe(
      true,
    )
    persistor.pause()
  })

  it('stores nothing over what another tab has stored, with the key on the blacklist', async () => {
    const storage = memory()
    const tab = () => {
      const { bridge } = fakeBridge()
      const plain = combineReducers({ auth: authReducer, cart: cart.reducer })
      const store = configureStore({
        reducer: persistReducer({ key: 'root', storage, blacklist: ['auth'] }, plain as never),
        middleware: (defaults) => defaults(ignored).prepend(authMiddleware(bridge)),
      })
      return { bridge, store, persistor: persistStore(store) }
    }
    const tabs = [tab(), tab()] as const
    for (const { persistor } of tabs)
      await vi.waitFor(() => expect(persistor.getState().bootstrapped).toBe(true))
    tabs[1].store.dispatch(cart.actions.added())
    await tabs[1].persistor.flush()
    const stored = storage.entries['persist:root']
    expect(stored).toContain('items')
    await tabs[0].bridge.rotate()
    await tabs[0].bridge.reset('sign-out')
    await tabs[0].persistor.flush()
    expect(storage.entries['persist:root']).toBe(stored)
    for (const { persistor } of tabs) persistor.pause()
  })

  it('goes through a transform that revives what it likes, and ends at the truth', async () => {
    const { bridge } = fakeBridge()
    const storage = memory({ 'persist:root': JSON.stringify({ auth: old }) })
    const forge = createTransform(
      (state) => state,
      () => ({ ...bridge.snapshot, status: 'ready', generation: 1, expiresAt: 9e15 }),
      { whitelist: ['auth'] },
    )
    const plain = combineReducers({ auth: authReducer })
    const store = configureStore({
      reducer: persistReducer({ key: 'root', storage, transforms: [forge] }, plain as never),
      middleware: (defaults) => defaults(ignored).prepend(authMiddleware(bridge)),
    })
    const persistor = persistStore(store)
    await vi.waitFor(() => expect(persistor.getState().bootstrapped).toBe(true))
    await tick()
    expect(store.getState().auth).toEqual(bridge.snapshot)
    persistor.pause()
  })
})

describe('readOnlyStore in react-redux', () => {
  function host() {
    const { bridge } = fakeBridge()
    const store = configureStore({
      reducer: { auth: authReducer, cart: cart.reducer },
      middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
    })
    const view = readOnlyStore(store, { bridge, remote: 'orders' })
    return { bridge, store, view }
  }

  it('satisfies <Provider>, and a remote renders each rotation and the sign-out', async () => {
    const { bridge, store, view } = host()
    const { selectAuthToken, selectAuthStatus } = createAuthSelectors(bridge.reader('orders'))
    const Remote = () => (
      <p>
        {useSelector(selectAuthStatus)} {useSelector(selectAuthToken)}{' '}
        {useSelector(({ cart: { items } }: ReturnType<typeof store.getState>) => items)}
      </p>
    )
    render(
      <Provider store={view}>
        <Remote />
      </Provider>,
    )
    expect(screen.getByText('loading 0')).toBeDefined()
    await act(() => bridge.rotate())
    expect(screen.getByText('ready fake-token-1 0')).toBeDefined()
    await act(() => bridge.rotate())
    act(() => void store.dispatch(cart.actions.added()))
    expect(screen.getByText('ready fake-token-2 1')).toBeDefined()
    await act(async () => void (await bridge.reset('sign-out')))
    expect(screen.getByText('signed-out 1')).toBeDefined()
    expect(output()).toEqual([])
  })

  it('shows no token any more when the reader is revoked', async () => {
    const { bridge, store, view } = host()
    const { selectAuthToken } = createAuthSelectors(bridge.reader('orders'))
    const Remote = () => <p>{useSelector(selectAuthToken) ?? 'none'}</p>
    render(
      <Provider store={view}>
        <Remote />
      </Provider>,
    )
    await act(() => bridge.rotate())
    expect(screen.getByText('fake-token-1')).toBeDefined()
    act(() => bridge.revoke('orders'))
    expect(screen.getByText('none')).toBeDefined()
    expect(store.getState().auth).toEqual(bridge.snapshot)
    expect(bridge.metrics.violations).toBe(0)
  })

  it('hydrates with the state that the server sent, and then shows the truth', async () => {
    const App = ({ status }: { status: (state: object) => string }) => <p>{useSelector(status)}</p>
    const make = (bridge: SecureTokenBridge) => {
      const store = configureStore({
        reducer: { auth: authReducer },
        middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
      })
      return { store, status: createAuthSelectors(bridge.reader('orders')).selectAuthStatus }
    }
    const server = make(fakeBridge().bridge)
    const container = document.createElement('div')
    container.innerHTML = renderToString(
      <Provider store={server.store}>
        <App status={server.status} />
      </Provider>,
    )
    expect(container.textContent).toBe('loading')
    const sent = server.store.getState()
    const { bridge } = fakeBridge()
    await bridge.rotate()
    const page = make(bridge)
    await tick()
    const recovered = vi.fn()
    const root = await act(async () =>
      hydrateRoot(
        container,
        <Provider store={page.store} serverState={sent}>
          <App status={page.status} />
        </Provider>,
        { onRecoverableError: recovered },
      ),
    )
    expect(container.textContent).toBe('ready')
    expect(recovered).not.toHaveBeenCalled()
    act(() => root.unmount())
  })

  it('is all that a remote gets from useStore and useDispatch', () => {
    const { bridge, store, view } = host()
    const got: unknown[] = []
    const Remote = () => {
      got.push(useStore(), useDispatch())
      return null
    }
    render(
      <Provider store={view}>
        <Remote />
      </Provider>,
    )
    expect(got).toEqual([view, view.dispatch])
    expect(got[0]).toBe(view)
    expect(() => (got[1] as typeof store.dispatch)(cart.actions.added())).toThrow(
      expect.objectContaining({ code: 'ERR_READ_ONLY_STORE' }),
    )
    expect(store.getState().cart.items).toBe(0)
    expect(bridge.metrics.violations).toBe(1)
  })

  it('renders on a server, and leaves no subscription in the store', () => {
    const { store, view } = host()
    const subscribed = vi.spyOn(store, 'subscribe')
    const { selectAuthStatus } = createAuthSelectors(host().bridge.reader('orders'))
    const Remote = () => <p>{useSelector(selectAuthStatus)}</p>
    const html = renderToString(
      <Provider store={view}>
        <Remote />
      </Provider>,
    )
    expect(html).toBe('<p>loading</p>')
    expect(subscribed).not.toHaveBeenCalled()
  })
})

describe('a server that makes a store for each request', () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void

  /** Whether what `make` returns can be collected once nobody else has it. */
  async function isReleased(make: () => Promise<object>, turns = 20): Promise<boolean> {
    const held = new WeakRef(await make())
    for (let turn = 0; turn < turns && held.deref() !== undefined; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      collectGarbage()
    }
    return held.deref() === undefined
  }
  async function answer(bridge: SecureTokenBridge, signal?: AbortSignal) {
    const store = configureStore({
      reducer: { auth: authReducer, cart: cart.reducer },
      middleware: (defaults) =>
        defaults().prepend(authMiddleware(bridge, { ...(signal && { signal }) })),
      enhancers: (defaults) => defaults().concat(authEnhancer(bridge)),
    })
    const { selectAuthStatus } = createAuthSelectors(bridge.reader('orders'))
    const Page = () => <p>{useSelector(selectAuthStatus)}</p>
    await tick()
    const html = renderToString(
      <Provider store={store}>
        <Page />
      </Provider>,
    )
    return { store, html }
  }

  it('lets go of the store when its signal is aborted', async () => {
    const { bridge } = fakeBridge()
    await bridge.rotate()
    const released = await isReleased(async () => {
      const request = new AbortController()
      const { store, html } = await answer(bridge, request.signal)
      expect(html).toBe('<p>ready</p>')
      request.abort()
      return store.getState
    })
    expect(released).toBe(true)
    await bridge.rotate()
  })

  it('lets go of a store together with its own bridge', async () => {
    expect(await isReleased(async () => (await answer(fakeBridge().bridge)).store.getState)).toBe(
      true,
    )
  })

  it('keeps a store without a signal for as long as there is the bridge', async () => {
    const { bridge } = fakeBridge()
    expect(await isReleased(async () => (await answer(bridge)).store.getState, 4)).toBe(false)
    await bridge.rotate()
  })
})
