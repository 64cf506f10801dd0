import { SecureTokenBridge, type AuthSnapshot } from '@token-bridge/core'
import { initialSnapshot } from '@token-bridge/core/state'
import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import { immer } from 'zustand/middleware/immer'
import { createStore, type StoreApi } from 'zustand/vanilla'
import {
  combine,
  createJSONStorage,
  devtools,
  persist,
  subscribeWithSelector,
  type StateStorage,
} from 'zustand/middleware'
import {
  createAuthSelectors,
  createAuthStore,
  readOnlyStore,
  withAuth,
  type AuthSlice,
} from '@token-bridge/zustand'

let issued = 0
const source = async () => ({
  accessToken: `secret-${(issued += 1)}`,
  expiresAt: Date.now() + 300_000,
})

interface Cart {
  items: number
  add(): void
}

function host(bridge = new SecureTokenBridge({ source })) {
  const store = createStore<Cart & AuthSlice>()(
    withAuth(bridge)((set) => ({
      items: 0,
      add: () => set(({ items }) => ({ items: items + 1 })),
    })),
  )
  const violations: string[] = []
  bridge.events$.subscribe((event) => event.type === 'violation' && violations.push(event.kind))
  return { bridge, store, violations }
}

const forged = {
  status: 'ready',
  mode: 'bridge',
  generation: 99,
  expiresAt: 9e15,
  error: null,
} as const

describe('withAuth', () => {
  it('keeps the key equal to the snapshot, and the rest as it was', async () => {
    const { bridge, store } = host()
    expect(store.getState().auth).toBe(bridge.snapshot)
    await bridge.rotate()
    expect(store.getState().auth).toBe(bridge.snapshot)
    store.getState().add()
    expect(store.getState()).toMatchObject({ items: 1, auth: { generation: 1, status: 'ready' } })
    await bridge.reset('sign-out')
    expect(store.getState()).toMatchObject({ items: 1, auth: { status: 'signed-out' } })
  })

  it('catches up with a bridge that has a token already, and leaves the initial state as a server has it', async () => {
    const bridge = new SecureTokenBridge({ source })
    await bridge.rotate()
    const { store } = host(bridge)
    expect(store.getState().auth).toBe(initialSnapshot)
    await Promise.resolve()
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(store.getInitialState().auth).toBe(initialSnapshot)
  })

  it('puts no token into the state', async () => {
    const { bridge, store } = host()
    await bridge.rotate()
    expect(JSON.stringify(store.getState())).not.toContain('secret')
  })

  it.each<[string, (store: ReturnType<typeof host>['store']) => void]>([
    ['an object', (store) => store.setState({ auth: forged })],
    ['a function', (store) => store.setState((state) => ({ ...state, auth: forged }))],
    [
      'a replacement that forges it',
      (store) => store.setState({ ...store.getState(), auth: forged }, true),
    ],
    [
      'a replacement that leaves it out',
      (store) => store.setState({ items: 5, add() {} } as unknown as Cart & AuthSlice, true),
    ],
  ])('drops and reports a write by %s', async (_name, write) => {
    const { bridge, store, violations } = host()
    await bridge.rotate()
    write(store)
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(violations).toEqual(['store-write'])
  })

  it('lets the rest of such a write through', () => {
    const { store } = host()
    store.setState({ items: 7, auth: forged })
    expect(store.getState().items).toBe(7)
  })

  it('does not report a write that leaves the key as it is', () => {
    const { store, violations } = host()
    store.setState((state) => ({ ...state, items: 3 }))
    store.setState({ ...store.getState(), items: 4 }, true)
    expect(store.getState().items).toBe(4)
    expect(violations).toEqual([])
  })

  it('composes with devtools, subscribeWithSelector and combine, inside and outside', async () => {
    const bridge = new SecureTokenBridge({ source })
    const outside = createStore<Cart & AuthSlice>()(
      devtools(
        subscribeWithSelector(
          withAuth(bridge)((set) => ({ items: 0, add: () => set({ items: 1 }, false, 'add') })),
        ),
        { enabled: false },
      ),
    )
    const inside = createStore(
      withAuth(bridge)(
        subscribeWithSelector(
          combine({ items: 0 } as { items: number } & AuthSlice, (set) => ({
            add: () => set({ items: 1 }),
          })),
        ),
      ),
    )
    const statuses: string[] = []
    outside.subscribe(
      (state) => state.auth.status,
      (status) => statuses.push(status),
    )
    await bridge.rotate()
    outside.getState().add()
    inside.getState().add()
    expect(outside.getState()).toMatchObject({ items: 1, auth: { generation: 1 } })
    expect(inside.getState()).toMatchObject({ items: 1, auth: { generation: 1 } })
    expect(statuses).toEqual(['ready'])
    expectTypeOf(inside.getState().items).toEqualTypeOf<number>()
  })

  it.each<[string, (bridge: SecureTokenBridge) => StoreApi<Cart & AuthSlice>]>([
    [
      'outside',
      (bridge) =>
        createStore<Cart & AuthSlice>()(
          immer(
            withAuth(bridge)((set) => ({
              items: 0,
              add: () => set((state) => void (state.items += 1)),
            })),
          ),
        ),
    ],
    [
      'inside',
      (bridge) =>
        createStore<Cart & AuthSlice>()(
          withAuth(bridge)(
            immer((set) => ({ items: 0, add: () => set((state) => void (state.items += 1)) })),
          ),
        ),
    ],
  ])('composes with immer %s', async (_name, create) => {
    const bridge = new SecureTokenBridge({ source })
    const store = create(bridge)
    await bridge.rotate()
    store.getState().add()
    expect(store.getState()).toMatchObject({ items: 1, auth: bridge.snapshot })
    const recipe = (state: { auth: AuthSnapshot }) => void (state.auth = forged)
    store.setState(recipe as never)
    expect(store.getState()?.auth ?? bridge.snapshot).toBe(bridge.snapshot)
  })

  it('names its actions for devtools, token-free', async () => {
    const bridge = new SecureTokenBridge({ source })
    const sent: unknown[] = []
    vi.stubGlobal('window', {
      __REDUX_DEVTOOLS_EXTENSION__: {
        connect: () => ({
          init() {},
          subscribe: () => () => {},
          send: (action: { type: string }, state: unknown) => sent.push(action.type, state),
        }),
      },
    })
    createStore<AuthSlice>()(
      devtools(
        withAuth(bridge)(() => ({})),
        { enabled: true },
      ),
    )
    await bridge.rotate()
    await bridge.reset('sign-out')
    vi.unstubAllGlobals()
    expect(sent.filter((entry) => typeof entry === 'string')).toEqual([
      'auth/tokenRotated',
      'auth/authReset',
    ])
    expect(JSON.stringify(sent)).not.toContain('secret')
  })

  it('undoes what persist rehydrates into the key', async () => {
    const bridge = new SecureTokenBridge({ source })
    await bridge.rotate()
    const storage: StateStorage = {
      getItem: () => JSON.stringify({ state: { items: 3, auth: forged }, version: 0 }),
      setItem: vi.fn(),
      removeItem() {},
    }
    const store = createStore<Cart & AuthSlice>()(
      persist(
        withAuth(bridge)(() => ({ items: 0, add() {} })),
        { name: 'host', storage: createJSONStorage(() => storage) },
      ),
    )
    expect(store.getState()).toMatchObject({ items: 3, auth: bridge.snapshot })
    await store.persist.rehydrate()
    expect(store.getState().auth).toBe(bridge.snapshot)
  })
})

describe('createAuthStore', () => {
  it('follows the bridge for a host that has no store', async () => {
    const bridge = new SecureTokenBridge({ source })
    const store = createAuthStore(bridge)
    await bridge.rotate()
    expect(store.getState()).toEqual({ auth: bridge.snapshot })
  })
})

describe('selectors', () => {
  it('resolve the token of the generation that the state names', async () => {
    const { bridge, store } = host()
    const { selectAuthToken } = createAuthSelectors(bridge.reader('orders'))
    await bridge.rotate()
    const past = store.getState()
    expect(selectAuthToken(past)).toBe(`secret-${issued}`)
    await bridge.rotate()
    expect(selectAuthToken(past)).toBeNull()
    expect(selectAuthToken(store.getState())).toBe(`secret-${issued}`)
  })
})

describe('readOnlyStore', () => {
  it('reads and subscribes, refuses to write, and exposes nothing else', async () => {
    const { bridge, store } = host()
    const remote = readOnlyStore(store)
    const seen: number[] = []
    remote.subscribe(({ auth }) => seen.push(auth.generation))
    await bridge.rotate()
    expect(seen).toEqual([1])
    expect(remote.getState()).toEqual({ items: 0, auth: bridge.snapshot })
    expect(remote.getState()).toBe(remote.getState())
    expect(remote.getInitialState()).toMatchObject({ items: 0 })
    expect(() => remote.setState({ items: 1 })).toThrow(
      expect.objectContaining({ code: 'ERR_READ_ONLY_STORE' }),
    )
    expect(Object.isFrozen(remote)).toBe(true)
    expect(Object.getPrototypeOf(remote)).toBeNull()
    expect(Object.keys(remote).toSorted()).toEqual([
      'getInitialState',
      'getState',
      'setState',
      'subscribe',
    ])
  })
})
