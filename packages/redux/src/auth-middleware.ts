import type { Action, Middleware } from '@reduxjs/toolkit'
import { initialSnapshot, type AuthSnapshot, type BridgeEvent } from '@token-bridge/core/state'
import { createMarks, harmless, isSnapshot } from '@token-bridge/core/store-view'
import { authReset, statusChanged, tokenRotated } from './auth-slice.ts'
import { unmask } from './masks.ts'
import {
  isAuthAction,
  mint,
  reportForged,
  reportWritten,
  type AuthAction,
  type AuthBridge,
} from './provenance.ts'

/** How the store is connected. */
export interface AuthMiddlewareOptions {
  /** Where `authReducer` stands in the state. Default `auth`. */
  readonly key?: string
  /** Dispatched after `auth/authReset`, in the same turn, such as `api.util.resetApiState`. */
  readonly onReset?: readonly (Action | (() => Action))[]
  /**
   * Ends the connection, for a store that does not live as long as the bridge: one of a request, a test, a hot reload.
   * Without it the bridge keeps the store for as long as there is the bridge.
   */
  readonly signal?: AbortSignal
}

/**
 * Connects a store to the bridge: the one line that a Redux host adds beside the reducer. It may stand at any position.
 *
 * Every change of the bridge becomes an action of the auth slice. Only actions that were made here get through, each of
 * them once: one that was forged, cloned or replayed is dropped and reported as a violation, and dispatching goes on.
 *
 * A slice that is not what the bridge says (rehydrated, injected late, replaced) is brought back in a microtask after the
 * action that did it. See `authEnhancer` for what changes a store without any action.
 *
 * @example
 * configureStore({
 *   reducer: { auth: authReducer },
 *   middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
 * })
 */
export function authMiddleware(
  bridge: AuthBridge,
  { key = 'auth', onReset = [], signal }: AuthMiddlewareOptions = {},
): Middleware {
  return (api) => {
    const underWay = createMarks()
    /** Handed on already: when one that was held back comes after all, it is too late, and no forgery. */
    const late = createMarks()
    let deliver = (_action: AuthAction): void => {}

    const sliceIn = (state: unknown): unknown =>
      (state as Record<string, unknown> | undefined)?.[key]
    /** The slice, and what `authEnhancer` shows in its place. */
    const look = () => {
      const state: unknown = api.getState()
      return { held: sliceIn(unmask(state)), shown: sliceIn(state) }
    }
    const isBehind = (slice: unknown): boolean =>
      slice !== undefined && !isSnapshot(slice, bridge.snapshot)

    /** What the store began with, and what it was told: who brings that back has travelled in time, and forged nothing. */
    const known = createMarks()
    known.add(initialSnapshot)
    known.add(look().held)
    /** What an action of ours did not change: the DevTools are in the past. */
    const past = createMarks()

    function dispatch(action: AuthAction): void {
      underWay.add(mint(action))
      known.add(action.payload)
      const before = look().held
      try {
        api.dispatch(action)
      } finally {
        // A middleware ahead of us has thrown, or kept the action, or passed on a copy of it.
        if (underWay.take(action)) {
          late.add(action)
          deliver(action)
        }
        if (look().held === before) past.add(before)
      }
    }

    const catchUp = harmless(() => {
      isPlanned = false
      if (signal?.aborted === true) return
      const { held, shown } = look()
      if (!isBehind(held) || (past.has(held) && !isBehind(shown))) return
      dispatch(statusChanged(bridge.snapshot))
      // Another reducer at the key would say something else for ever.
      if (!isBehind(look().held) && !known.has(held) && !isSnapshot(held, initialSnapshot))
        reportWritten(bridge, key)
    })
    let isPlanned = false
    /** Never after a write of its own: one that did not help would not help the next time either. */
    function planCatchUp(): void {
      if (isPlanned) return
      isPlanned = true
      queueMicrotask(catchUp)
    }

    let told: AuthSnapshot = bridge.snapshot
    const detach = bridge.attach({
      name: 'redux',
      apply(event, snapshot) {
        // A reader that is revoked changes no state, but what a selector makes of it: only another object says so.
        if (event.type === 'reader-revoked') {
          harmless(() => dispatch(statusChanged({ ...snapshot })))()
          return
        }
        if (snapshot === told) return
        told = snapshot
        // A reducer or a listener of the store that throws must not keep the rest of a reset from happening.
        harmless(() => dispatch(actionFor(event, snapshot)))()
        // A middleware behind us may have thrown at it, kept it, or passed something else on.
        planCatchUp()
        if (event.type !== 'auth-reset') return
        for (const action of onReset)
          harmless(() => api.dispatch(typeof action === 'function' ? action() : action))()
      },
    })
    if (signal?.aborted === true) detach()
    else signal?.addEventListener('abort', detach, { once: true })
    // Redux forbids a dispatch while it is being constructed.
    planCatchUp()

    return (next) => {
      deliver = next
      return (action) => {
        if (isAuthAction(action)) {
          if (underWay.take(action)) return next(action)
          if (!late.take(action)) reportForged(bridge, action)
          return action
        }
        try {
          return next(action)
        } finally {
          planCatchUp()
        }
      }
    }
  }
}

function actionFor(event: BridgeEvent, snapshot: AuthSnapshot): AuthAction {
  if (event.type === 'token-rotated') return tokenRotated(snapshot)
  if (event.type === 'auth-reset') return authReset(snapshot)
  return statusChanged(snapshot)
}
