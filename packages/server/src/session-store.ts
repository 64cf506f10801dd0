/**
 * Where sessions, sign-ins under way and marks are kept: text under a key, until a time. Keys are hashes, so a store
 * never sees what a cookie holds. Each method is atomic for its key, and needs no other key.
 *
 * A store that replicas share must be consistent: a read after a finished write sees that write. An entry whose time is
 * over is as good as deleted for every method. Times are epoch milliseconds, spans are milliseconds.
 *
 * Run `sessionStoreContract` of `@token-bridge/server/testing` on a store of your own.
 */
export interface SessionStore {
  /** Values never leave this process's memory, so they need no `encryptionKeys`. For any other store `authRoutes` warns without them. */
  readonly isVolatile?: boolean
  /** Resolves with the value, or with `undefined` when there is none. */
  get(key: string): Promise<string | undefined>
  /** Writes a value, whatever was there. Who held the entry's lock holds it no longer. */
  set(key: string, value: string, expiresAt: number): Promise<void>
  /** Moves the end of an entry, and nothing else; tells whether there is one. */
  touch(key: string, expiresAt: number): Promise<boolean>
  /**
   * Takes the lock of an entry and reads it, in one step. `undefined` when someone else holds the lock or there is no
   * such entry. The lock goes away by itself after `lockFor`, on the store's own clock.
   */
  lock(key: string, lockFor: number): Promise<Locked | undefined>
  /**
   * Writes a value if the entry is still there and nobody has taken its lock since `fence` was handed out; tells whether
   * it did. Keeps the entry's end. So what a slow request brings back restores nothing that was deleted meanwhile, and
   * undoes nothing that a successor wrote.
   *
   * @param lockFor - how much longer the lock is held; 0 lets it go and uses `fence` up, so that no write of the same
   * holder that was overtaken on its way can follow.
   */
  replace(key: string, value: string, fence: number, lockFor: number): Promise<boolean>
  /**
   * Deletes an entry and tells whether there was one: of two callers at the same time, one alone gets `true`.
   *
   * @param fence - if given, only when nobody has taken the lock since.
   */
  delete(key: string, fence?: number): Promise<boolean>
}

/** An entry whose lock the caller holds. */
export interface Locked {
  readonly value: string
  /** Fencing token: grows each time the entry's lock is taken. */
  readonly fence: number
}
