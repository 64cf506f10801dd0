import { isAction, type Action, type Middleware } from '@reduxjs/toolkit'
import type { SecureTokenBridge } from '@token-bridge/core'
import type { AuthSnapshot, BridgeEvent } from '@token-bridge/core/state'
import { harmless } from '@token-bridge/core/store-view'
import { authReset, statusChanged, tokenRotated } from './auth-slice.ts'

/** The part of the bridge that the middleware uses. */
export type AuthBridge = Pick<SecureTokenBridge, 'attach' | 'snapshot' | 'reportViolation'>

export interface AuthMiddlewareOptions {
  /** Where `authReducer` stands in the state. Default `auth`. */
  readonly key?: string
  /** Dispatched after `auth/authReset`, in the same turn, such as `api.util.resetApiState`. */
  readonly onReset?: readonly (Action | (() => Action))[]
}

const AUTH_TYPES: ReadonlySet<string> = new Set([
  tokenRotated.type,
  authReset.type,
  statusChanged.type,
])

/**
 * Connects a store to the bridge: the one line that a Redux host adds beside the reducer.
 *
 * Every change of the bridge becomes an action of the auth slice. Only actions that were made here get through: one that
 * was forged, cloned or replayed is dropped and reported as a violation.
 *
 * @example
 * configureStore({
 *   reducer: { auth: authReducer },
 *   middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
 * })
 */
export function authMiddleware(
  bridge: AuthBridge,
  { key = 'auth', onReset = [] }: AuthMiddlewareOptions = {},
): Middleware {
  return (api) => {
    const minted = new WeakSet<object>()
    const slice = (): unknown => (api.getState() as Record<string, unknown> | undefined)?.[key]

    function dispatch(action: Action): void {
      minted.add(action)
      api.dispatch(action)
    }

    /** Brings a slice back that is not what the bridge says: a store made late, a reducer added late, a state replaced. */
    function catchUp(): void {
      if (slice() === undefined || slice() === bridge.snapshot) return
      dispatch(statusChanged(bridge.snapshot))
    }

    let told: AuthSnapshot = bridge.snapshot
    bridge.attach({
      name: 'redux',
      apply(event, snapshot) {
        if (snapshot === told) return
        told = snapshot
        // A reducer or a listener of the store that throws must not keep the rest of a reset from happening.
        harmless(() => dispatch(actionFor(event, snapshot)))()
        if (event.type !== 'auth-reset') return
        for (const action of onReset)
          harmless(() => api.dispatch(typeof action === 'function' ? action() : action))()
      },
    })
    // Redux forbids a dispatch while it is being constructed.
    queueMicrotask(catchUp)

    return (next) => (action) => {
      if (isAction(action) && AUTH_TYPES.has(action.type) && !minted.delete(action)) {
        bridge.reportViolation(
          'forged-action',
          `${action.type} was not made by the bridge and was dropped`,
        )
        return action
      }
      const result = next(action)
      if (slice() !== undefined && slice() !== bridge.snapshot) queueMicrotask(catchUp)
      return result
    }
  }
}

function actionFor(event: BridgeEvent, snapshot: AuthSnapshot): Action {
  if (event.type === 'token-rotated') return tokenRotated(snapshot)
  if (event.type === 'auth-reset') return authReset(snapshot)
  return statusChanged(snapshot)
}
