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
 * Milliseconds after which a tab that heard of a sign-out asks a second time: the other tab may have told of it before the
 * server had ended the session.
 */
const SECOND_LOOK = 600

type Timers = Pick<Environment, 'monotonic' | 'setTimer' | 'clearTimer' | 'random'>

export function createHints(
  environment: Timers,
  { isNews, confirm, recheckFlag }: HintHooks,
): Hints {
  const follower = (delays: readonly (() => number)[], work: () => void): Follower =>
    paced(environment, delays, (signal) => {
      if (isNews(signal)) work()
    })
  const followers: Readonly<Record<TabSignal['type'], Follower>> = {
    rotated: follower([() => environment.random() * SPREAD], confirm),
    reset: follower([() => 0, () => SECOND_LOOK], confirm),
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
 * Does the work at these delays after a signal, and at most once in a {@link ROTATION_FLOOR}; a signal that comes too early is
 * followed when the time is over.
 */
function paced(
  { monotonic, setTimer, clearTimer }: Timers,
  delays: readonly (() => number)[],
  work: (signal: TabSignal) => void,
): Follower {
  const timers = new Set<unknown>()
  let notBefore = Number.NEGATIVE_INFINITY
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
      // The next round is planned already.
      if (notBefore - now > ROTATION_FLOOR) return
      const wait = Math.max(0, notBefore - now)
      notBefore = now + wait + ROTATION_FLOOR
      for (const delay of delays) after(wait + delay())
    },
    stop() {
      for (const timer of timers) clearTimer(timer)
      timers.clear()
      notBefore = Number.NEGATIVE_INFINITY
    },
  }
}
