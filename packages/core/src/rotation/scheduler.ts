import type { Clock } from '../clock.ts'
import type { Environment } from '../environment.ts'
import type { Vault } from '../vault.ts'
import type { Refresher } from './refresher.ts'
import { rotationTime } from './schedule.ts'
import { createWakeUps, type WakeUps } from './wake-ups.ts'

/** When the scheduler acts, and what it tells. Spans are milliseconds. */
export interface SchedulerOptions {
  readonly environment: Environment
  readonly clock: Pick<Clock, 'now'>
  readonly vault: Pick<Vault, 'current' | 'held'>
  readonly refresher: Refresher
  readonly skewBuffer: number
  readonly leadTime: number
  readonly jitter: number
  /** There is nothing to keep current: signed out, or cookie-only. */
  isIdle(): boolean
  /** The held token has just become unusable; called once for each token. */
  onExpired(generation: number): void
  /** The page has come out of the back/forward cache. */
  onRestored(): void
}

/** Keeps the token current: rotates it ahead of expiry and says when it has expired. */
export interface Scheduler {
  start(): void
  stop(): void
  /** Looks at the token and does what is due. Call it after anything that may have changed what is. */
  wake(): void
  /** Plans the rotation of a new token. */
  plan(expiresAt: number): void
  /** Refreshes now, or joins the refresh under way. */
  refresh(reason: string): Promise<void>
  /** Asks now whether the session still is, without asking for a newer token. */
  confirm(reason: string): void
}

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { environment, clock, vault, refresher, skewBuffer } = options
  let wakeUps: WakeUps | null = null
  let rotateAt = 0
  let expired = 0

  function announceExpiry(): void {
    const held = vault.held()
    if (held === null || held.generation === expired || vault.current() !== null) return
    expired = held.generation
    options.onExpired(held.generation)
  }

  /**
   * A held token is replaced at its time; the time of one that was never usable for long comes after its end, and is kept
   * all the same: else such tokens would be asked for as fast as the endpoint can answer.
   */
  function isDue(): boolean {
    return vault.held() === null || refresher.notBefore > 0 || clock.now() >= rotateAt
  }

  function setTimer(): void {
    if (wakeUps === null || refresher.busy) return
    const token = vault.current()
    if (token === null && options.isIdle()) return
    const now = clock.now()
    const untilExpiry =
      token === null ? Number.POSITIVE_INFINITY : token.expiresAt - skewBuffer - now
    const untilAllowed = refresher.notBefore - environment.monotonic()
    // An open circuit is probed as soon as it may be, also when the token is good for longer.
    const untilDue = isDue() ? 0 : rotateAt - now
    // Offline there is nothing to ask; the `online` event wakes the bridge.
    const untilRotation = environment.isOnline()
      ? Math.max(untilDue, untilAllowed)
      : Number.POSITIVE_INFINITY
    wakeUps.setTimer(Math.min(untilRotation, untilExpiry))
  }

  const refresh = (reason: string): Promise<void> => refresher.refresh(reason).finally(setTimer)

  function reasonFor(isCurrent: boolean): string {
    if (refresher.notBefore > 0) return 'probe'
    if (isCurrent) return 'schedule'
    return vault.held() === null ? 'hydrate' : 'expired'
  }

  function wake(): void {
    if (wakeUps === null) return
    announceExpiry()
    if (options.isIdle() || refresher.busy) return
    const isCurrent = vault.current() !== null
    if (!isDue()) return setTimer()
    // Its failure is already in the events and the snapshot.
    void refresh(reasonFor(isCurrent)).catch(() => {})
  }

  return {
    start() {
      wakeUps ??= createWakeUps(environment, {
        wake,
        restore() {
          options.onRestored()
          wake()
        },
      })
    },
    stop() {
      wakeUps?.stop()
      wakeUps = null
    },
    wake,
    plan(expiresAt) {
      const { leadTime, jitter } = options
      rotateAt = rotationTime({
        now: clock.now(),
        expiresAt,
        skewBuffer,
        leadTime,
        jitter,
        random: environment.random(),
      })
      setTimer()
    },
    refresh,
    confirm(reason) {
      void refresher
        .confirm(reason)
        .finally(setTimer)
        .catch(() => {})
    },
  }
}
