import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { aborted } from '../abort.ts'
import type { Environment } from '../environment.ts'
import { AuthError, isAuthError } from '../errors.ts'
import {
  endVirtualTime,
  everythingIn,
  HOUR,
  NOW,
  recordedEnvironment,
  rejection,
  SECRET,
  secretPayload,
  settle,
} from '../fixtures.test.support.ts'
import type { TokenPayload } from '../wire.ts'
import { createRefresher, type RefreshPolicy } from './refresher.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(endVirtualTime)

const POLICY: RefreshPolicy = {
  timeout: 10_000,
  backoff: { initialDelay: 500, maxDelay: 30_000 },
  breaker: { threshold: 3, cooldown: 30_000 },
}
/** With `random` at one half, the waits between the three attempts. */
const BACKOFF = [250, 500] as const
const ALL_WAITS = BACKOFF[0] + BACKOFF[1]

type Attempt = (signal: AbortSignal) => Promise<TokenPayload | null>
const succeed: Attempt = async () => secretPayload()
const failWith =
  (error: unknown): Attempt =>
  async () => {
    throw error
  }
const hang: Attempt = (signal) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })
const answered = (status: number, retryAfter?: number): AuthError =>
  new AuthError('ERR_SYNC_STATUS', `POST /api/auth/sync answered ${status}.`, {
    phase: 'sync',
    retryable: true,
    status,
    ...(retryAfter !== undefined && { retryAfter }),
  })

function refresherOf(overrides: Partial<Environment> = {}, policy = POLICY) {
  const world = { isOnline: true, attempt: succeed }
  const calls: { reason: string; signal: AbortSignal; at: number }[] = []
  const confirmations: string[] = []
  const log: string[] = []
  const environment = recordedEnvironment({ isOnline: () => world.isOnline, ...overrides })
  const start = environment.monotonic()
  const refresher = createRefresher(policy, environment, {
    attempt({ reason, isConfirmation }, signal) {
      calls.push({ reason, signal, at: environment.monotonic() - start })
      if (isConfirmation) confirmations.push(reason)
      return world.attempt(signal)
    },
    onSuccess: (answer, { reason }) => {
      log.push(`success ${answer === null ? 'null' : 'token'} ${reason} busy=${refresher.busy}`)
    },
    onFailure: (error) => void log.push(`failure ${error.code}`),
    onOpen: (error) => void log.push(`open ${error.code}`),
    onClose: () => void log.push('close'),
  })
  return { world, calls, confirmations, log, refresher, environment, start }
}

/** Three failures, so that the circuit is open. */
async function opened(overrides: Partial<Environment> = {}) {
  const parts = refresherOf(overrides)
  parts.world.attempt = failWith(answered(503))
  const failed = rejection(parts.refresher.refresh('schedule'))
  await vi.advanceTimersByTimeAsync(ALL_WAITS)
  const error = await failed
  parts.log.length = 0
  return { ...parts, error }
}

describe('createRefresher', () => {
  it('asks the source once and tells what it answered', async () => {
    const { refresher, calls, log } = refresherOf()
    const refresh = refresher.refresh('hydrate')
    expect(refresher.busy).toBe(true)
    await expect(refresh).resolves.toBeUndefined()
    expect(calls.map(({ reason }) => reason)).toEqual(['hydrate'])
    // Not busy any more when it tells: who is told may ask again.
    expect(log).toEqual(['success token hydrate busy=false'])
    expect(refresher.busy).toBe(false)
  })

  it('takes null, "nobody is signed in", for an answer and not for a failure', async () => {
    const { refresher, world, log } = refresherOf()
    world.attempt = async () => null
    await refresher.refresh('hydrate')
    expect(log).toEqual(['success null hydrate busy=false'])
  })

  describe('single-flight', () => {
    // oidc-client-ts #1618, MSAL #3646, Duende #966: parallel calls made parallel refreshes.
    it('answers 1,000 concurrent callers with one call to the source', async () => {
      const { refresher, calls, log } = refresherOf()
      const all = Array.from({ length: 1_000 }, () => refresher.refresh('expired'))
      await Promise.all(all)
      expect(calls).toHaveLength(1)
      expect(refresher.joined).toBe(999)
      expect(log).toHaveLength(1)
    })

    it('lets callers join while it waits between attempts', async () => {
      const { refresher, world, calls } = refresherOf()
      world.attempt = failWith(answered(500))
      const first = refresher.refresh('schedule')
      await settle()
      world.attempt = succeed
      const second = refresher.refresh('expired')
      await vi.advanceTimersByTimeAsync(ALL_WAITS)
      await Promise.all([first, second])
      expect(calls.map(({ reason }) => reason)).toEqual(['schedule', 'schedule'])
    })

    it('fails all who joined with the same error', async () => {
      const { refresher, world, calls } = refresherOf()
      world.attempt = failWith(answered(503))
      const waiting = Promise.all([
        rejection(refresher.refresh('a')),
        rejection(refresher.refresh('b')),
      ])
      await vi.advanceTimersByTimeAsync(ALL_WAITS)
      const [one, two] = await waiting
      expect(one).toBe(two)
      expect(calls).toHaveLength(3)
    })

    it('starts a new one for who comes after', async () => {
      const { refresher, calls } = refresherOf()
      await refresher.refresh('a')
      await refresher.refresh('b')
      expect([calls.length, refresher.joined]).toEqual([2, 0])
    })
  })

  describe('confirm', () => {
    /** A refresher whose source answers when the test says so. */
    function gated() {
      const parts = refresherOf()
      const answers: ((payload: TokenPayload | null) => void)[] = []
      parts.world.attempt = () => new Promise((resolve) => answers.push(resolve))
      return { ...parts, answer: (payload: TokenPayload | null) => answers.shift()?.(payload) }
    }

    it('asks once, and says that any valid token will do', async () => {
      const { refresher, calls, confirmations, log } = refresherOf()
      await refresher.confirm('tab')
      await refresher.refresh('schedule')
      expect(calls.map(({ reason }) => reason)).toEqual(['tab', 'schedule'])
      expect(confirmations).toEqual(['tab'])
      expect(log[0]).toBe('success token tab busy=false')
    })

    it('counts as busy and not as refreshing', async () => {
      const { refresher, answer } = gated()
      const state = () => [refresher.busy, refresher.refreshing]
      const confirmation = refresher.confirm('tab')
      expect(state()).toEqual([true, false])
      answer(secretPayload())
      await confirmation
      const refresh = refresher.refresh('schedule')
      expect(state()).toEqual([true, true])
      answer(secretPayload())
      await refresh
      expect(state()).toEqual([false, false])
    })

    it('asks after the refresh under way: a question from before the doubt does not settle it', async () => {
      const { refresher, calls, answer } = gated()
      const refresh = refresher.refresh('schedule')
      const confirmation = refresher.confirm('tab')
      await settle()
      expect(calls).toHaveLength(1)
      answer(secretPayload())
      await refresh
      await settle()
      expect(calls.map(({ reason }) => reason)).toEqual(['schedule', 'tab'])
      answer(secretPayload())
      await confirmation
      expect(refresher.busy).toBe(false)
    })

    it('asks once more for all who doubt while a confirmation is under way, however many they are', async () => {
      const { refresher, calls, answer } = gated()
      const all = Array.from({ length: 1_000 }, () => refresher.confirm('tab'))
      answer(secretPayload())
      await settle()
      expect(calls).toHaveLength(2)
      answer(secretPayload())
      await Promise.all(all)
      await settle()
      expect([calls.length, refresher.joined, refresher.busy]).toEqual([2, 0, false])
      // And again: the next doubt during the next refresh.
      const refresh = refresher.refresh('schedule')
      const confirmation = refresher.confirm('tab')
      answer(secretPayload())
      await refresh
      await settle()
      answer(secretPayload())
      await confirmation
      expect(calls).toHaveLength(4)
    })

    it('is not joined by a refresh, which asks for a newer token when it is over', async () => {
      const { refresher, calls, confirmations, answer } = gated()
      const confirmation = refresher.confirm('tab')
      const refreshes = Array.from({ length: 1_000 }, () => refresher.refresh('unauthorized'))
      answer(secretPayload())
      await confirmation
      await settle()
      answer(secretPayload())
      await Promise.all(refreshes)
      expect(calls.map(({ reason }) => reason)).toEqual(['tab', 'unauthorized'])
      expect(confirmations).toEqual(['tab'])
      expect(refresher.joined).toBe(999)
    })

    it.each(['refresh', 'confirm'] as const)(
      'that says "signed out" takes a %s that waits for its end with it: nothing is asked any more',
      async (kind) => {
        const { refresher, calls, answer } = gated()
        const confirmation = refresher.confirm('tab').then(() => refresher.reset())
        const waiting = rejection(refresher[kind]('late'))
        answer(null)
        // As the bridge does when it is told of the answer.
        await confirmation
        await expect(waiting).resolves.toMatchObject({ code: 'ERR_ABORTED' })
        await settle()
        expect([calls.length, refresher.busy]).toEqual([1, false])
      },
    )

    it.each(['refresh', 'confirm'] as const)(
      'that is ended takes a %s that waits for its end with it, and the next one asks at once',
      async (kind) => {
        const { refresher, calls, answer } = gated()
        const waiting = [
          rejection(refresher.confirm('tab')),
          rejection(refresher.confirm('tab')),
          rejection(refresher[kind]('late')),
        ]
        refresher.abort()
        const next = [refresher.refresh('next'), refresher.confirm('doubt')]
        await settle()
        for (const error of await Promise.all(waiting))
          expect(isAuthError(error, 'ERR_ABORTED')).toBe(true)
        expect(calls.map(({ reason }) => reason)).toEqual(['tab', 'next'])
        for (let reply = 0; reply < 3; reply += 1) {
          answer(secretPayload())
          await settle()
        }
        await Promise.all(next)
        expect(calls.map(({ reason }) => reason)).toEqual(['tab', 'next', 'doubt'])
      },
    )

    it('fails those who wait for its end as it failed, without asking again', async () => {
      const { refresher, world, calls } = refresherOf()
      world.attempt = failWith(answered(503))
      const first = rejection(refresher.confirm('tab'))
      const second = rejection(refresher.confirm('tab'))
      const third = rejection(refresher.refresh('schedule'))
      await vi.advanceTimersByTimeAsync(ALL_WAITS)
      expect(await second).toBe(await first)
      expect(await third).toBe(await first)
      expect(calls).toHaveLength(3)
      await expect(rejection(refresher.confirm('tab'))).resolves.toMatchObject({
        code: 'ERR_MAINTENANCE',
      })
      expect(calls).toHaveLength(3)
    })
  })

  describe('backoff', () => {
    it('waits longer after each failure, by the randomness that it is given', async () => {
      const { refresher, world, calls, log } = refresherOf()
      const attempts = [failWith(answered(500)), failWith(answered(502)), succeed]
      world.attempt = (signal) => (attempts.shift() as Attempt)(signal)
      const refresh = refresher.refresh('schedule')
      await vi.advanceTimersByTimeAsync(ALL_WAITS)
      await refresh
      expect(calls.map(({ at }) => at)).toEqual([0, BACKOFF[0], ALL_WAITS])
      expect(log).toEqual([
        'failure ERR_SYNC_STATUS',
        'failure ERR_SYNC_STATUS',
        'success token schedule busy=false',
      ])
    })

    it.each([
      [0.01, [0, 5, 15]],
      [0.999, [0, 499, 1_498]],
    ])('has full jitter: with random %d the attempts are at %j', async (random, times) => {
      const { refresher, world, calls } = refresherOf({ random: () => random })
      world.attempt = failWith(answered(500))
      const refresh = rejection(refresher.refresh('schedule'))
      await vi.advanceTimersByTimeAsync(2_000)
      await refresh
      expect(calls.map(({ at }) => at)).toEqual(times)
    })

    it('never waits longer than its maximum', async () => {
      const policy = {
        ...POLICY,
        backoff: { initialDelay: 500, maxDelay: 800 },
        breaker: { threshold: 6, cooldown: 30_000 },
      }
      const { refresher, world, calls } = refresherOf({}, policy)
      world.attempt = failWith(answered(500))
      const refresh = rejection(refresher.refresh('schedule'))
      await vi.advanceTimersByTimeAsync(10_000)
      await refresh
      expect(calls.map(({ at }) => at)).toEqual([0, 250, 650, 1_050, 1_450, 1_850])
    })
  })

  describe('Retry-After', () => {
    // clerk PR #8004, LangAlpha PR #387.
    it('is waited for when it is longer than the backoff', async () => {
      const { refresher, world, calls } = refresherOf()
      const attempts = [failWith(answered(429, 5_000)), succeed]
      world.attempt = (signal) => (attempts.shift() as Attempt)(signal)
      const refresh = refresher.refresh('schedule')
      await vi.advanceTimersByTimeAsync(4_999)
      expect(calls).toHaveLength(1)
      await vi.advanceTimersByTimeAsync(1)
      await refresh
      expect(calls.map(({ at }) => at)).toEqual([0, 5_000])
    })

    it('does not shorten the backoff', async () => {
      const { refresher, world, calls } = refresherOf()
      const attempts = [failWith(answered(429, 0)), succeed]
      world.attempt = (signal) => (attempts.shift() as Attempt)(signal)
      const refresh = refresher.refresh('schedule')
      await vi.advanceTimersByTimeAsync(BACKOFF[0])
      await refresh
      expect(calls.map(({ at }) => at)).toEqual([0, BACKOFF[0]])
    })

    it('opens the circuit at once when it asks for more than the longest backoff', async () => {
      const { refresher, world, calls, log, environment } = refresherOf()
      world.attempt = failWith(answered(503, 120_000))
      await expect(rejection(refresher.refresh('schedule'))).resolves.toMatchObject({ status: 503 })
      expect(log).toEqual(['failure ERR_SYNC_STATUS', 'open ERR_SYNC_STATUS'])
      expect(refresher.notBefore - environment.monotonic()).toBe(120_000)
      await vi.advanceTimersByTimeAsync(119_999)
      await expect(rejection(refresher.refresh('schedule'))).resolves.toMatchObject({
        code: 'ERR_MAINTENANCE',
        retryAfter: 1,
      })
      expect(calls).toHaveLength(1)
      await vi.advanceTimersByTimeAsync(1)
      world.attempt = succeed
      await refresher.refresh('schedule')
      expect(calls).toHaveLength(2)
      expect(log.slice(2)).toEqual(['close', 'success token schedule busy=false'])
    })

    it('keeps the circuit open beyond its cooldown', async () => {
      const { refresher, world, calls } = await opened()
      await vi.advanceTimersByTimeAsync(30_000)
      world.attempt = failWith(answered(503, 90_000))
      await rejection(refresher.refresh('schedule'))
      await vi.advanceTimersByTimeAsync(89_999)
      await rejection(refresher.refresh('schedule'))
      expect(calls).toHaveLength(4)
      await vi.advanceTimersByTimeAsync(1)
      await rejection(refresher.refresh('schedule'))
      expect(calls).toHaveLength(5)
    })
  })

  describe('circuit breaker', () => {
    // superset PR #5518, supabase #2145, AxaFrance #1653: nothing stopped the retries.
    it('opens after three failures and then asks the source nothing', async () => {
      const { refresher, world, calls, log } = refresherOf()
      world.attempt = failWith(answered(503))
      const refresh = rejection(refresher.refresh('schedule'))
      await vi.advanceTimersByTimeAsync(ALL_WAITS)
      await expect(refresh).resolves.toMatchObject({ code: 'ERR_SYNC_STATUS', status: 503 })
      expect(log).toEqual([
        'failure ERR_SYNC_STATUS',
        'failure ERR_SYNC_STATUS',
        'open ERR_SYNC_STATUS',
      ])
      for (let call = 0; call < 1_000; call += 1) {
        const error = (await rejection(refresher.refresh('expired'))) as AuthError
        expect(error.code).toBe('ERR_MAINTENANCE')
      }
      expect(calls).toHaveLength(3)
    })

    it('says how long it leaves the source alone, and why', async () => {
      const { refresher, error: last } = await opened()
      await vi.advanceTimersByTimeAsync(10_500)
      const error = (await rejection(refresher.refresh('expired'))) as AuthError
      expect(error).toMatchObject({ retryable: true, retryAfter: 19_500 })
      expect(error.message).toMatch(/for 20 s more.*answered 503/)
      expect(error.cause).toBe(last)
    })

    it('lets one probe through when half-open, and closes when it succeeds', async () => {
      const { refresher, world, calls, log } = await opened()
      await vi.advanceTimersByTimeAsync(29_999)
      await rejection(refresher.refresh('expired'))
      expect(calls).toHaveLength(3)
      await vi.advanceTimersByTimeAsync(1)
      world.attempt = succeed
      await Promise.all(Array.from({ length: 50 }, () => refresher.refresh('expired')))
      expect(calls).toHaveLength(4)
      expect(log).toEqual(['close', 'success token expired busy=false'])
      expect(refresher.notBefore).toBe(0)
    })

    it('takes three failures again once it has closed', async () => {
      const { refresher, world, calls, log } = await opened()
      await vi.advanceTimersByTimeAsync(30_000)
      world.attempt = succeed
      await refresher.refresh('expired')
      world.attempt = failWith(answered(503))
      const refresh = rejection(refresher.refresh('schedule'))
      await vi.advanceTimersByTimeAsync(ALL_WAITS)
      await refresh
      expect(calls).toHaveLength(7)
      expect(log.slice(2)).toEqual([
        'failure ERR_SYNC_STATUS',
        'failure ERR_SYNC_STATUS',
        'open ERR_SYNC_STATUS',
      ])
    })

    it('opens again after one failed probe, without attempts of its own', async () => {
      const { refresher, calls, log } = await opened()
      await vi.advanceTimersByTimeAsync(30_000)
      await rejection(refresher.refresh('expired'))
      expect(calls).toHaveLength(4)
      expect(log).toEqual(['open ERR_SYNC_STATUS'])
      await vi.advanceTimersByTimeAsync(29_999)
      await rejection(refresher.refresh('expired'))
      expect(calls).toHaveLength(4)
    })

    it.each([
      ['at the least', () => 0, 63],
      ['at the most', () => 1 - Number.EPSILON, 34],
    ])(
      'costs a dead endpoint a bounded number of requests an hour, waits drawn %s',
      async (_, random, cost) => {
        const { refresher, world, calls } = refresherOf({ random })
        world.attempt = failWith(answered(503))
        for (let second = 0; second < 3_600; second += 1) {
          void refresher.refresh('expired').catch(() => {})
          await vi.advanceTimersByTimeAsync(1_000)
        }
        expect(calls.length).toBe(cost)
      },
    )

    it('leaves the endpoint alone for longer after each probe that fails, up to four times the cooldown, and begins anew after an answer', async () => {
      const { refresher, world, environment } = refresherOf({ random: () => 0 })
      world.attempt = failWith(answered(503))
      void refresher.refresh('schedule').catch(() => {})
      await vi.advanceTimersByTimeAsync(100)
      const pause = (): number => Math.ceil((refresher.notBefore - environment.monotonic()) / 1000)
      const probe = async (): Promise<void> => {
        await vi.advanceTimersByTimeAsync(pause() * 1000)
        await refresher.refresh('probe').catch(() => {})
      }
      const pauses = [pause()]
      for (let round = 0; round < 4; round += 1) {
        await probe()
        pauses.push(pause())
      }
      expect(pauses).toEqual([30, 30, 60, 60, 60])
      world.attempt = succeed
      await probe()
      world.attempt = failWith(answered(503))
      void refresher.refresh('expired').catch(() => {})
      await vi.advanceTimersByTimeAsync(100)
      expect(pause()).toBe(30)
    })

    it('counts consecutive failures only', async () => {
      const { refresher, world, log } = refresherOf()
      for (let round = 0; round < 3; round += 1) {
        const attempts = [failWith(answered(500)), failWith(answered(500)), succeed]
        world.attempt = (signal) => (attempts.shift() as Attempt)(signal)
        const refresh = refresher.refresh('schedule')
        await vi.advanceTimersByTimeAsync(ALL_WAITS)
        await refresh
      }
      expect(log.filter((line) => line.startsWith('open'))).toEqual([])
    })

    it.each([
      ['back', -24 * HOUR],
      ['forward', 24 * HOUR],
    ])('is as long open as it should be when the wall clock is set %s', async (_, by) => {
      const { refresher, world, calls } = await opened()
      vi.setSystemTime(Date.now() + by)
      await rejection(refresher.refresh('expired'))
      expect(calls).toHaveLength(3)
      await vi.advanceTimersByTimeAsync(30_000)
      world.attempt = succeed
      await refresher.refresh('expired')
      expect(calls).toHaveLength(4)
    })
  })

  describe('timeout', () => {
    it('ends an attempt whose source ignores its signal, and drops what it brings later', async () => {
      const { refresher, world, calls, log } = refresherOf()
      let resolve: (payload: TokenPayload) => void = () => {}
      world.attempt = () => new Promise((done) => (resolve = done))
      const refresh = refresher.refresh('schedule')
      await vi.advanceTimersByTimeAsync(9_999)
      expect(calls[0]?.signal.aborted).toBe(false)
      await vi.advanceTimersByTimeAsync(1)
      expect(calls[0]?.signal.aborted).toBe(true)
      expect(isAuthError(calls[0]?.signal.reason, 'ERR_SYNC_TIMEOUT')).toBe(true)
      expect(log).toEqual(['failure ERR_SYNC_TIMEOUT'])
      world.attempt = succeed
      await vi.advanceTimersByTimeAsync(BACKOFF[0])
      await refresh
      resolve(secretPayload({ accessToken: 'late' }))
      await settle()
      expect(log.slice(1)).toEqual(['success token schedule busy=false'])
    })

    // supabase #2013, #1594: calls that hang forever.
    it('lets nobody wait for ever on a source that hangs', async () => {
      const { refresher, world, calls } = refresherOf()
      world.attempt = hang
      const refresh = rejection(refresher.refresh('schedule'))
      await vi.advanceTimersByTimeAsync(3 * 10_000 + ALL_WAITS)
      await expect(refresh).resolves.toMatchObject({ code: 'ERR_SYNC_TIMEOUT', retryable: true })
      expect(calls).toHaveLength(3)
    })

    it('leaves no timer when the source answers in time', async () => {
      const { refresher } = refresherOf()
      await refresher.refresh('schedule')
      expect(vi.getTimerCount()).toBe(0)
    })
  })

  describe('abort', () => {
    it('ends the refresh for all who wait and leaves no timer behind, while the source is asked', async () => {
      const { refresher, world, calls, log } = refresherOf()
      world.attempt = hang
      const waiting = [rejection(refresher.refresh('a')), rejection(refresher.refresh('b'))]
      refresher.abort()
      expect(refresher.busy).toBe(false)
      expect(calls[0]?.signal.aborted).toBe(true)
      for (const error of await Promise.all(waiting)) {
        expect(isAuthError(error, 'ERR_ABORTED')).toBe(true)
      }
      expect([vi.getTimerCount(), log.length]).toEqual([0, 0])
    })

    it('ends the wait between attempts and leaves no timer behind', async () => {
      const { refresher, world, calls } = refresherOf()
      world.attempt = failWith(answered(500))
      const waiting = rejection(refresher.refresh('a'))
      await settle()
      expect(vi.getTimerCount()).toBe(1)
      refresher.abort()
      await expect(waiting).resolves.toMatchObject({ code: 'ERR_ABORTED' })
      expect([vi.getTimerCount(), calls.length]).toEqual([0, 1])
    })

    // logto kotlin #253, auth0 #1596: a late answer brought the session back after sign-out.
    it('drops the answer of a source that ignores its signal', async () => {
      const { refresher, world, log } = refresherOf()
      let resolve: (payload: TokenPayload) => void = () => {}
      world.attempt = () => new Promise((done) => (resolve = done))
      const waiting = rejection(refresher.refresh('a'))
      refresher.abort()
      resolve(secretPayload())
      await waiting
      await settle()
      expect(log).toEqual([])
    })

    it('holds in every instant between the answer and its acceptance', async () => {
      for (let instant = 0; instant < 25; instant += 1) {
        const { refresher, log } = refresherOf()
        const outcome = refresher.refresh('a').then(
          () => 'accepted',
          () => 'ended',
        )
        for (let tick = 0; tick < instant; tick += 1) await Promise.resolve()
        const wasBusy = refresher.busy
        refresher.abort()
        await expect(outcome).resolves.toBe(wasBusy ? 'ended' : 'accepted')
        expect(log).toHaveLength(wasBusy ? 0 : 1)
      }
    })

    it('does nothing when there is nothing to end', () => {
      const { refresher } = refresherOf()
      expect(() => refresher.abort()).not.toThrow()
    })

    it('lets the next refresh begin at once, and keeps the two apart', async () => {
      const { refresher, world, calls, log } = refresherOf()
      world.attempt = hang
      const first = rejection(refresher.refresh('old'))
      refresher.abort()
      world.attempt = succeed
      const second = refresher.refresh('new')
      expect(refresher.busy).toBe(true)
      await second
      await first
      expect(calls.map(({ reason }) => reason)).toEqual(['old', 'new'])
      expect(log).toEqual(['success token new busy=false'])
    })

    it('is no failure of the source: sign-outs do not open the circuit', async () => {
      const { refresher, world, log } = refresherOf()
      for (let round = 0; round < 5; round += 1) {
        world.attempt = hang
        const waiting = rejection(refresher.refresh('a'))
        refresher.abort()
        await waiting
      }
      world.attempt = failWith(answered(500))
      const refresh = rejection(refresher.refresh('b'))
      await settle()
      expect(log).toEqual(['failure ERR_SYNC_STATUS'])
      refresher.abort()
      await refresh
    })

    it('leaves the circuit half-open when it ends the probe: the next call is one probe again', async () => {
      const { refresher, world, calls, log } = await opened()
      await vi.advanceTimersByTimeAsync(30_000)
      world.attempt = hang
      const probe = rejection(refresher.refresh('a'))
      refresher.abort()
      await probe
      world.attempt = failWith(answered(503))
      await rejection(refresher.refresh('b'))
      expect(calls).toHaveLength(5)
      expect(log).toEqual(['open ERR_SYNC_STATUS'])
    })

    it('counts a source that throws ERR_ABORTED by itself as a failure', async () => {
      const { refresher, world, calls, log } = refresherOf()
      world.attempt = failWith(aborted('Something else'))
      const refresh = rejection(refresher.refresh('a'))
      await vi.advanceTimersByTimeAsync(ALL_WAITS)
      await refresh
      expect(calls).toHaveLength(3)
      expect(log.at(-1)).toBe('open ERR_ABORTED')
    })
  })

  describe('offline', () => {
    // clerk PR #7912: offline looked like signed out.
    it('refuses without a request and without counting a failure', async () => {
      const { refresher, world, calls, log } = refresherOf()
      world.isOnline = false
      for (let call = 0; call < 10; call += 1) {
        await expect(rejection(refresher.refresh('schedule'))).resolves.toMatchObject({
          code: 'ERR_OFFLINE',
          retryable: true,
        })
      }
      expect([calls.length, log.length, refresher.notBefore]).toEqual([0, 0, 0])
      world.isOnline = true
      await refresher.refresh('schedule')
      expect(calls).toHaveLength(1)
    })

    // oidc-client-ts #251: waking up before the network is there.
    it('stops asking when the network goes away between attempts, with the circuit still closed', async () => {
      const { refresher, world, calls, log } = refresherOf()
      world.attempt = failWith(new TypeError('Failed to fetch'))
      const refresh = rejection(refresher.refresh('schedule'))
      await settle()
      world.isOnline = false
      await vi.advanceTimersByTimeAsync(ALL_WAITS)
      await expect(refresh).resolves.toMatchObject({ code: 'ERR_OFFLINE' })
      expect([calls.length, refresher.busy, refresher.notBefore]).toEqual([1, false, 0])
      expect(log).toEqual(['failure ERR_SYNC_NETWORK'])
      world.isOnline = true
      world.attempt = succeed
      await refresher.refresh('schedule')
      expect(calls).toHaveLength(2)
    })
  })

  describe('errors of an own source', () => {
    it.each([
      ['an Error', new Error('down')],
      ['a string', 'down'],
      ['nothing', undefined],
    ])('become typed when it throws %s', async (_, fault) => {
      const { refresher, world } = refresherOf()
      world.attempt = failWith(fault)
      const refresh = rejection(refresher.refresh('schedule'))
      await vi.advanceTimersByTimeAsync(ALL_WAITS)
      const error = (await refresh) as AuthError
      expect(error).toMatchObject({ code: 'ERR_SYNC_NETWORK', phase: 'sync', retryable: true })
      expect(error.cause).toBe(fault)
    })

    it('stay out of the message, which goes to events and logs: they may quote a token', async () => {
      const { refresher, world } = refresherOf()
      world.attempt = failWith(new SyntaxError(`Unexpected token in {"accessToken":"${SECRET}`))
      const refresh = rejection(refresher.refresh('schedule'))
      await vi.advanceTimersByTimeAsync(ALL_WAITS)
      const { message } = (await refresh) as AuthError
      expect(message).not.toContain(SECRET)
      const refused = (await rejection(refresher.refresh('schedule'))) as AuthError
      expect(refused.message).not.toContain(SECRET)
    })

    it('that hold no token bring none in', async () => {
      const { refresher } = await opened()
      expect(everythingIn(await rejection(refresher.refresh('a')))).not.toContain(SECRET)
    })

    it('are the same when it throws before it returns a promise', async () => {
      const { refresher, world } = refresherOf()
      world.attempt = () => {
        throw new Error('synchronous')
      }
      const refresh = rejection(refresher.refresh('schedule'))
      await vi.advanceTimersByTimeAsync(ALL_WAITS)
      await expect(refresh).resolves.toMatchObject({ code: 'ERR_SYNC_NETWORK' })
    })
  })
})
