import type { Environment } from '../environment.ts'
import { ROTATION_FLOOR } from '../rotation/schedule.ts'
import type { TabSignal } from './signal.ts'

/** What a hint makes a tab do. */
export interface HintHooks {
  /** The signal says something that this tab does not know. Asked when it comes, and again when it is followed. */
  isNews(signal: TabSignal): boolean
  /** Ask the server whether the session still is, and for the token that it has. */
  confirm(): void
  /** Ask for the kill switch's value. */
  recheckFlag(): void
}

/** Follows hints from outside at a bounded rate: whoever floods the channel makes a tab ask, not ask without end. */
export interface Hints {
  follow(signal: TabSignal): void
  /** Leaves no timer behind. */
  stop(): void
}

/** Milliseconds over which the tabs that hear of a rotation spread their questions. */
const SPREAD = 250

/**
 * Milliseconds after which a tab tells of its sign-out a second time, and one that heard of it asks a second time: the first
 * time may have been before the server had ended the session. Both, because a hidden tab's timers are late, and a tab that
 * signed out may be gone by then.
 */
export const SECOND_LOOK = 600

/** So many sign-outs in a row are followed at once. */
const RESETS_IN_A_ROW = 3

type Timers = Pick<Environment, 'monotonic' | 'setTimer' | 'clearTimer' | 'random'>

export function createHints(
  environment: Timers,
  { isNews, confirm, recheckFlag }: HintHooks,
): Hints {
  const follower = (
    delays: readonly (() => number)[],
    work: () => void,
    inARow: number = 1,
  ): Follower =>
    paced(environment, delays, inARow, (signal) => {
      if (isNews(signal)) work()
    })
  const followers: Readonly<Record<TabSignal['type'], Follower>> = {
    rotated: follower([() => environment.random() * SPREAD], confirm),
    reset: follower([() => 0, () => SECOND_LOOK], confirm, RESETS_IN_A_ROW),
    mode: follower([() => 0], recheckFlag),
  }
  return {
    follow(signal) {
      if (isNews(signal)) followers[signal.type].follow(signal)
    },
    stop() {
      for (const { stop } of Object.values(followers)) stop()
    },
  }
}

/** Follows signals of one type. */
interface Follower {
  follow(signal: TabSignal): void
  stop(): void
}

/**
 * Does the work at these delays after a signal: for so many signals in a row at once, and for no more than one in each
 * {@link ROTATION_FLOOR} in the long run (the generic cell rate algorithm, ITU-T I.371). A signal that comes too early is
 * followed when the time is over.
 */
function paced(
  { monotonic, setTimer, clearTimer }: Timers,
  delays: readonly (() => number)[],
  inARow: number,
  work: (signal: TabSignal) => void,
): Follower {
  const timers = new Set<unknown>()
  const credit = (inARow - 1) * ROTATION_FLOOR
  /** When all that was followed is paid for. */
  let paidAt = Number.NEGATIVE_INFINITY
  /** What a round that is planned follows: the earlier ones may be no news any more when it comes. */
  let latest: TabSignal

  function after(delay: number): void {
    if (delay <= 0) return work(latest)
    const timer = setTimer(() => {
      timers.delete(timer)
      work(latest)
    }, delay)
    timers.add(timer)
  }

  return {
    follow(signal) {
      latest = signal
      const now = monotonic()
      const debt = Math.max(0, paidAt - now)
      // The next round is planned already.
      if (debt > credit + ROTATION_FLOOR) return
      paidAt = now + debt + ROTATION_FLOOR
      const wait = Math.max(0, debt - credit)
      for (const delay of delays) after(wait + delay())
    },
    stop() {
      for (const timer of timers) clearTimer(timer)
      timers.clear()
      paidAt = Number.NEGATIVE_INFINITY
    },
  }
}
