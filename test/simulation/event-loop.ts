import type { Machine } from './machine.ts'
import type { Timeline } from './timeline.ts'

/** What a tab runs on: timers and tasks that wait while the tab is frozen, cached or the machine asleep. */
export interface EventLoop {
  /** Timers that are set and have not run. */
  readonly timers: number
  /** Timers that have run so far. */
  readonly timersRun: number
  readonly isSuspended: boolean
  isHidden: boolean
  setTimer(callback: () => void, delay: number): unknown
  clearTimer(timer: unknown): void
  /** Runs a task after a span of true time, or when the tab runs again. */
  post(span: number, task: () => void): void
  /** Nothing runs from now on. */
  suspend(): void
  /** What has waited runs, in its order. */
  resume(): void
  /** Timers that a hidden tab has been kept waiting for run now. */
  show(): void
  close(): void
}

/** A longer delay overflows: the timer runs at once. */
const LONGEST_TIMER = 2 ** 31 - 1
/** Browsers run timers of hidden tabs once a second, and of tabs hidden for five minutes once a minute. */
const THROTTLED = 1_000
const THROTTLED_HARD = 60_000
const HARD_AFTER = 5 * 60_000

export function createEventLoop(timeline: Timeline, machine: Machine): EventLoop {
  interface Timer {
    readonly due: number
    readonly callback: () => void
    cancel: () => void
  }
  const timers = new Set<Timer>()
  const throttled = new Set<Timer>()
  let waiting: (() => void)[] = []
  let isSuspended = false
  let isHidden = false
  let isClosed = false
  let hiddenSince = 0
  let timersRun = 0

  function whenRunning(task: () => void): void {
    if (isClosed) return
    if (isSuspended) waiting.push(task)
    else task()
  }

  function align(timer: Timer): number {
    const step = timeline.now - hiddenSince > HARD_AFTER ? THROTTLED_HARD : THROTTLED
    return throttled.has(timer) ? 0 : Math.ceil(timeline.now / step) * step - timeline.now
  }

  function fire(timer: Timer): void {
    if (!timers.has(timer)) return
    const early = timer.due - machine.monotonic()
    if (early > 0) return arm(timer, early)
    const late = isHidden ? align(timer) : 0
    if (late > 0) {
      throttled.add(timer)
      return arm(timer, late)
    }
    timers.delete(timer)
    throttled.delete(timer)
    timersRun += 1
    timer.callback()
  }

  function arm(timer: Timer, span: number): void {
    timer.cancel = timeline.after(span, () => whenRunning(() => fire(timer)))
  }

  return {
    get timers() {
      return timers.size
    },
    get timersRun() {
      return timersRun
    },
    get isSuspended() {
      return isSuspended
    },
    get isHidden() {
      return isHidden
    },
    set isHidden(value) {
      isHidden = value
      hiddenSince = timeline.now
    },
    setTimer(callback, delay) {
      const span = delay > LONGEST_TIMER ? 1 : Math.max(1, Math.ceil(delay))
      const timer: Timer = { due: machine.monotonic() + span, callback, cancel: () => {} }
      timers.add(timer)
      arm(timer, span)
      return timer
    },
    clearTimer(timer) {
      const known = timer as Timer | undefined
      if (known === undefined || !timers.delete(known)) return
      throttled.delete(known)
      known.cancel()
    },
    post: (span, task) => void timeline.after(span, () => whenRunning(task)),
    suspend() {
      isSuspended = true
    },
    resume() {
      isSuspended = false
      for (const task of waiting.splice(0)) timeline.after(0, () => whenRunning(task))
    },
    show() {
      isHidden = false
      for (const timer of throttled) {
        timer.cancel()
        arm(timer, 0)
      }
    },
    close() {
      isClosed = true
      waiting = []
      for (const timer of timers) timer.cancel()
      timers.clear()
    },
  }
}
