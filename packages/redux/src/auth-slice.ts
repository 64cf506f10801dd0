import { createSlice, type PayloadAction, type Reducer } from '@reduxjs/toolkit'
import { initialSnapshot, type AuthSnapshot } from '@token-bridge/core/state'

const becomeSnapshot = (_state: AuthSnapshot, { payload }: PayloadAction<AuthSnapshot>) => payload

/**
 * The auth state of a Redux host: the bridge's snapshot, and no token.
 *
 * Its actions carry the snapshot that they lead to, which the bridge has computed, so every store of a page agrees.
 */
export const authSlice = createSlice({
  name: 'auth',
  initialState: initialSnapshot,
  reducers: {
    /** The bridge has a new token. */
    tokenRotated: becomeSnapshot,
    /** The session has ended, or the mode changes: there is no token any more. */
    authReset: becomeSnapshot,
    /** Anything else that changes the snapshot: expiry, failure, maintenance, mode, a store that catches up. */
    statusChanged: becomeSnapshot,
  },
})

/** The reducer to mount as `auth`, or under the key that the middleware is told. */
export const authReducer: Reducer<AuthSnapshot> = authSlice.reducer

/**
 * `auth/tokenRotated`: the bridge has a new token. For a host's own reducers and listeners to match. Made by anyone but the
 * middleware it is dropped, and so are the other two.
 */
export const tokenRotated = authSlice.actions.tokenRotated

/** `auth/authReset`: the session has ended, or the mode changes. Clear here what belongs to the user. */
export const authReset = authSlice.actions.authReset

/** `auth/statusChanged`: anything else that changes the snapshot. */
export const statusChanged = authSlice.actions.statusChanged
