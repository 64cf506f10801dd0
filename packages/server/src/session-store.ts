/**
 * Where sessions and sign-ins under way are kept: text under a key, until a time. Keys are hashes, so a store never
 * sees what a cookie holds. Each method is atomic for its key.
 *
 * A store that replicas share must be consistent: a read after a finished write sees that write.
 */
export interface SessionStore {
  /** Resolves with the value, or with `undefined` when there is none or its time is over. */
  get(key: string): Promise<string | undefined>
  /** Writes a value. @param expiresAt - epoch milliseconds. */
  set(key: string, value: string, expiresAt: number): Promise<void>
  /**
   * Writes a value only where one is, and tells whether it did: what a slow request brings back can never restore what
   * was deleted meanwhile.
   */
  replace(key: string, value: string, expiresAt: number): Promise<boolean>
  /** Deletes a value and tells whether there was one: of two callers at the same time, one alone gets `true`. */
  delete(key: string): Promise<boolean>
}
