/** How many times something happened lately. Times are monotonic milliseconds that never go back. */
export interface SlidingCount {
  add(now: number): void
  total(now: number): number
  /** Milliseconds until the oldest that is counted leaves the window; `Infinity` when the window is empty. */
  nextDrop(now: number): number
}

/** The window moves in steps of one three hundredth: 1 s in five minutes, 200 ms in one minute. */
const BUCKETS = 300

/**
 * A count over the last `span` milliseconds, in constant memory and without an allocation for what it counts, however
 * much that is.
 *
 * Resolution: what happened counts for at most `span`, and for at least `span` less one three hundredth of it.
 */
export function createSlidingCount(span: number): SlidingCount {
  const width = span / BUCKETS
  const counts = new Float64Array(BUCKETS)
  let newest = Number.NEGATIVE_INFINITY
  let total = 0

  function slide(now: number): void {
    const bucket = Math.floor(now / width)
    // A gap wider than the window empties all of it: no need to walk further than once round.
    for (let next = Math.max(newest + 1, bucket - BUCKETS + 1); next <= bucket; next += 1) {
      const slot = slotOf(next)
      total -= counts[slot] as number
      counts[slot] = 0
    }
    if (bucket > newest) newest = bucket
  }

  return {
    add(now) {
      slide(now)
      const slot = slotOf(newest)
      counts[slot] = (counts[slot] as number) + 1
      total += 1
    },
    total(now) {
      slide(now)
      return total
    },
    nextDrop(now) {
      slide(now)
      for (let bucket = newest - BUCKETS + 1; bucket <= newest; bucket += 1) {
        if ((counts[slotOf(bucket)] as number) > 0) return (bucket + BUCKETS) * width - now
      }
      return Number.POSITIVE_INFINITY
    },
  }
}

/** Also right in the first window after zero, where buckets before it have negative numbers. */
const slotOf = (bucket: number): number => ((bucket % BUCKETS) + BUCKETS) % BUCKETS
