import {
  combineReducers,
  configureStore,
  SHOULD_AUTOBATCH,
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
  authReset,
  createAuthSelectors,
  statusChanged,
  tokenRotated,
} from '@token-bridge/redux'
import { withAuth, type AuthSlice } from '@token-bridge/zustand'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createJSONStorage, persist, subscribeWithSelector } from 'zustand/middleware'
import { immer } from 'zustand/middleware/immer'
import { createStore, type StateCreator, type StoreApi } from 'zustand/vanilla'

const tick = () => Promise.resolve()

/** A bridge that changes in the same turn in which it is asked to. */
function handBridge() {
  let issued = 0
  const bridge = new SecureTokenBridge({ source: async () => null })
  return {
    bridge,
    change(what: 'token' | 'reset'): void {
      if (what === 'reset') void bridge.reset('sign-out')
      else
        bridge.updateToken({
          accessToken: `secret-${(issued += 1)}`,
          expiresAt: Date.now() + 300_000,
        })
    },
  }
}

const snapshots: fc.Arbitrary<AuthSnapshot> = fc.record({
  status: fc.constantFrom('loading', 'ready', 'signed-out', 'maintenance', 'error'),
  mode: fc.constantFrom('bridge', 'legacy', 'cookie-only'),
  generation: fc.nat(5),
  expiresAt: fc.option(fc.constantFrom(1, 9e15)),
  error: fc.constant(null),
})
const changes = fc.constantFrom('token', 'reset')

describe('Redux', () => {
  // The serialisability check has something to say of foreign actions.
  beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}))
  afterEach(() => void vi.restoreAllMocks())

  type Step =
    | { readonly kind: 'foreign'; readonly action: unknown }
    | { readonly kind: 'forged'; readonly action: Action }
    | { readonly kind: 'replayed' | 'tick' }
    | { readonly kind: 'bridge'; readonly change: 'token' | 'reset' }

  const foreign: fc.Arbitrary<unknown> = fc.oneof(
    fc.record({
      type: fc.constantFrom(
        'cart/set',
        'cart/explode',
        'list/push',
        'auth/loginClicked',
        'auth',
        'AUTH/tokenRotated',
        'auth/tokenRotated/',
      ),
      payload: fc.jsonValue(),
    }),
    fc.record({ type: fc.constant('auth/import'), payload: snapshots }),
    fc.constant({ type: 'list/push', meta: { [SHOULD_AUTOBATCH]: true } }),
    fc.constantFrom(undefined, null, 5, {}, { type: 5 }, [], new Date(0)),
    fc.constant((dispatch: (action: Action) => unknown) => dispatch({ type: 'list/push' })),
  )
  const steps: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('foreign'), action: foreign }) },
    fc.record({
      kind: fc.constant('forged'),
      action: fc
        .tuple(fc.constantFrom(tokenRotated, authReset, statusChanged), snapshots)
        .map(([create, snapshot]) => create(snapshot)),
    }),
    fc.record({ kind: fc.constantFrom('replayed', 'tick') }),
    fc.record({ kind: fc.constant('bridge'), change: changes }),
  )

  const others = combineReducers({
    cart: (state: unknown = null, action: Action & { payload?: unknown }) => {
      if (action.type === 'cart/explode') throw new Error('the cart explodes')
      return action.type === 'cart/set' ? action.payload : state
    },
    list: (state: readonly string[] = [], { type }: Action) =>
      type === 'list/push' ? [...state, type] : state,
  })
  interface Root extends ReturnType<typeof others> {
    readonly auth: AuthSnapshot
  }
  /** As `combineReducers`, and takes whatever it is given as the auth state. */
  const reducer: Reducer<Root> = (state, action) => {
    const { auth, ...rest } = state ?? {}
    const next = others(state === undefined ? undefined : rest, action)
    return {
      ...next,
      auth:
        action.type === 'auth/import'
          ? (action as unknown as { payload: AuthSnapshot }).payload
          : authReducer(auth, action),
    }
  }

  const make = (ours: Middleware[], isFirst: boolean, enhancers: StoreEnhancer[]) => {
    const store = configureStore({
      reducer,
      devTools: false,
      middleware: (defaults) => {
        const checked = defaults({
          immutableCheck: { warnAfter: 1e6 },
          serializableCheck: { warnAfter: 1e6 },
        })
        return isFirst ? checked.prepend(...ours) : checked.concat(...ours)
      },
      enhancers: (defaults) => defaults({ autoBatch: { type: 'tick' } }).concat(...enhancers),
    })
    let calls = 0
    store.subscribe(() => (calls += 1))
    return { store, calls: () => calls }
  }

  /** What dispatching does, told without the auth state. */
  function outcome({ store, calls }: ReturnType<typeof make>, action: unknown) {
    const before = { state: store.getState(), calls: calls() }
    let result: unknown
    try {
      result = store.dispatch(action as Action)
    } catch (fault) {
      result = String(fault)
    }
    const { cart, list } = store.getState()
    return {
      result,
      cart,
      list,
      calls: calls() - before.calls,
      isSameCart: cart === before.state.cart,
      isSameList: list === before.state.list,
    }
  }

  it('ends in the same state with and without our middleware, for any foreign actions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.boolean(),
        fc.array(steps, { maxLength: 30 }),
        async (isFirst, isEnhanced, plan) => {
          const { bridge, change } = handBridge()
          const violations: string[] = []
          bridge.events$.subscribe(
            (event) => event.type === 'violation' && violations.push(event.kind),
          )
          const minted: Action[] = []
          const spy: Middleware = () => (next) => (action) => {
            const { payload } = { ...(action as { payload?: unknown }) }
            if (payload === bridge.snapshot) minted.push(action as Action)
            return next(action)
          }
          const ours = make(
            [authMiddleware(bridge), spy],
            isFirst,
            isEnhanced ? [authEnhancer(bridge)] : [],
          )
          const plain = make([], isFirst, [])
          const reader = bridge.reader('orders')
          const { selectAuthToken } = createAuthSelectors(reader)
          const wrong: unknown[] = []
          ours.store.subscribe(() => {
            const token = selectAuthToken(ours.store.getState())
            if (token !== null && token !== reader.current()?.accessToken) wrong.push(token)
          })
          let forged = 0

          /** What has happened, and what should have. */
          async function take(step: Step): Promise<readonly [unknown, unknown]> {
            if (step.kind === 'foreign')
              return [outcome(ours, step.action), outcome(plain, step.action)]
            if (step.kind === 'bridge' || step.kind === 'tick') {
              if (step.kind === 'bridge') change(step.change)
              else await tick()
              return [ours.store.getState().auth, bridge.snapshot]
            }
            const action = step.kind === 'forged' ? step.action : minted.at(-1)
            const before = [ours.store.getState(), ours.calls()]
            if (action !== undefined) {
              forged += 1
              ours.store.dispatch(action)
            }
            return [[ours.store.getState(), ours.calls()], before]
          }

          for (const step of plan) {
            const [observed, expected] = await take(step)
            expect(observed).toEqual(expected)
          }
          expect(wrong).toEqual([])
          await tick()
          const { auth, ...rest } = ours.store.getState()
          const { auth: _, ...expected } = plain.store.getState()
          expect(rest).toEqual(expected)
          expect(auth).toEqual(bridge.snapshot)
          const imports = plan.filter(
            ({ kind, action }: { kind: string; action?: unknown }) =>
              kind === 'foreign' && (action as Partial<Action> | null)?.type === 'auth/import',
          )
          const kinds = (kind: string) => violations.filter((one) => one === kind).length
          expect(kinds('forged-action')).toBe(forged)
          // Some imports say what the bridge says, or are over before anybody looks.
          expect(kinds('store-write')).toBeLessThanOrEqual(imports.length)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('Zustand', () => {
  interface Rest {
    readonly count?: number
    readonly list?: readonly number[]
    readonly note?: unknown
  }
  type Step =
    | {
        readonly kind: 'write'
        readonly change: Rest
        /** What it has to say on the key: nothing, what stands there, or something else. */
        readonly auth: 'none' | 'same' | AuthSnapshot
        readonly as: 'object' | 'function' | 'replacement' | 'replacing function'
        readonly by: 'set' | 'setState'
      }
    | { readonly kind: 'idle' | 'rehydrate' }
    | { readonly kind: 'bridge'; readonly change: 'token' | 'reset' }

  const rests: fc.Arbitrary<Rest> = fc.record(
    { count: fc.nat(3), list: fc.array(fc.nat(3), { maxLength: 2 }), note: fc.jsonValue() },
    { requiredKeys: [] },
  )
  const steps: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('write'),
        change: rests,
        auth: fc.oneof(fc.constantFrom('none', 'same'), snapshots),
        as: fc.constantFrom('object', 'function', 'replacement', 'replacing function'),
        by: fc.constantFrom('set', 'setState'),
      }),
    },
    fc.record({ kind: fc.constantFrom('idle', 'rehydrate') }),
    fc.record({ kind: fc.constant('bridge'), change: changes }),
  )

  const EMPTY: readonly number[] = []
  type Layer = 'ours' | 'immer' | 'persist' | 'subscribeWithSelector'
  type AnySet = (change: unknown, replace?: boolean) => void

  function make(order: readonly Layer[], bridge: SecureTokenBridge | null) {
    let set!: AnySet
    const entries = new Map<string, string>()
    const layers: Record<Layer, (inner: never) => unknown> = {
      ours: (inner) => (bridge === null ? inner : withAuth(bridge)(inner)),
      immer: (inner) => immer(inner),
      persist: (inner) =>
        persist(inner, {
          name: 'store',
          storage: createJSONStorage(() => ({
            getItem: (name) => entries.get(name) ?? null,
            setItem: (name, value) => void entries.set(name, value),
            removeItem: (name) => void entries.delete(name),
          }))!,
        }),
      subscribeWithSelector: (inner) => subscribeWithSelector(inner),
    }
    const base = (given: AnySet): Rest => {
      set = given
      return { count: 0, list: EMPTY }
    }
    const initializer = order.reduceRight<unknown>(
      (inner, name) => layers[name](inner as never),
      base,
    )
    const store = createStore(initializer as StateCreator<Rest & AuthSlice>) as StoreApi<
      Rest & Partial<AuthSlice>
    > & { persist?: { rehydrate(): Promise<void> } }
    const told: unknown[] = []
    store.subscribe((state, previous) => told.push(restOf(state), restOf(previous)))
    return { store, set, told, entries }
  }

  function restOf(state: Rest & Partial<AuthSlice>): Rest {
    const { auth: _, ...rest } = state
    return rest
  }

  function write({ store, set }: ReturnType<typeof make>, step: Step & { kind: 'write' }): void {
    const auth =
      store.getState().auth === undefined || step.auth === 'none'
        ? {}
        : { auth: step.auth === 'same' ? store.getState().auth : step.auth }
    const change = { ...step.change, ...auth }
    const put = step.by === 'set' ? set : (store.setState as AnySet)
    if (step.as === 'object') put(change)
    else if (step.as === 'function') put(() => change)
    else if (step.as === 'replacement') put(change, true)
    else put(() => change, true)
  }

  it('keeps the rest of the state as it is without us, for any writes in any composition', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.subarray<Layer>(['immer', 'persist', 'subscribeWithSelector']).chain((others) =>
          fc.shuffledSubarray<Layer>(['ours', ...others], {
            minLength: others.length + 1,
          }),
        ),
        fc.array(steps, { maxLength: 25 }),
        async (order, plan) => {
          const { bridge, change } = handBridge()
          const ours = make(order, bridge)
          const plain = make(order, null)
          const states = () => [ours.store.getState(), plain.store.getState()] as const

          async function take(step: Step): Promise<void> {
            if (step.kind === 'write') for (const store of [ours, plain]) write(store, step)
            else if (step.kind === 'idle')
              for (const { store } of [ours, plain]) store.setState((state) => state)
            else if (step.kind === 'rehydrate')
              for (const { store } of [ours, plain]) await store.persist?.rehydrate()
            else if (step.kind === 'bridge') {
              const { length } = ours.told
              change(step.change)
              ours.told.length = length
            }
          }

          for (const step of plan) {
            const before = states()
            await take(step)
            const after = states()
            expect(restOf(after[0])).toEqual(restOf(after[1]))
            expect(after[0].auth).toBe(bridge.snapshot)
            // Nothing is new that would not be, and what was handed in is what stands there.
            const identities = (index: 0 | 1): boolean[] => [
              step.kind === 'bridge' || after[index] === before[index],
              after[index].list === before[index].list,
              step.kind === 'write' && after[index].list === step.change.list,
            ]
            expect(identities(0)).toEqual(identities(1))
            expect(ours.told).toEqual(plain.told)
            expect([...ours.entries]).toEqual([...plain.entries])
          }
          expect(JSON.stringify([...ours.entries])).not.toContain('auth')
        },
      ),
      { numRuns: 300 },
    )
  })
})
