import type { TokenReader } from './reader.ts'
import type { AuthSnapshot, AuthStatus } from './state.ts'

/** A state with the auth snapshot under `Key`, or none yet: a reducer may be injected later. */
export type AuthState<Key extends string> = { readonly [K in Key]?: AuthSnapshot | undefined }

/** Reads auth out of a store's state. Made from a reader, because the state itself never holds the token. */
export interface AuthSelectors<Key extends string> {
  /**
   * The token that belongs to the state's generation and is valid now, else `null`.
   *
   * It reads the reader too, so one state may give a token now and none later. Do not make it an input of `createSelector`
   * or of anything else that remembers by the state: that would hand out what it remembers after a rotation or the sign-out,
   * without asking. Select the token where it is used.
   */
  selectAuthToken(state: AuthState<Key>): string | null
  /** `loading` while the state has no snapshot. */
  selectAuthStatus(state: AuthState<Key>): AuthStatus
  /** There is a session: the state has a token, and it can be read. */
  selectIsAuthenticated(state: AuthState<Key>): boolean
  /** Epoch milliseconds, or `null`. */
  selectExpiresAt(state: AuthState<Key>): number | null
}

/**
 * Makes the selectors that a remote reads a store with.
 *
 * The state names a generation, and the reader has the token: a state that was persisted, travelled back to, or forged
 * names a generation that the reader no longer has, and so selects `null`, never an old token.
 *
 * @param options.key - where the auth snapshot stands in the state. Default `auth`.
 */
export function createAuthSelectors<Key extends string = 'auth'>(
  reader: Pick<TokenReader, 'current'>,
  options: { readonly key?: Key } = {},
): AuthSelectors<Key> {
  const key = options.key ?? ('auth' as Key)
  const current = (state: AuthState<Key>): string | null => {
    const token = reader.current()
    const snapshot = state[key]
    return token !== null &&
      token.generation === snapshot?.generation &&
      snapshot.expiresAt !== null
      ? token.accessToken
      : null
  }
  return Object.freeze({
    selectAuthToken: current,
    selectAuthStatus: (state: AuthState<Key>) => state[key]?.status ?? 'loading',
    selectIsAuthenticated: (state: AuthState<Key>) => current(state) !== null,
    selectExpiresAt: (state: AuthState<Key>) => state[key]?.expiresAt ?? null,
  })
}
