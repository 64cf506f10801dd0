import type { RateLimit } from './options.ts'
import { createRecentMap } from './recent-map.ts'

/** Buckets that are remembered at most, and as many again of strangers: about 4 MB. One that is forgotten is full again. */
const MOST_BUCKETS = 10_000

interface Bucket {
  left: number
  /** Epoch milliseconds. */
  at: number
  reportedAt: number
}

/** Milliseconds between two reports on one bucket. */
const REPORT_INTERVAL = 60_000

export interface RateLimiter {
  /**
   * Takes one request out of a bucket: 0 when there was one, otherwise the milliseconds until there is.
   *
   * @param key - whose bucket; kept in memory only.
   */
  take(key: string): number
  /** Says that whoever took from this bucket is no stranger: strangers can make keys up, and then forget each other's only. */
  keep(key: string): void
}

/**
 * Token buckets in this process's memory: they stop a page in a circle, cheaply, before anything else is asked. Each
 * replica counts for itself. A flood from everywhere is the reverse proxy's to stop.
 *
 * @param report - called when a bucket is found empty, at most once a minute for each.
 */
export function rateLimiter(
  limit: RateLimit | false,
  now: () => number,
  report: () => void,
): RateLimiter {
  if (limit === false) return Object.freeze<RateLimiter>({ take: () => 0, keep() {} })
  const { burst, perSecond } = limit
  const kept = createRecentMap<Bucket>(MOST_BUCKETS)
  const strangers = createRecentMap<Bucket>(MOST_BUCKETS)

  return Object.freeze<RateLimiter>({
    take(key) {
      const at = now()
      let bucket = kept.get(key) ?? strangers.get(key)
      if (bucket === undefined) {
        bucket = { left: burst, at, reportedAt: -Infinity }
        strangers.set(key, bucket)
      }
      // A clock that was set back takes nothing away.
      const grown = (Math.max(0, at - bucket.at) / 1000) * perSecond
      const left = Math.min(burst, bucket.left + grown)
      const isEmpty = left < 1
      const isNews = isEmpty && at - bucket.reportedAt >= REPORT_INTERVAL
      bucket.left = isEmpty ? left : left - 1
      bucket.at = at
      if (isNews) bucket.reportedAt = at
      if (isNews) report()
      return isEmpty ? Math.ceil(((1 - left) / perSecond) * 1000) : 0
    },
    keep(key) {
      const bucket = strangers.get(key)
      if (bucket === undefined) return
      strangers.delete(key)
      kept.set(key, bucket)
    },
  })
}
