import type { Timeline } from './timeline.ts'

export interface MachineSettings {
  /** Milliseconds by which the wall clock is wrong at the start. */
  readonly wallError: number
  /** `performance.now()` stands still while the machine sleeps, as on macOS and Linux. */
  readonly standsStill: boolean
}

/** The computer that all tabs run on: its clocks, its sleep, its network cable. */
export interface Machine {
  readonly isAsleep: boolean
  isOnline: boolean
  /** Epoch milliseconds, wrong as it may be. */
  wallClock(): number
  monotonic(): number
  /** Someone, or a time service, sets the clock. Milliseconds. */
  moveWallClock(by: number): void
  /** Milliseconds by which the wall clock has been set forward, in all. */
  readonly movedForward: number
  sleep(): void
  wake(): void
}

export function createMachine(timeline: Timeline, settings: MachineSettings): Machine {
  const origin = timeline.now
  let wallError = settings.wallError
  let movedForward = 0
  let stoodStill = 0
  let asleepSince: number | null = null

  const inThisSleep = (): number =>
    asleepSince === null || !settings.standsStill ? 0 : timeline.now - asleepSince

  return {
    isOnline: true,
    get isAsleep() {
      return asleepSince !== null
    },
    get movedForward() {
      return movedForward
    },
    wallClock: () => timeline.now + wallError,
    monotonic: () => timeline.now - origin - stoodStill - inThisSleep(),
    moveWallClock(by) {
      wallError += by
      movedForward += Math.max(0, by)
    },
    sleep() {
      asleepSince ??= timeline.now
    },
    wake() {
      stoodStill += inThisSleep()
      asleepSince = null
    },
  }
}
