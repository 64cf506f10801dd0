import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { endVirtualTime, NOW, recordedEnvironment, SECOND } from '../fixtures.test.support.ts'
import { createHints } from './hints.ts'
import type { TabSignal } from './signal.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(endVirtualTime)

const rotated = (expiresAt = NOW): TabSignal => ({ type: 'rotated', expiresAt })
const RESET: TabSignal = { type: 'reset' }
const MODE: TabSignal = { type: 'mode' }

/** Hints, and when they made the tab do what. */
function hintsOf(random = 0.5) {
  const world = { isNews: (_signal: TabSignal): boolean => true }
  const done: [string, number][] = []
  const did = (what: string) => () => void done.push([what, Date.now() - NOW])
  const environment = recordedEnvironment({ random: () => random })
  const hints = createHints(environment, {
    isNews: (signal) => world.isNews(signal),
    confirm: did('confirm'),
    recheckFlag: did('recheck'),
  })
  return { world, done, hints }
}

describe('createHints', () => {
  it.each([
    [0, 0],
    [0.5, 125],
    [0.999, 249.75],
  ])(
    'asks once after a rotation, spread over 250 ms: with random %d after %d ms',
    async (random, delay) => {
      const { done, hints } = hintsOf(random)
      hints.follow(rotated())
      await vi.advanceTimersByTimeAsync(SECOND)
      expect(done).toEqual([['confirm', Math.trunc(delay)]])
    },
  )

  // okta-auth-js PR #889: the other tabs acted before the first one had ended the session.
  it('asks at once after a reset, and a second time 600 ms later', async () => {
    const { done, hints } = hintsOf()
    hints.follow(RESET)
    expect(done).toEqual([['confirm', 0]])
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(done).toEqual([
      ['confirm', 0],
      ['confirm', 600],
    ])
  })

  it('asks for the kill switch at once, and nothing else', async () => {
    const { done, hints } = hintsOf()
    hints.follow(MODE)
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(done).toEqual([['recheck', 0]])
  })

  it('follows nothing that is no news, and keeps no timer for it', () => {
    const { world, done, hints } = hintsOf()
    world.isNews = () => false
    for (const signal of [rotated(), RESET, MODE]) hints.follow(signal)
    expect([done.length, vi.getTimerCount()]).toEqual([0, 0])
  })

  it('looks again when the time has come: what was news may have arrived meanwhile', async () => {
    const { world, done, hints } = hintsOf()
    hints.follow(rotated())
    hints.follow(RESET)
    world.isNews = () => false
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(done).toEqual([['confirm', 0]])
  })

  it.each<[string, TabSignal, number]>([
    ['rotated', rotated(), 2],
    ['reset', RESET, 8],
    ['mode', MODE, 2],
  ])(
    'follows a burst of 10,000 "%s" now and once more five seconds later',
    async (_, signal, cost) => {
      const { done, hints } = hintsOf()
      for (let count = 0; count < 10_000; count += 1) hints.follow(signal)
      await vi.advanceTimersByTimeAsync(60 * SECOND)
      expect(done).toHaveLength(cost)
      expect(Math.max(...done.map(([, at]) => at))).toBeLessThanOrEqual(5_600)
    },
  )

  it('keeps five seconds between two rounds, however long the flood', async () => {
    const { done, hints } = hintsOf()
    for (let tick = 0; tick < 600; tick += 1) {
      hints.follow(MODE)
      await vi.advanceTimersByTimeAsync(100)
    }
    hints.stop()
    expect(done.map(([, at]) => at)).toEqual(
      Array.from({ length: 13 }, (_, round) => round * 5_000),
    )
  })

  it('follows three sign-outs in a row at once, and the fourth when five seconds are over', async () => {
    const { done, hints } = hintsOf()
    for (let count = 1; count <= 4; count += 1) {
      hints.follow(RESET)
      await vi.advanceTimersByTimeAsync(SECOND)
    }
    expect(done.map(([, at]) => at)).toEqual([0, 600, 1_000, 1_600, 2_000, 2_600])
    await vi.advanceTimersByTimeAsync(10 * SECOND)
    expect(done.map(([, at]) => at).slice(6)).toEqual([5_000, 5_600])
  })

  it('keeps to one sign-out in five seconds in the long run', async () => {
    const { done, hints } = hintsOf()
    for (let tick = 0; tick < 590; tick += 1) {
      hints.follow(RESET)
      await vi.advanceTimersByTimeAsync(100)
    }
    hints.stop()
    // Twelve rounds of two, and the two that it may be ahead.
    expect(done).toHaveLength(2 * (12 + 2))
  })

  it('paces each kind by itself: who floods one does not hold up another', () => {
    const { done, hints } = hintsOf(0)
    for (let count = 0; count < 100; count += 1) hints.follow(rotated())
    hints.follow(RESET)
    hints.follow(MODE)
    expect(done.map(([what]) => what)).toEqual(['confirm', 'confirm', 'recheck'])
    hints.stop()
  })

  it('follows the latest of the signals that wait for one round', async () => {
    const { world, done, hints } = hintsOf(0)
    hints.follow(rotated(NOW + 1))
    hints.follow(rotated(NOW + 2))
    hints.follow(rotated(NOW + 3))
    // The tab has got the second one by itself.
    world.isNews = (signal) => signal.type === 'rotated' && signal.expiresAt > NOW + 2
    await vi.advanceTimersByTimeAsync(10 * SECOND)
    expect(done).toHaveLength(2)
  })

  it('leaves no timer when it is stopped, forgets what it planned, and follows again at once', async () => {
    const { done, hints } = hintsOf()
    for (const signal of [rotated(), rotated(), RESET, RESET, MODE, MODE]) hints.follow(signal)
    done.length = 0
    hints.stop()
    expect(vi.getTimerCount()).toBe(0)
    hints.follow(MODE)
    await vi.advanceTimersByTimeAsync(60 * SECOND)
    expect(done).toEqual([['recheck', 0]])
  })

  it('remembers no timer that has come or was ended', async () => {
    const environment = recordedEnvironment()
    const ended = vi.spyOn(environment, 'clearTimer')
    const hints = createHints(environment, {
      isNews: () => true,
      confirm() {},
      recheckFlag() {},
    })
    hints.follow(RESET)
    await vi.advanceTimersByTimeAsync(SECOND)
    hints.stop()
    expect(ended).not.toHaveBeenCalled()
    hints.follow(RESET)
    hints.stop()
    hints.stop()
    expect(ended).toHaveBeenCalledTimes(1)
  })
})
