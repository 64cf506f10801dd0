import type { AuthSnapshot, SecureTokenBridge } from '@token-bridge/core'
import { expectTypeOf } from 'vitest'
import { create, useStore, type StateCreator } from 'zustand'
import { combine, devtools, persist, redux, subscribeWithSelector } from 'zustand/middleware'
import { immer } from 'zustand/middleware/immer'
import { createStore } from 'zustand/vanilla'
import {
  createAuthSelectors,
  createAuthStore,
  readOnlyStore,
  withAuth,
  type AuthSlice,
} from '@token-bridge/zustand'

declare const bridge: SecureTokenBridge

interface Cart {
  items: number
  add(by: number): void
}
type State = Cart & AuthSlice

const auth = withAuth(bridge)

// Alone: the initializer leaves the key out, and sees it in `set` and `get`.
const alone = create<State>()(
  auth((set, get) => ({
    items: 0,
    add: (by) => {
      expectTypeOf(by).toEqualTypeOf<number>()
      expectTypeOf(get().auth).toEqualTypeOf<AuthSnapshot>()
      set(({ items }) => ({ items: items + by }))
    },
  })),
)
expectTypeOf(alone((state) => state.auth)).toEqualTypeOf<AuthSnapshot>()
expectTypeOf(alone((state) => state.items)).toEqualTypeOf<number>()
expectTypeOf(alone.getState()).toEqualTypeOf<State>()

// @ts-expect-error the initializer has to return the rest of the state
create<State>()(auth(() => ({ items: 0 })))

// @ts-expect-error also one that uses `set`
create<State>()(auth((set) => ({ add: () => set({ items: 1 }) })))

// @ts-expect-error the snapshot is read-only
alone.getState().auth.status = 'ready'

// @ts-expect-error and so is the key
alone.getState().auth = alone.getState().auth

// Outside of each middleware.
const overDevtools = create<State>()(
  auth(devtools((set) => ({ items: 0, add: () => set({ items: 1 }, false, 'add') }))),
)
overDevtools.setState({ items: 1 }, false, 'named')
expectTypeOf(overDevtools.devtools.cleanup).toBeFunction()

const overPersist = create<State>()(
  auth(persist((set) => ({ items: 0, add: () => set({ items: 1 }) }), { name: 'cart' })),
)
expectTypeOf(overPersist.persist.hasHydrated()).toEqualTypeOf<boolean>()

const overImmer = create<State>()(
  auth(immer((set) => ({ items: 0, add: (by) => set((state) => void (state.items += by)) }))),
)
overImmer.setState((state) => void (state.items += 1))

const overSelector = create<State>()(
  auth(subscribeWithSelector((set) => ({ items: 0, add: () => set({ items: 1 }) }))),
)
overSelector.subscribe(
  (state) => state.auth.status,
  (status) => expectTypeOf(status).toEqualTypeOf<AuthSnapshot['status']>(),
)

const overCombine = createStore(
  auth(combine({ items: 0 }, (set) => ({ add: (by: number) => set({ items: by }) }))),
)
expectTypeOf(overCombine.getState().items).toEqualTypeOf<number>()
expectTypeOf(overCombine.getState().add).toEqualTypeOf<(by: number) => void>()
expectTypeOf(overCombine.getState().auth).toEqualTypeOf<AuthSnapshot>()

const overRedux = createStore(
  auth(redux((state: { items: number }, _action: { type: 'add' }) => state, { items: 0 })),
)
expectTypeOf(overRedux.dispatch).parameter(0).toEqualTypeOf<{ type: 'add' }>()
expectTypeOf(overRedux.getState().auth).toEqualTypeOf<AuthSnapshot>()

// Inside of each middleware.
const underDevtools = create<State>()(
  devtools(auth((set) => ({ items: 0, add: () => set({ items: 1 }, false, 'add') }))),
)
underDevtools.setState({ items: 1 }, false, 'named')

const underPersist = create<State>()(
  persist(
    auth((set) => ({ items: 0, add: () => set({ items: 1 }) })),
    {
      name: 'cart',
      partialize: ({ items }) => ({ items }),
    },
  ),
)
expectTypeOf(underPersist.persist.hasHydrated()).toEqualTypeOf<boolean>()
expectTypeOf(underPersist.getState().auth).toEqualTypeOf<AuthSnapshot>()

const underImmer = create<State>()(
  immer(auth((set) => ({ items: 0, add: (by) => set((state) => void (state.items += by)) }))),
)
underImmer.setState((state) => void (state.items += 1))

const underSelector = create<State>()(
  subscribeWithSelector(auth((set) => ({ items: 0, add: () => set({ items: 1 }) }))),
)
underSelector.subscribe(
  (state) => state.items,
  (items) => expectTypeOf(items).toEqualTypeOf<number>(),
)

const underCombine = createStore(
  combine(
    { items: 0 },
    auth((set) => ({ add: (by: number) => set({ items: by }) })),
  ),
)
expectTypeOf(underCombine.getState().items).toEqualTypeOf<number>()
expectTypeOf(underCombine.getState().add).toEqualTypeOf<(by: number) => void>()
expectTypeOf(underCombine.getState().auth).toEqualTypeOf<AuthSnapshot>()

const underCombineBare = createStore(
  combine(
    { items: 0 },
    auth(() => ({ add() {} })),
  ),
)
expectTypeOf(underCombineBare.getState().items).toEqualTypeOf<number>()
expectTypeOf(underCombineBare.getState().auth).toEqualTypeOf<AuthSnapshot>()

// All of them, with ours outermost, innermost and between.
const outermost = create<State>()(
  auth(
    devtools(
      subscribeWithSelector(
        persist(
          immer((set) => ({
            items: 0,
            add: (by) => set((state) => void (state.items += by), false, 'add'),
          })),
          { name: 'cart' },
        ),
      ),
    ),
  ),
)
outermost.setState((state) => void (state.items += 1), false, 'named')
expectTypeOf(outermost.persist.hasHydrated()).toEqualTypeOf<boolean>()

const between = create<State>()(
  devtools(
    subscribeWithSelector(
      auth(
        persist(
          immer((set) => ({
            items: 0,
            add: (by) => set((state) => void (state.items += by), false, 'add'),
          })),
          { name: 'cart' },
        ),
      ),
    ),
  ),
)
between.setState((state) => void (state.items += 1), false, 'named')
between.subscribe(
  (state) => state.auth.generation,
  (generation) => expectTypeOf(generation).toEqualTypeOf<number>(),
)

const innermost = create<State>()(
  devtools(
    subscribeWithSelector(
      persist(
        immer(
          auth((set) => ({
            items: 0,
            add: (by) => set((state) => void (state.items += by), false, 'add'),
          })),
        ),
        { name: 'cart' },
      ),
    ),
  ),
)
innermost.setState((state) => void (state.items += 1), false, 'named')
expectTypeOf(innermost.persist.hasHydrated()).toEqualTypeOf<boolean>()

const combined = createStore(
  devtools(
    persist(auth(subscribeWithSelector(combine({ items: 0 }, () => ({})))), { name: 'cart' }),
  ),
)
expectTypeOf(combined.getState().auth).toEqualTypeOf<AuthSnapshot>()
expectTypeOf(combined.getState().items).toEqualTypeOf<number>()

// Slices, inside of ours, or with ours as one of them.
interface Wishes {
  wishes: string[]
  wish(what: string): void
}
const cartSlice: StateCreator<State & Wishes, [], [], Cart> = (set) => ({
  items: 0,
  add: (by) => set({ items: by }),
})
const wishSlice: StateCreator<State & Wishes, [], [], Wishes> = (set, get) => ({
  wishes: [],
  wish: (what) => set({ wishes: [...get().wishes, what] }),
})
const sliced = create<State & Wishes>()(
  auth((...store) => ({ ...cartSlice(...store), ...wishSlice(...store) })),
)
expectTypeOf(sliced.getState()).toEqualTypeOf<State & Wishes>()

const authSlice: StateCreator<State & Wishes, [], [], AuthSlice> = auth(() => ({}))
const sliceOfOne = create<State & Wishes>()((...store) => ({
  ...cartSlice(...store),
  ...wishSlice(...store),
  ...authSlice(...store),
}))
expectTypeOf(sliceOfOne.getState().auth).toEqualTypeOf<AuthSnapshot>()

const sliceInPlace = create<State & Wishes>()((...store) => ({
  ...cartSlice(...store),
  ...wishSlice(...store),
  ...withAuth(bridge)(() => ({}))(...store),
}))
expectTypeOf(sliceInPlace.getState().auth).toEqualTypeOf<AuthSnapshot>()

// What a remote is given.
const remote = readOnlyStore(alone)
expectTypeOf(remote.getState()).toEqualTypeOf<State>()
expectTypeOf(useStore(remote, (state) => state.auth.status)).toEqualTypeOf<AuthSnapshot['status']>()
expectTypeOf(readOnlyStore(outermost).getState()).toEqualTypeOf<State>()
const { selectAuthToken } = createAuthSelectors(bridge.reader('orders'))
expectTypeOf(useStore(remote, selectAuthToken)).toEqualTypeOf<string | null>()
expectTypeOf(alone(selectAuthToken)).toEqualTypeOf<string | null>()
expectTypeOf(createAuthStore(bridge).getState()).toEqualTypeOf<AuthSlice>()
