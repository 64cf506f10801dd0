import { createSlice, type PayloadAction } from '@reduxjs/toolkit'
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

export const authReducer = authSlice.reducer
export const { tokenRotated, authReset, statusChanged } = authSlice.actions
