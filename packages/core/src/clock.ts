import type { Environment } from './environment.ts'

/** Server time, as well as the page can know it. */
export interface Clock {
  /** Epoch milliseconds by the server's clock once it has told its time, by the machine's own until then. */
  now(): number
  /** A moment to measure from; take it before a request is sent. */
  mark(): ClockMark
  /** What {@link Clock.now} would be, were the clock corrected so. */
  candidate(serverTime: number | undefined, sent: ClockMark): number
  /** The moment on both of the machine's clocks at which this one shows `time`. Holds until the next correction. */
  momentOf(time: number): ClockMark
  /** Whether a moment lies ahead on both clocks: one of them may be late. Allocates nothing. */
  isAhead(moment: ClockMark): boolean
  /**
   * Sets the clock by the time a server put into its answer to a request that was sent at `sent`. What cannot be a time
   * is passed over: a clock at NaN or in 1970 would make every token useless, or valid for ever.
   */
  correct(serverTime: number, sent: ClockMark): void
}

/** Epoch milliseconds before this are 1973: whoever sends them means seconds, or nothing. */
const EARLIEST = 1e11

/** Whether a value can be a server's time: whole epoch milliseconds of this age. */
export function isServerTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= EARLIEST
}

/** One moment on both of the machine's clocks. */
export interface ClockMark {
  readonly wall: number
  readonly monotonic: number
}

/**
 * A clock that a wrong wall clock, a change of it, or hours of sleep cannot make late.
 *
 * Time since the last correction is the larger of what the two clocks saw: the monotonic one may stand still in sleep,
 * the wall clock may be set back. Counting from the moment the request was *sent* assumes that the server stamped its
 * answer at once, so a slow answer makes a token expire early, never late.
 */
export function createClock(environment: Pick<Environment, 'wallClock' | 'monotonic'>): Clock {
  const { wallClock, monotonic } = environment
  const mark = (): ClockMark => ({ wall: wallClock(), monotonic: monotonic() })
  let origin = mark()
  let base = origin.wall

  function since(moment: ClockMark): number {
    const byWall = wallClock() - moment.wall
    const byMonotonic = monotonic() - moment.monotonic
    return byWall > byMonotonic ? byWall : byMonotonic
  }
  const now = (): number => base + since(origin)

  return Object.freeze({
    now,
    mark,
    candidate: (serverTime: number | undefined, sent: ClockMark) =>
      isServerTime(serverTime) ? serverTime + since(sent) : now(),
    momentOf: (time: number) => ({
      wall: origin.wall + time - base,
      monotonic: origin.monotonic + time - base,
    }),
    isAhead: (moment: ClockMark) => wallClock() < moment.wall && monotonic() < moment.monotonic,
    correct(serverTime: number, sent: ClockMark) {
      if (!isServerTime(serverTime)) return
      origin = sent
      base = serverTime
    },
  })
}
