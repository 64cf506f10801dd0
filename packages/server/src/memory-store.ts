import type { SessionStore } from './session-store.ts'

export interface MemoryStoreOptions {
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/** Milliseconds between two looks for entries that nobody asked for again. */
const SWEEP_INTERVAL = 60_000

/**
 * A store in this process's memory: for development and for a single process. A restart signs everybody out.
 *
 * @example
 * authRoutes({ …, store: memoryStore() })
 */
export function memoryStore(options: MemoryStoreOptions = {}): SessionStore {
  const { now = Date.now } = options
  const entries = new Map<string, { readonly value: string; readonly expiresAt: number }>()
  let sweptAt = now()

  const live = (key: string) => {
    const entry = entries.get(key)
    return entry !== undefined && entry.expiresAt > now() ? entry : undefined
  }

  // On a write, because a timer would keep the process alive and would have to be stopped by someone.
  function sweep(): void {
    if (now() - sweptAt < SWEEP_INTERVAL) return
    sweptAt = now()
    for (const [key, entry] of entries) if (entry.expiresAt <= sweptAt) entries.delete(key)
  }

  return Object.freeze<SessionStore>({
    async get(key) {
      return live(key)?.value
    },
    async set(key, value, expiresAt) {
      sweep()
      entries.set(key, { value, expiresAt })
    },
    async replace(key, value, expiresAt) {
      if (live(key) === undefined) return false
      entries.set(key, { value, expiresAt })
      return true
    },
    async delete(key) {
      const existed = live(key) !== undefined
      entries.delete(key)
      return existed
    },
  })
}
