import { isAction, type PayloadAction } from '@reduxjs/toolkit'
import type { SecureTokenBridge } from '@token-bridge/core'
import type { AuthSnapshot } from '@token-bridge/core/state'
import { createMarks } from '@token-bridge/core/store-view'
import { authReset, statusChanged, tokenRotated } from './auth-slice.ts'

/** The part of the bridge that the adapter uses. */
export type AuthBridge = Pick<SecureTokenBridge, 'attach' | 'snapshot' | 'reportViolation'>

/** An action of the auth slice. */
export type AuthAction = PayloadAction<AuthSnapshot>

const AUTH_TYPES: ReadonlySet<string> = new Set([
  tokenRotated.type,
  authReset.type,
  statusChanged.type,
])

/** The very objects that a middleware made. A copy of one is not in here, whoever made it. */
const genuine = createMarks()

const LOCKED = { writable: false, configurable: false }

/**
 * Marks an action as the bridge's own. Nobody on its way can put another type or snapshot into it; a middleware that adds
 * a time stamp, as many do, may.
 */
export function mint(action: AuthAction): AuthAction {
  Object.defineProperties(action, { type: LOCKED, payload: LOCKED })
  genuine.add(action)
  return action
}

/** Tells whether the action is one of those that only the bridge may send, whoever made this one. */
export function isAuthAction(action: unknown): action is AuthAction {
  return isAction(action) && AUTH_TYPES.has(action.type)
}

/** Tells whether a middleware made this very object. */
export function isGenuine(action: AuthAction): boolean {
  return genuine.has(action)
}

/** Reports an action that was not the bridge's to send. */
export function reportForged(bridge: AuthBridge, { type }: AuthAction): void {
  bridge.reportViolation('forged-action', `${type} was not made by the bridge and was dropped`)
}

/** Reports a slice that somebody has written to past the middleware. */
export function reportWritten(bridge: AuthBridge, key: string): void {
  bridge.reportViolation(
    'store-write',
    `the slice "${key}" was not what the bridge says and was brought back`,
  )
}
