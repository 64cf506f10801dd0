// @vitest-environment happy-dom
import { act, cleanup, render, screen } from '@testing-library/react'
import { SecureTokenBridge, type AuthSnapshot } from '@token-bridge/core'
import { initialSnapshot } from '@token-bridge/core/state'
import { createFakeAuthority } from '@token-bridge/testing'
import {
  createAuthSelectors,
  createAuthStore,
  readOnlyStore,
  withAuth,
  type AuthSlice,
} from '@token-bridge/zustand'
import { hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { create, useStore, type StateCreator } from 'zustand'
import {
  combine,
  createJSONStorage,
  devtools,
  persist,
  subscribeWithSelector,
} from 'zustand/middleware'
import { immer } from 'zustand/middleware/immer'
import { createStore, type StoreApi } from 'zustand/vanilla'

interface Cart {
  items: number
  add(): void
}
type State = Cart & AuthSlice

/** A store whose middlewares are only known when it is made. */
type AnyStore = StoreApi<State> & {
  persist: {
    rehydrate(): Promise<void>
    setOptions(options: object): void
    clearStorage(): void
  }
  subscribe(selector: (state: State) => unknown, listener: (value: unknown) => void): () => void
}
type Layer = (inner: never) => unknown

const forged: AuthSnapshot = {
  status: 'ready',
  mode: 'bridge',
  generation: 99,
  expiresAt: 9e15,
  error: null,
}

function host() {
  const authority = createFakeAuthority()
  const bridge = new SecureTokenBridge({ source: authority.source })
  const violations: string[] = []
  bridge.events$.subscribe((event) => event.type === 'violation' && violations.push(event.kind))
  return { bridge, authority, violations }
}

/** The DevTools extension, as `devtools` sees it. */
function extension() {
  const sent: { action: { type: string } | null; state: unknown }[] = []
  let receive = (_message: unknown): void => {}
  vi.stubGlobal('__REDUX_DEVTOOLS_EXTENSION__', {
    connect: () => ({
      init() {},
      subscribe(listener: typeof receive) {
        receive = listener
        return () => {}
      },
      send: (action: { type: string } | null, state: unknown) => sent.push({ action, state }),
    }),
  })
  return {
    sent,
    dispatch: (payload: object, state?: unknown) =>
      receive({ type: 'DISPATCH', payload, state: JSON.stringify(state) }),
    act: (action: object) => receive({ type: 'ACTION', payload: JSON.stringify(action) }),
  }
}

function memory(entry?: object) {
  const entries = new Map<string, string>()
  if (entry !== undefined) entries.set('cart', JSON.stringify({ state: entry, version: 0 }))
  return {
    entries,
    storage: createJSONStorage<State>(() => ({
      getItem: (name) => entries.get(name) ?? null,
      setItem: (name, value) => void entries.set(name, value),
      removeItem: (name) => void entries.delete(name),
    })),
  }
}

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

function permutations<T>(items: readonly T[]): T[][] {
  return items.length === 0
    ? [[]]
    : items.flatMap((item, index) =>
        permutations(items.toSpliced(index, 1)).map((others) => [item, ...others]),
      )
}

describe('withAuth among the middlewares of Zustand', () => {
  const NAMES = ['withAuth', 'devtools', 'persist', 'immer', 'subscribeWithSelector'] as const
  const base = (isImmer: boolean) => (set: (change: unknown) => void) => ({
    items: 0,
    add: () =>
      set(
        isImmer
          ? (state: Cart) => void (state.items += 1)
          : ({ items }: Cart) => ({ items: items + 1 }),
      ),
  })

  function stack(order: readonly (typeof NAMES)[number][], bridge: SecureTokenBridge) {
    const { entries, storage } = memory()
    const layers: Record<(typeof NAMES)[number], Layer> = {
      withAuth: withAuth(bridge),
      devtools: (inner) => devtools(inner, { enabled: true }),
      persist: (inner) => persist(inner, { name: 'cart', storage: storage! }),
      immer: (inner) => immer(inner),
      subscribeWithSelector: (inner) => subscribeWithSelector(inner),
    }
    const initializer = order.reduceRight<unknown>(
      (inner, name) => layers[name](inner as never),
      base(order.includes('immer')),
    )
    return { entries, store: createStore(initializer as StateCreator<State>) as AnyStore }
  }

  it.each(permutations(NAMES).map((order) => [order.join(' > '), order] as const))(
    'keeps its key, and leaves the rest alone, as %s',
    async (_, order) => {
      const tools = extension()
      const { bridge, authority, violations } = host()
      const { store, entries } = stack(order, bridge)
      const statuses: unknown[] = []
      store.subscribe(
        (state) => state.auth.status,
        (status) => statuses.push(status),
      )
      expect(store.getState()).toMatchObject({ items: 0, auth: bridge.snapshot })

      await bridge.rotate()
      store.getState().add()
      store.setState({ items: store.getState().items + 1 })
      store.setState(((state: Cart) => void (state.items += 1)) as never)
      expect(store.getState()).toMatchObject({ items: 3, auth: bridge.snapshot })
      expect(violations).toEqual([])

      store.setState({ items: 4, auth: forged })
      store.setState(((state: { auth: AuthSnapshot }) => void (state.auth = forged)) as never)
      store.setState(((state: { auth?: AuthSnapshot }) => void delete state.auth) as never, true)
      store.setState({ ...store.getState(), items: 5, auth: forged }, true)
      tools.dispatch({ type: 'JUMP_TO_STATE' }, { items: 6, auth: forged })
      expect(store.getState()).toMatchObject({ items: 6, auth: bridge.snapshot })
      expect(violations).toEqual(Array.from({ length: 5 }, () => 'store-write'))

      entries.set('cart', JSON.stringify({ state: { items: 7, auth: forged }, version: 0 }))
      await store.persist.rehydrate()
      expect(store.getState()).toMatchObject({ items: 7, auth: bridge.snapshot })
      expect(violations).toHaveLength(6)

      await bridge.rotate()
      store.getState().add()
      await bridge.reset('sign-out')
      expect(store.getState()).toMatchObject({ items: 8, auth: bridge.snapshot })
      expect(statuses).toEqual(['ready', 'signed-out'])
      expect(JSON.parse(entries.get('cart')!)).toEqual({ state: { items: 8 }, version: 0 })
      const everything = JSON.stringify([store.getState(), tools.sent, [...entries]])
      for (const token of authority.issued) expect(everything).not.toContain(token)
      expect(tools.sent.map(({ action }) => action?.type)).toEqual(
        expect.arrayContaining(['auth/tokenRotated', 'auth/authReset']),
      )
    },
  )

  it('composes with combine, inside and outside, and with slices', async () => {
    const { bridge, violations } = host()
    const over = createStore(
      withAuth(bridge)(combine({ items: 0 }, (set) => ({ add: () => set({ items: 1 }) }))),
    )
    const under = createStore(
      combine(
        { items: 0 },
        withAuth(bridge)((set) => ({ add: () => set({ items: 1 }) })),
      ),
    )
    const cart: StateCreator<State & { wishes: string[] }, [], [], Cart> = (set) => ({
      items: 0,
      add: () => set({ items: 1 }),
    })
    const slices = createStore<State & { wishes: string[] }>()((...store) => ({
      ...cart(...store),
      wishes: [],
      ...withAuth(bridge)(() => ({}))(...store),
    }))
    const around = createStore<State & { wishes: string[] }>()(
      withAuth(bridge)((...store) => ({ ...cart(...store), wishes: [] })),
    )
    await bridge.rotate()
    for (const store of [over, under, slices, around] as StoreApi<State>[]) {
      store.getState().add()
      store.setState({ auth: forged })
      expect(store.getState()).toMatchObject({ items: 1, auth: bridge.snapshot })
    }
    expect(violations).toHaveLength(4)
  })

  it('wins over a middleware outside that holds on to the very first set', async () => {
    const { bridge, violations } = host()
    let raw!: (state: unknown, replace?: boolean) => void
    const store = createStore<State>()((set, get, api) => {
      raw = api.setState as never
      return withAuth(bridge)((): Cart => ({ items: 0, add() {} }))(set, get, api)
    })
    await bridge.rotate()
    for (const [state, replace] of [
      [{ auth: forged }],
      [{ items: 1, auth: forged }, true],
      [{ items: 2 }, true],
      [Object.freeze({ items: 3, auth: forged }), true],
      [
        {
          items: 4,
          get auth() {
            return forged
          },
        },
        true,
      ],
      [null, true],
      [undefined],
    ] as const) {
      raw(state, replace)
      expect(store.getState().auth).toBe(bridge.snapshot)
    }
    expect(violations).toHaveLength(7)
  })

  it('goes on when somebody puts another setState into the store', async () => {
    const { bridge } = host()
    const store = createAuthStore(bridge)
    store.setState = () => {}
    await bridge.rotate()
    expect(store.getState().auth).toBe(bridge.snapshot)
  })

  it('is not misled by a store that another adapter writes to before its own turn', async () => {
    const { bridge, violations } = host()
    const first = createAuthStore(bridge)
    first.subscribe(() => second.setState({ items: 1 }))
    const second = createStore<State>()(withAuth(bridge)((): Cart => ({ items: 0, add() {} })))
    const generations: number[] = []
    second.subscribe(({ auth }) => generations.push(auth.generation))
    await bridge.rotate()
    expect(generations).toEqual([0, 1])
    expect(violations).toEqual([])
  })

  it.each([
    ['written', (state: State) => Object.assign(state, { auth: forged })],
    ['deleted', (state: State) => delete (state as { auth?: unknown }).auth],
    ['redefined', (state: State) => Object.defineProperty(state, 'auth', { value: forged })],
  ])('cannot be %s in place, in the state or in the initial state', async (_, spoil) => {
    const { bridge } = host()
    for (const make of [
      () => createStore<State>()(withAuth(bridge)((): Cart => ({ items: 0, add() {} }))),
      () =>
        createStore(
          persist(
            combine(
              { items: 0 },
              withAuth(bridge)(() => ({ add() {} })),
            ),
            {
              name: 'cart',
              storage: memory().storage!,
            },
          ),
        ) as unknown as StoreApi<State>,
    ]) {
      const store = make()
      await Promise.resolve()
      const { auth } = store.getInitialState()
      expect(() => spoil(store.getInitialState())).toThrow(TypeError)
      expect(() => spoil(store.getState())).toThrow(TypeError)
      await bridge.rotate()
      expect(() => spoil(store.getState())).toThrow(TypeError)
      expect(store.getState().auth).toBe(bridge.snapshot)
      expect(store.getInitialState().auth).toBe(auth)
    }
  })

  it('takes the objects it is given for the state, with their getters, and copies none without need', () => {
    const { bridge, violations } = host()
    const initial = {
      items: 2,
      add() {},
      get double() {
        return this.items * 2
      },
    }
    const store = createStore<State & { readonly double: number }>()(
      withAuth(bridge)(() => initial),
    )
    expect(store.getState()).toBe(initial)
    initial.items = 3
    expect(store.getState().double).toBe(6)
    const replacement = { ...store.getState(), items: 4 }
    store.setState(replacement, true)
    expect(store.getState()).toBe(replacement)
    store.setState(() => replacement, true)
    expect(store.getState()).toBe(replacement)
    expect(violations).toEqual([])
  })

  it('copies a frozen initial state, which cannot take the key', () => {
    const { bridge } = host()
    const store = createStore<State>()(
      withAuth(bridge)((): Cart => Object.freeze({ items: 2, add() {} })),
    )
    expect(store.getState()).toMatchObject({ items: 2, auth: bridge.snapshot })
  })

  it('leaves the initial state at the snapshot it began with, also when a token comes at once', async () => {
    const { bridge } = host()
    const store = createStore(
      combine(
        { items: 0 },
        withAuth(bridge)(() => ({})),
      ),
    )
    const first = store.getInitialState().auth
    bridge.updateToken({ accessToken: 'at-once', expiresAt: Date.now() + 300_000 })
    await Promise.resolve()
    expect(store.getInitialState().auth).toBe(first)
    expect(store.getState().auth).toBe(bridge.snapshot)
  })

  it('stays when the store is put back to its past, which is no attempt to write', async () => {
    const { bridge, violations } = host()
    const store = createStore<State>()(
      withAuth(bridge)((set): Cart => ({ items: 0, add: () => set({ items: 1 }) })),
    )
    await bridge.rotate()
    store.getState().add()
    const listener = vi.fn()
    store.subscribe(listener)
    store.setState(store.getInitialState(), true)
    expect(store.getState()).toMatchObject({ items: 0, auth: bridge.snapshot })
    expect(listener).toHaveBeenCalledOnce()
    const stale = { ...store.getState(), items: 2 }
    await bridge.rotate()
    store.setState(stale)
    store.setState({ ...stale, items: 3 }, true)
    expect(store.getState()).toMatchObject({ items: 3, auth: bridge.snapshot })
    expect(violations).toEqual([])
    store.setState({ auth: Object.assign({ user: 'admin' }, bridge.snapshot) })
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(violations).toEqual(['store-write'])
  })

  it.each(['RESET', 'COMMIT', 'ROLLBACK', 'JUMP_TO_STATE', 'JUMP_TO_ACTION', 'IMPORT_STATE'])(
    'stays through %s of the DevTools',
    async (type) => {
      const tools = extension()
      const { bridge } = host()
      const { selectAuthToken } = createAuthSelectors(bridge.reader('orders'))
      const store = createStore<State>()(
        devtools(
          withAuth(bridge)((): Cart => ({ items: 0, add() {} })),
          { enabled: true },
        ),
      )
      const past = store.getState()
      await bridge.rotate()
      await bridge.rotate()
      const tokens = new Set<string | null>()
      store.subscribe((state) => tokens.add(selectAuthToken(state)))
      for (const auth of [past.auth, forged, undefined]) {
        const state = { items: 1, auth }
        tools.dispatch({ type, nextLiftedState: { computedStates: [{ state }] } }, state)
        expect(store.getState().auth).toBe(bridge.snapshot)
      }
      tools.act({ type: '__setState', state: { auth: forged } })
      expect(store.getState().auth).toBe(bridge.snapshot)
      expect([...tokens]).toEqual(['fake-token-2'])
    },
  )
})

describe('withAuth and persist', () => {
  const initial = (): Cart => ({ items: 0, add() {} })
  type Options = Parameters<typeof persist<State>>[1]
  const orders: Record<string, (bridge: SecureTokenBridge, options: Options) => AnyStore> = {
    inside: (bridge, options) => createStore<State>()(persist(withAuth(bridge)(initial), options)),
    outside: (bridge, options) =>
      createStore<State>()(withAuth(bridge)(persist(initial as unknown as () => State, options))),
  }
  const partialize: Record<string, object> = {
    'no partialize': {},
    'a partialize that takes everything': { partialize: (state: State) => state },
    'a partialize that takes the key': {
      partialize: ({ auth, items }: State) => ({ auth, items }),
    },
  }

  describe.each(Object.entries(orders))('%s', (where, make) => {
    it.each(Object.entries(partialize))('never stores the key, with %s', async (_name, options) => {
      const { bridge } = host()
      const { entries, storage } = memory()
      const stored: string[] = []
      vi.spyOn(entries, 'set').mockImplementation(function set(name, value) {
        stored.push(value)
        return Map.prototype.set.call(entries, name, value) as never
      })
      const store = make(bridge, { name: 'cart', storage: storage!, ...options })
      await bridge.rotate()
      store.setState({ items: 1 })
      store.persist.setOptions(options)
      store.setState({ items: 2 })
      await bridge.reset('sign-out')
      expect(JSON.parse(stored.at(-1)!)).toEqual({ state: { items: 2 }, version: 0 })
      for (const value of stored) expect(value).not.toContain('auth')
    })

    it('never stores the key that an initializer writes, nor what the bridge says meanwhile', async () => {
      const { bridge, violations } = host()
      const { entries, storage } = memory()
      const stored = vi.spyOn(entries, 'set')
      const options = { name: 'cart', storage: storage! }
      const spoilt = (set: (change: never, replace?: boolean) => void): Cart => {
        set({ items: 1, auth: bridge.snapshot } as never)
        set((() => ({ items: 2, auth: forged })) as never, true)
        set(Object.freeze({ items: 3, auth: forged }) as never, true)
        bridge.updateToken({ accessToken: 'at-once', expiresAt: Date.now() + 300_000 })
        return { items: 0, add() {} }
      }
      const store =
        where === 'inside'
          ? createStore<State>()(persist(withAuth(bridge)(spoilt as never), options))
          : createStore<State>()(withAuth(bridge)(persist(spoilt as never, options)))
      expect(stored).toHaveBeenCalledTimes(3)
      expect(JSON.stringify(stored.mock.calls)).not.toContain('auth')
      await Promise.resolve()
      expect(store.getState().auth).toBe(bridge.snapshot)
      expect(store.getInitialState().auth).toBe(initialSnapshot)
      expect(violations).toEqual(['store-write', 'store-write'])
    })

    it('stores nothing when the bridge changes, and so nothing over what another tab has stored', async () => {
      const { entries, storage } = memory({ items: 1 })
      const tab = () => {
        const { bridge } = host()
        return { bridge, store: make(bridge, { name: 'cart', storage: storage! }) }
      }
      const [first, second] = [tab(), tab()]
      const stored = vi.spyOn(entries, 'set')
      second.store.setState({ items: 2 })
      await first.bridge.rotate()
      await first.bridge.reset('sign-out')
      expect(stored).toHaveBeenCalledOnce()
      expect(JSON.parse(entries.get('cart')!)).toEqual({ state: { items: 2 }, version: 0 })
    })

    it('stores what the app writes when it is told of a token, and that once', async () => {
      const { bridge } = host()
      const { entries, storage } = memory()
      const store = make(bridge, { name: 'cart', storage: storage! })
      store.persist.setOptions({ storage })
      const leave = (store as StoreApi<State>).subscribe(() => {
        leave()
        store.setState({ items: 5 })
      })
      const stored = vi.spyOn(entries, 'set')
      await bridge.rotate()
      expect(stored).toHaveBeenCalledOnce()
      store.setState({})
      expect(stored).toHaveBeenCalledTimes(2)
      expect(JSON.parse(entries.get('cart')!)).toEqual({ state: { items: 5 }, version: 0 })
      store.persist.clearStorage()
      expect(entries.size).toBe(0)
    })

    it('has the key in the initial state at once, for a server that renders before any microtask', () => {
      const store = make(host().bridge, { name: 'cart', storage: memory().storage! })
      expect(store.getInitialState().auth).toBe(initialSnapshot)
    })

    it('leaves what persist adds to the store where everybody looks for it', () => {
      const { bridge } = host()
      const store = make(bridge, { name: 'cart', storage: memory().storage! })
      expect({ ...store }.persist).toBe(store.persist)
      expect(store.persist).toHaveProperty('rehydrate')
    })

    it('stores what a partialize makes of the state when that is no object with the key', async () => {
      const { bridge } = host()
      const { entries, storage } = memory()
      const store = make(bridge, {
        name: 'cart',
        storage: storage!,
        partialize: (({ items }: State) => [items]) as never,
      })
      store.setState({ items: 4 })
      expect(JSON.parse(entries.get('cart')!)).toMatchObject({ state: [4] })
    })

    it.each<[string, Partial<Options>, string[]]>([
      ['the default merge', {}, ['store-write']],
      [
        'a merge that takes what was stored',
        { merge: (stored) => ({ ...initial(), ...(stored as State) }) },
        ['store-write'],
      ],
      [
        'a merge that makes the key up',
        { merge: (_stored, current) => ({ ...current, items: 3, auth: forged }) },
        ['store-write'],
      ],
    ])('drops and reports what was stored, with %s', async (_name, options, expected) => {
      const { bridge, violations } = host()
      await bridge.rotate()
      const { entries, storage } = memory({ items: 3, auth: forged })
      const store = make(bridge, { name: 'cart', storage: storage!, ...options })
      await Promise.resolve()
      expect(store.getState()).toMatchObject({ items: 3, auth: bridge.snapshot })
      expect(violations).toEqual(expected)
      entries.set('cart', JSON.stringify({ state: { items: 3, auth: forged }, version: 0 }))
      await store.persist.rehydrate()
      expect(store.getState()).toMatchObject({ items: 3, auth: bridge.snapshot })
      expect(violations).toEqual([...expected, ...expected])
    })

    it('keeps the key when a merge leaves it out', async () => {
      const { bridge, violations } = host()
      const { storage } = memory({ items: 3 })
      const store = make(bridge, {
        name: 'cart',
        storage: storage!,
        merge: (stored) => ({ ...initial(), ...(stored as State) }),
      })
      await bridge.rotate()
      await store.persist.rehydrate()
      expect(store.getState()).toMatchObject({ items: 3, auth: bridge.snapshot })
      expect(violations.at(-1)).toBe('store-write')
    })

    it('reports nothing when nothing of the kind was stored', async () => {
      const { bridge, violations } = host()
      await bridge.rotate()
      const { storage } = memory({ items: 3 })
      const store = make(bridge, { name: 'cart', storage: storage! })
      await store.persist.rehydrate()
      expect(store.getState()).toMatchObject({ items: 3, auth: bridge.snapshot })
      expect(violations).toEqual([])
    })
  })
})

describe('what a remote gets', () => {
  function shop() {
    const { bridge, violations } = host()
    const store = create<State>()(
      withAuth(bridge)((set) => ({
        items: 0,
        add: () => set(({ items }) => ({ items: items + 1 })),
      })),
    )
    return { bridge, store, violations, view: readOnlyStore(store, { bridge, remote: 'orders' }) }
  }

  it('works with useStore, through rotation, host writes and sign-out', async () => {
    const { bridge, store, view } = shop()
    const { selectAuthToken, selectAuthStatus } = createAuthSelectors(bridge.reader('orders'))
    const Remote = () => (
      <p>
        {useStore(view, selectAuthStatus)} {useStore(view, selectAuthToken)}{' '}
        {useStore(view, ({ items }) => items)}
      </p>
    )
    render(<Remote />)
    expect(screen.getByText('loading 0')).toBeDefined()
    await act(() => bridge.rotate())
    expect(screen.getByText('ready fake-token-1 0')).toBeDefined()
    await act(() => bridge.rotate())
    act(() => store.getState().add())
    expect(screen.getByText('ready fake-token-2 1')).toBeDefined()
    await act(async () => void (await bridge.reset('sign-out')))
    expect(screen.getByText('signed-out 1')).toBeDefined()
    expect(renderToString(<Remote />)).toContain('loading')
  })

  it('has none of the host’s actions, and nothing that could be changed', async () => {
    const { bridge, store, view, violations } = shop()
    await bridge.rotate()
    expect(view.getState()).toEqual({ items: 0, auth: bridge.snapshot })
    expect(() => Object.assign(view.getState(), { items: 9 })).toThrow(TypeError)
    expect(() => Object.assign(view.getInitialState(), { items: 9 })).toThrow(TypeError)
    expect(store.getState().items).toBe(0)
    const seen: unknown[] = []
    view.subscribe((state, previous) => seen.push(Object.keys(state), Object.keys(previous)))
    store.getState().add()
    expect(seen).toEqual([
      ['items', 'auth'],
      ['items', 'auth'],
    ])
    expect(violations).toEqual([])
  })

  it('keeps the faults of its listeners from the host and from other listeners', () => {
    const reported = vi.fn()
    vi.stubGlobal('reportError', reported)
    const { store, view } = shop()
    view.subscribe(() => {
      throw new Error('remote')
    })
    const heard = vi.fn()
    store.subscribe(heard)
    store.getState().add()
    expect(heard).toHaveBeenCalledOnce()
    expect(reported).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'remote' }))
  })

  it('is told what to do instead when it writes, and is named', () => {
    const { bridge, view } = shop()
    const events: unknown[] = []
    bridge.events$.subscribe((event) => events.push(event))
    expect(() => view.setState({ items: 1 })).toThrow(
      /setState\(\) was called on a read-only store.*store of your own, or ask the host/,
    )
    expect(events).toMatchObject([
      {
        kind: 'read-only-store',
        remote: 'orders',
        detail: 'setState() was called on a read-only store',
      },
    ])
  })

  it('hydrates what any server has rendered, whatever either bridge holds, and shows no token in HTML', async () => {
    const [server, page] = [host(), host()]
    await server.bridge.rotate()
    await page.bridge.rotate()
    const app = ({ bridge }: typeof server) => {
      const store = readOnlyStore(createAuthStore(bridge))
      const { selectAuthToken, selectAuthStatus } = createAuthSelectors(bridge.reader('orders'))
      return () => (
        <p>
          {useStore(store, selectAuthStatus)} {useStore(store, selectAuthToken)}
        </p>
      )
    }
    const [ServerApp, PageApp] = [app(server), app(page)]
    await Promise.resolve()
    const container = document.createElement('div')
    container.innerHTML = renderToString(<ServerApp />)
    expect(container.textContent).toBe('loading ')
    const recovered = vi.fn()
    const root = await act(async () =>
      hydrateRoot(container, <PageApp />, { onRecoverableError: recovered }),
    )
    expect(container.textContent).toBe('ready fake-token-1')
    expect(recovered).not.toHaveBeenCalled()
    act(() => root.unmount())
  })

  it('shows no token any more when the reader is revoked', async () => {
    const { bridge, view } = shop()
    const { selectAuthToken } = createAuthSelectors(bridge.reader('orders'))
    const Remote = () => <p>{useStore(view, selectAuthToken) ?? 'none'}</p>
    render(<Remote />)
    await act(() => bridge.rotate())
    expect(screen.getByText('fake-token-1')).toBeDefined()
    act(() => bridge.revoke('orders'))
    expect(screen.getByText('none')).toBeDefined()
  })

  it('follows a host that has no store of its own', async () => {
    const { bridge } = host()
    const view = readOnlyStore(createAuthStore(bridge))
    const { selectAuthToken } = createAuthSelectors(bridge.reader('orders'))
    await bridge.rotate()
    expect(selectAuthToken(view.getState())).toBe('fake-token-1')
    await bridge.reset('sign-out')
    expect(view.getState()).toEqual({ auth: bridge.snapshot })
  })
})

describe('withAuth with a signal', () => {
  it('lets go of the bridge when the signal is aborted, and guards the key all the same', async () => {
    const { bridge, violations } = host()
    const life = new AbortController()
    const store = createAuthStore(bridge, { signal: life.signal })
    await bridge.rotate()
    const last = store.getState().auth
    life.abort()
    await bridge.rotate()
    expect(store.getState().auth).toBe(last)
    store.setState({ auth: forged })
    expect(store.getState().auth).toBe(last)
    expect(violations).toEqual(['store-write'])
  })

  it('never connects a store whose signal was aborted before', async () => {
    const { bridge } = host()
    const store = createAuthStore(bridge, { signal: AbortSignal.abort() })
    const first = bridge.snapshot
    await bridge.rotate()
    expect(store.getState().auth).toBe(first)
  })
})
