import type { Environment } from './environment.ts'

/** Server time, as well as the page can know it. */
export interface Clock {
  /** Epoch milliseconds by the server's clock once it has told its time, by the machine's own until then. */
  now(): number
  /** A moment to measure from; take it before a request is sent. */
  mark(): ClockMark
  /** Sets the clock by the time a server put into its answer to a request that was sent at `sent`. */
  correct(serverTime: number, sent: ClockMark): void
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

  return Object.freeze({
    now() {
      const byWall = wallClock() - origin.wall
      const byMonotonic = monotonic() - origin.monotonic
      return base + (byWall > byMonotonic ? byWall : byMonotonic)
    },
    mark,
    correct(serverTime: number, sent: ClockMark) {
      origin = sent
      base = serverTime
    },
  })
}
