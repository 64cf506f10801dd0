import { checkOptions } from './check-options.ts'
import { configError } from './config-error.ts'
import type { SessionStore } from './session-store.ts'

/** What {@link memoryStore} takes. */
export interface MemoryStoreOptions {
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

interface Entry {
  readonly value: string
  readonly expiresAt: number
  readonly fence: number
  readonly lockedUntil: number
  readonly bucket: number
}

/** Milliseconds. Entries that end within the same span are forgotten together. */
const BUCKET = 10_000

/** How many entries a write forgets at most: more than it adds, and too few to be felt. */
const BATCH = 64

/**
 * A store in this process's memory: for development and for a single process. A restart signs everybody out.
 *
 * @throws AuthError `ERR_CONFIG` for a wrong option.
 * @example
 * authRoutes({ …, store: memoryStore() })
 */
export function memoryStore(options: MemoryStoreOptions = {}): SessionStore {
  checkOptions('memoryStore', options, ['now'])
  const { now = Date.now } = options
  if (typeof now !== 'function')
    throw configError('memoryStore({ now })', 'a function', now, 'Leave it out.')
  const entries = new Map<string, Entry>()
  // By their end, so that forgetting looks at nothing that still lives.
  const buckets = new Map<number, Set<string>>()
  const bucketOf = (time: number): number => Math.floor(time / BUCKET)
  let oldest = bucketOf(now())

  function live(key: string): Entry | undefined {
    const entry = entries.get(key)
    return entry !== undefined && entry.expiresAt > now() ? entry : undefined
  }

  function remove(key: string): void {
    const entry = entries.get(key)
    if (entry === undefined) return
    entries.delete(key)
    const bucket = buckets.get(entry.bucket)
    bucket?.delete(key)
    if (bucket?.size === 0) buckets.delete(entry.bucket)
  }

  function write(key: string, entry: Omit<Entry, 'bucket'>): void {
    forget()
    remove(key)
    const number = Math.max(bucketOf(entry.expiresAt), oldest)
    entries.set(key, { ...entry, bucket: number })
    const bucket = buckets.get(number)
    if (bucket === undefined) buckets.set(number, new Set([key]))
    else bucket.add(key)
  }

  // On a write, because a timer would keep the process alive and would have to be stopped by someone.
  function forget(): void {
    const current = bucketOf(now())
    let left = BATCH
    while (oldest < current) {
      for (const key of buckets.get(oldest) ?? []) {
        if (left === 0) return
        left -= 1
        remove(key)
      }
      // Days without a write are no reason to walk through them.
      oldest = buckets.size === 0 ? current : oldest + 1
    }
  }

  return Object.freeze<SessionStore>({
    isVolatile: true,
    async get(key) {
      return live(key)?.value
    },
    async set(key, value, expiresAt) {
      const fence = (live(key)?.fence ?? 0) + 1
      write(key, { value, expiresAt, fence, lockedUntil: 0 })
    },
    async touch(key, expiresAt) {
      const entry = live(key)
      if (entry !== undefined) write(key, { ...entry, expiresAt })
      return entry !== undefined
    },
    async lock(key, lockFor) {
      const entry = live(key)
      if (entry === undefined || entry.lockedUntil > now()) return undefined
      const fence = entry.fence + 1
      entries.set(key, { ...entry, fence, lockedUntil: now() + lockFor })
      return { value: entry.value, fence }
    },
    async replace(key, value, fence, lockFor) {
      const entry = live(key)
      if (entry?.fence !== fence) return false
      if (lockFor > 0) entries.set(key, { ...entry, value, lockedUntil: now() + lockFor })
      else entries.set(key, { ...entry, value, fence: fence + 1, lockedUntil: 0 })
      return true
    },
    async delete(key, fence) {
      const entry = live(key)
      const isMine = entry !== undefined && (fence === undefined || entry.fence === fence)
      if (isMine) remove(key)
      return isMine
    },
  })
}
