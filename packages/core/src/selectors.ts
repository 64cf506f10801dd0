import type { TokenReader } from './reader.ts'
import type { AuthSnapshot, AuthStatus } from './state.ts'

/** Reads auth out of a store's state. Made from a reader, because the state itself never holds the token. */
export interface AuthSelectors<Key extends string> {
  /** The token that belongs to the state's generation and is valid now, else `null`. */
  selectAuthToken(state: Readonly<Record<Key, AuthSnapshot>>): string | null
  selectAuthStatus(state: Readonly<Record<Key, AuthSnapshot>>): AuthStatus
  /** There is a session: the state has a token, and it can be read. */
  selectIsAuthenticated(state: Readonly<Record<Key, AuthSnapshot>>): boolean
  /** Epoch milliseconds, or `null`. */
  selectExpiresAt(state: Readonly<Record<Key, AuthSnapshot>>): number | null
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
  const current = (state: Readonly<Record<Key, AuthSnapshot>>): string | null => {
    const token = reader.current()
    return token !== null &&
      token.generation === state[key].generation &&
      state[key].expiresAt !== null
      ? token.accessToken
      : null
  }
  return Object.freeze({
    selectAuthToken: current,
    selectAuthStatus: (state: Readonly<Record<Key, AuthSnapshot>>) => state[key].status,
    selectIsAuthenticated: (state: Readonly<Record<Key, AuthSnapshot>>) => current(state) !== null,
    selectExpiresAt: (state: Readonly<Record<Key, AuthSnapshot>>) => state[key].expiresAt,
  })
}
