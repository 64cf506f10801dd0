import { createSlidingCount } from './sliding-count.ts'

/** The share of requests that carried an older generation than the bridge held when they were sent. */
export interface DesyncShare {
  /** Counts a request. `now` in monotonic milliseconds, here and below. */
  add(isDesynced: boolean, now: number): void
  /** From 0 to 1; 0 when there were no requests. */
  value(now: number): number
  /** Milliseconds until the share changes with no further request; `Infinity` when it cannot. */
  nextDrop(now: number): number
}

/**
 * The desync share over the last `span` milliseconds. Both counts slide in the same steps, so a request enters and leaves
 * the numerator and the denominator together; see {@link createSlidingCount} for the resolution.
 */
export function createDesyncShare(span: number): DesyncShare {
  const requests = createSlidingCount(span)
  const desynced = createSlidingCount(span)
  return {
    add(isDesynced, now) {
      requests.add(now)
      if (isDesynced) desynced.add(now)
    },
    value(now) {
      const all = requests.total(now)
      return all === 0 ? 0 : desynced.total(now) / all
    },
    nextDrop: (now) => requests.nextDrop(now),
  }
}
