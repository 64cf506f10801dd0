import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createClock } from '../clock.ts'
import {
  countingTarget,
  endVirtualTime,
  HOUR,
  MINUTE,
  NOW,
  recordedEnvironment,
  SECOND,
  secretPayload,
  settle,
} from '../fixtures.test.support.ts'
import { createVault } from '../vault.ts'
import { createRefresher } from './refresher.ts'
import { createScheduler } from './scheduler.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(endVirtualTime)

/** A scheduler on the real parts, whose source issues tokens that live as long as `world` says. */
function schedulerOf(lifetime: number) {
  const world = { lifetime, isIdle: false, isOnline: true, isSignedOut: false, isDown: false }
  const requests: { reason: string; at: number }[] = []
  const confirmations: string[] = []
  const expired: number[] = []
  const window = countingTarget()
  const environment = recordedEnvironment({ isOnline: () => world.isOnline, window })
  const clock = createClock(environment)
  const vault = createVault(clock, MINUTE)
  const refresher = createRefresher(
    {
      timeout: 10_000,
      backoff: { initialDelay: 500, maxDelay: 30_000 },
      breaker: { threshold: 3, cooldown: 30_000 },
    },
    environment,
    {
      async attempt({ reason, isConfirmation }) {
        requests.push({ reason, at: Date.now() - NOW })
        if (isConfirmation) confirmations.push(reason)
        if (world.isDown) throw new Error('503')
        if (world.isSignedOut) return null
        return secretPayload({ expiresAt: Date.now() + world.lifetime })
      },
      onSuccess(answer) {
        if (answer === null) {
          world.isIdle = true
          return
        }
        vault.put(answer)
        scheduler.plan(answer.expiresAt)
      },
      onFailure() {},
      onOpen() {},
      onClose() {},
    },
  )
  const scheduler = createScheduler({
    environment,
    clock,
    vault,
    refresher,
    skewBuffer: MINUTE,
    leadTime: 30 * SECOND,
    jitter: 0,
    isIdle: () => world.isIdle,
    onExpired: (generation) => void expired.push(generation),
    onRestored: () => vault.wipe(),
  })
  return { world, requests, confirmations, expired, scheduler, vault, window }
}

describe('createScheduler', () => {
  it('hydrates at once and then rotates ahead of each expiry, so that no token expires', async () => {
    const { requests, expired, scheduler } = schedulerOf(5 * MINUTE)
    scheduler.start()
    scheduler.wake()
    await vi.advanceTimersByTimeAsync(10.5 * MINUTE)
    scheduler.stop()
    expect(requests).toEqual([
      { reason: 'hydrate', at: 0 },
      { reason: 'schedule', at: 3.5 * MINUTE },
      { reason: 'schedule', at: 7 * MINUTE },
      { reason: 'schedule', at: 10.5 * MINUTE },
    ])
    expect(expired).toEqual([])
  })

  // AxaFrance #1282: 100 requests a second brought the provider down.
  it.each([1, 50, SECOND, 4 * SECOND])(
    'asks for tokens that are usable for %d ms every five seconds and not as fast as they end',
    async (usable) => {
      const { requests, expired, scheduler } = schedulerOf(MINUTE + usable)
      scheduler.start()
      scheduler.wake()
      await vi.advanceTimersByTimeAsync(MINUTE)
      // Who waits for a token wakes the scheduler; a crowd of them changes nothing.
      for (let call = 0; call < 100; call += 1) scheduler.wake()
      await settle()
      scheduler.stop()
      expect(requests.length).toBeLessThanOrEqual(13)
      expect(requests.length).toBeGreaterThanOrEqual(12)
      expect(expired.length).toBeGreaterThanOrEqual(11)
    },
  )

  it('does not make a new session wait for the plan of the old one', async () => {
    const { requests, scheduler, vault } = schedulerOf(5 * MINUTE)
    scheduler.start()
    scheduler.wake()
    await vi.advanceTimersByTimeAsync(SECOND)
    vault.wipe()
    scheduler.wake()
    await settle()
    scheduler.stop()
    expect(requests.map(({ at }) => at)).toEqual([0, SECOND])
  })

  // auth0 #589, oidc-client-ts #1601: an expired token found on wake-up was never renewed.
  it('replaces a token that expired in sleep as soon as it is woken', async () => {
    const { requests, expired, scheduler } = schedulerOf(5 * MINUTE)
    scheduler.start()
    scheduler.wake()
    await settle()
    vi.setSystemTime(NOW + 8 * HOUR)
    scheduler.wake()
    await settle()
    scheduler.stop()
    expect(expired).toEqual([1])
    expect(requests.map(({ reason }) => reason)).toEqual(['hydrate', 'expired'])
  })

  it('asks nothing while there is nothing to keep current, and keeps no timer for it', async () => {
    const { world, requests, scheduler } = schedulerOf(5 * MINUTE)
    world.isIdle = true
    scheduler.start()
    scheduler.wake()
    await vi.advanceTimersByTimeAsync(HOUR)
    expect([requests.length, vi.getTimerCount()]).toEqual([0, 0])
    scheduler.stop()
  })

  it('keeps no timer after an answer that says "signed out"', async () => {
    const { world, requests, scheduler } = schedulerOf(5 * MINUTE)
    world.isSignedOut = true
    scheduler.start()
    scheduler.wake()
    await settle()
    expect([requests.length, vi.getTimerCount()]).toEqual([1, 0])
    scheduler.stop()
  })

  // clerk PR #7912.
  it('asks nothing while offline, says that the token expired, and goes on when woken online', async () => {
    const { world, requests, expired, scheduler } = schedulerOf(5 * MINUTE)
    scheduler.start()
    scheduler.wake()
    await settle()
    world.isOnline = false
    await vi.advanceTimersByTimeAsync(HOUR)
    scheduler.wake()
    scheduler.wake()
    expect([requests.length, expired.length]).toEqual([1, 1])
    world.isOnline = true
    scheduler.wake()
    await settle()
    expect(requests).toHaveLength(2)
    scheduler.stop()
  })

  it('asks whether the session still is when it is told to, and goes on as planned', async () => {
    const { requests, confirmations, scheduler } = schedulerOf(5 * MINUTE)
    scheduler.start()
    scheduler.wake()
    await vi.advanceTimersByTimeAsync(MINUTE)
    scheduler.confirm('tab')
    await vi.advanceTimersByTimeAsync(3.5 * MINUTE)
    scheduler.stop()
    expect(requests).toEqual([
      { reason: 'hydrate', at: 0 },
      { reason: 'tab', at: MINUTE },
      { reason: 'schedule', at: 4.5 * MINUTE },
    ])
    expect(confirmations).toEqual(['tab'])
  })

  it('rotates also when its timer fired during a question that failed', async () => {
    const { world, requests, scheduler, vault } = schedulerOf(5 * MINUTE)
    scheduler.start()
    scheduler.wake()
    await vi.advanceTimersByTimeAsync(3.5 * MINUTE - 100)
    world.isDown = true
    scheduler.confirm('tab')
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    world.isDown = false
    await vi.advanceTimersByTimeAsync(30 * SECOND)
    scheduler.stop()
    expect(requests.map(({ reason }) => reason)).toEqual(['hydrate', 'tab', 'tab', 'tab', 'probe'])
    expect(vault.held()?.generation).toBe(2)
  })

  it('asks at once, and once, when the page comes out of the back/forward cache', async () => {
    const { requests, scheduler, vault, window } = schedulerOf(5 * MINUTE)
    scheduler.start()
    scheduler.wake()
    await vi.advanceTimersByTimeAsync(SECOND)
    window.fire('pageshow', { persisted: true })
    expect(vault.current()).toBeNull()
    window.fire('focus')
    await settle()
    scheduler.stop()
    expect(requests).toEqual([
      { reason: 'hydrate', at: 0 },
      { reason: 'hydrate', at: SECOND },
    ])
  })

  it('finds by itself, within thirty seconds, that the machine has slept', async () => {
    const { requests, scheduler } = schedulerOf(5 * MINUTE)
    scheduler.start()
    scheduler.wake()
    await settle()
    vi.setSystemTime(NOW + 8 * HOUR)
    await vi.advanceTimersByTimeAsync(30 * SECOND)
    scheduler.stop()
    expect(requests.map(({ reason }) => reason)).toEqual(['hydrate', 'expired'])
  })

  it('leaves no timer when it is stopped, and does nothing after', async () => {
    const { requests, scheduler } = schedulerOf(5 * MINUTE)
    scheduler.start()
    scheduler.wake()
    await settle()
    expect(vi.getTimerCount()).toBe(1)
    scheduler.stop()
    expect(vi.getTimerCount()).toBe(0)
    scheduler.wake()
    scheduler.plan(NOW + HOUR)
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(requests).toHaveLength(1)
  })
})
