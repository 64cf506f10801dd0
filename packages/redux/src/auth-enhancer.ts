import type { Action, Reducer, StoreEnhancer } from '@reduxjs/toolkit'
import type { AuthSnapshot } from '@token-bridge/core/state'
import { isSnapshot } from '@token-bridge/core/store-view'
import { mask } from './masks.ts'
import {
  isAuthAction,
  isGenuine,
  reportForged,
  type AuthAction,
  type AuthBridge,
} from './provenance.ts'

type State = Readonly<Record<string, unknown>> | undefined

/** What the reducer gets in place of an action that was dropped: it has to return something. */
const DROPPED: Action = Object.freeze({ type: '@@auth/dropped' })

/**
 * Guards what gets past every middleware: DevTools, which jump between states and run the reducer themselves, and
 * `replaceReducer`. The second line of a host that uses either, beside `authMiddleware`, whose `key` it shares.
 *
 * Whoever reads the store finds what the bridge says under the key, in whichever past the rest of the state is. An auth
 * action that a middleware did not make, out of an imported log for one, is dropped before the reducer and reported.
 *
 * @example
 * configureStore({
 *   reducer: { auth: authReducer },
 *   middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
 *   enhancers: (defaults) => defaults().concat(authEnhancer(bridge)),
 * })
 */
export function authEnhancer(
  bridge: AuthBridge,
  { key = 'auth' }: { readonly key?: string } = {},
): StoreEnhancer {
  const reported = new WeakSet<object>()

  /** DevTools run the reducer over the same log again and again; one attempt is one report. */
  function drop(action: AuthAction): Action {
    if (!reported.has(action)) {
      reported.add(action)
      // Who hears of it may dispatch, which no reducer may.
      queueMicrotask(() => reportForged(bridge, action))
    }
    return DROPPED
  }

  const guarded =
    (reducer: Reducer<State>): Reducer<State> =>
    (state, action) =>
      reducer(state, isAuthAction(action) && !isGenuine(action) ? drop(action) : action)

  function enhance(store: EnhancedParts): EnhancedParts {
    const begun = bridge.snapshot
    /** What this store was told last. Not what the bridge says: it may be about to tell. */
    let told: AuthSnapshot | null = null
    let seen: State
    let shown: State

    function getState(): State {
      const state = store.getState()
      const slice = state?.[key]
      if (slice === undefined) return state
      const truth = told ?? (isSnapshot(slice, begun) ? begun : bridge.snapshot)
      if (isSnapshot(slice, truth)) return state
      if (state !== seen || shown?.[key] !== truth) {
        seen = state
        shown = { ...state, [key]: truth }
        mask(shown, state)
      }
      return shown
    }

    function dispatch(action: Action): unknown {
      if (isAuthAction(action) && action.payload === bridge.snapshot) told = action.payload
      return store.dispatch(action)
    }

    return {
      ...store,
      getState,
      dispatch,
      replaceReducer: (reducer: Reducer<State>) => store.replaceReducer(guarded(reducer)),
    }
  }

  const enhancer = (createStore: CreateStore) => (reducer: Reducer<State>, preloaded: unknown) =>
    enhance(createStore(guarded(reducer), preloaded))
  // Redux types an enhancer as generic in the caller's state, which nobody can implement without a cast.
  return enhancer as unknown as StoreEnhancer
}

interface EnhancedParts {
  getState(): State
  dispatch(action: Action): unknown
  replaceReducer(reducer: Reducer<State>): void
}

type CreateStore = (reducer: Reducer<State>, preloaded: unknown) => EnhancedParts
