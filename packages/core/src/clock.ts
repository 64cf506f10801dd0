import type { Environment } from './environment.ts'

/** Server time, as well as the page can know it. */
export interface Clock {
  /** Epoch milliseconds by the server's clock once it has told its time, by the machine's own until then. */
  now(): number
  /** A moment to measure from; take it before a request is sent. */
  mark(): ClockMark
  /** What {@link Clock.now} would be, were the clock corrected so. */
  candidate(serverTime: number | undefined, sent: ClockMark): number
  /** The moment at which this clock shows `time`. Holds until the next correction. */
  momentOf(time: number): ClockMark
  /** Whether a moment lies ahead. Allocates nothing. */
  isAhead(moment: ClockMark): boolean
  /**
   * Sets the clock by the time a server put into its answer to a request that was sent at `sent`. What cannot be a time
   * is passed over: a clock at NaN or in 1970 would make every token useless, or valid for ever. As long as no server has
   * told its time, the machine's own is taken anew.
   */
  correct(serverTime: number | undefined, sent: ClockMark): void
}

/** Epoch milliseconds before this are 1973: whoever sends them means seconds, or nothing. */
const EARLIEST = 1e11

/** Whether a value can be a server's time: whole epoch milliseconds of this age. */
export function isServerTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= EARLIEST
}

/** A moment, in milliseconds of time that went by since the clock was made. */
export type ClockMark = number

/**
 * A clock that a wrong wall clock, a change of it, or hours of sleep cannot make late, and that never goes back but by a
 * correction.
 *
 * What goes by from one look to the next is the larger of what the machine's two clocks saw: the monotonic one may stand
 * still in sleep, the wall clock may be set back. Counting from the moment the request was *sent* assumes that the server
 * stamped its answer at once, so a slow answer makes a token expire early, never late.
 */
export function createClock(environment: Pick<Environment, 'wallClock' | 'monotonic'>): Clock {
  const { wallClock, monotonic } = environment
  // The last look at both clocks, and what went by until then. An array of doubles, so that a look allocates nothing.
  const seen = new Float64Array([wallClock(), monotonic(), 0])
  let offset = seen[0] as number
  let isCorrected = false

  function elapsed(): number {
    const wall = wallClock()
    const steady = monotonic()
    const byWall = wall - (seen[0] as number)
    const bySteady = steady - (seen[1] as number)
    seen[0] = wall
    seen[1] = steady
    const step = byWall > bySteady ? byWall : bySteady
    if (step > 0) seen[2] = (seen[2] as number) + step
    return seen[2] as number
  }

  return Object.freeze<Clock>({
    now: () => offset + elapsed(),
    mark: elapsed,
    candidate(serverTime, sent) {
      if (isServerTime(serverTime)) return serverTime + elapsed() - sent
      return isCorrected ? offset + elapsed() : wallClock()
    },
    momentOf: (time) => time - offset,
    isAhead: (moment) => elapsed() < moment,
    correct(serverTime, sent) {
      if (isServerTime(serverTime)) {
        offset = serverTime - sent
        isCorrected = true
      } else if (!isCorrected) {
        offset = wallClock() - elapsed()
      }
    },
  })
}
