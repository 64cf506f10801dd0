import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../environment.ts'
import { endVirtualTime, HOUR, rejection, settle } from '../fixtures.test.support.ts'
import { fakeOrigin, type FakeOriginOptions } from './fake-tabs.test.support.ts'
import { createTurns, TURN_LIMIT, type Turns } from './turns.ts'

const setTimer: Environment['setTimer'] = (callback, delay) => setTimeout(callback, delay)
const clearTimer: Environment['clearTimer'] = (timer) => clearTimeout(timer as number)

const turnsOn = (locks: Environment['locks'], name = 'shop'): Turns =>
  createTurns(name, { locks, setTimer, clearTimer })

/** Locks of which `request` is the given function. */
const locksOf = (request: (...args: never[]) => unknown): Environment['locks'] => ({
  request: request as never,
})

const never = new AbortController().signal

/** Tabs of one origin, each with its turns. */
function tabsWithTurns(count: number, options: Partial<FakeOriginOptions> = {}) {
  const origin = fakeOrigin({ setTimer, ...options })
  const tabs = Array.from({ length: count }, () => {
    const tab = origin.openTab()
    return { tab, turns: turnsOn(tab.locks) }
  })
  const [first, second, third] = tabs
  if (!first || !second || !third) throw new Error('three at least')
  return { origin, tabs, first, second, third }
}

/** Writes down when a turn begins. */
function watched(promise: Promise<() => void>) {
  const turn = { began: false, end: () => {} }
  void promise.then((end) => {
    turn.began = true
    turn.end = end
  })
  return turn
}

describe('createTurns', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(endVirtualTime)

  it('lets tabs in one after another', async () => {
    const { origin, tabs } = tabsWithTurns(8)
    const log: number[] = []
    let inside = 0
    let most = 0
    const visits = tabs.map(async ({ turns }, index) => {
      const end = await turns.take(never)
      inside += 1
      most = Math.max(most, inside)
      await new Promise((resolve) => setTimeout(resolve, 20))
      log.push(index)
      inside -= 1
      end()
    })
    await vi.advanceTimersByTimeAsync(8 * 25)
    await Promise.all(visits)
    expect([log, most]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7], 1])
    expect(origin.census()).toMatchObject({ heldLocks: 0, waitingLocks: 0 })
  })

  it('knows other names as other queues', async () => {
    const { origin, first, second } = tabsWithTurns(3)
    const end = await Promise.all([
      turnsOn(first.tab.locks, 'shop').take(never),
      turnsOn(second.tab.locks, 'admin').take(never),
      settle(),
    ])
    expect(origin.census().heldLocks).toBe(2)
    end[0]()
    end[1]()
    await settle()
  })

  // supabase/supabase-js#2013, #1594, #2426: waits for a lock that had no end.
  it('goes on without the lock after 250 ms when its holder is frozen', async () => {
    const { origin, tabs, first } = tabsWithTurns(8)
    const held = first.turns.take(never)
    await settle()
    const endOfFrozen = await held
    first.tab.freeze()
    const others = tabs.slice(1).map(({ turns }) => watched(turns.take(never)))
    await vi.advanceTimersByTimeAsync(TURN_LIMIT - 1)
    expect(others.filter(({ began }) => began)).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(others.filter(({ began }) => began)).toHaveLength(7)
    expect([TURN_LIMIT, origin.census()]).toEqual([
      250,
      expect.objectContaining({ heldLocks: 1, waitingLocks: 0 }),
    ])
    for (const { end } of others) end()
    endOfFrozen()
    await settle()
    expect(origin.census().heldLocks).toBe(0)
  })

  // supabase/supabase-js#2111, PR #2178: stolen locks, whose holders went on working, and stole them back.
  it('asks for the lock and never steals it', async () => {
    const request = vi.fn(async () => {})
    await turnsOn(locksOf(request)).take(never)
    expect(request.mock.calls).toEqual([
      ['shop', { signal: expect.any(AbortSignal) as unknown }, expect.any(Function) as unknown],
    ])
  })

  it('gives the turn at once where there are no locks', async () => {
    const end = await turnsOn(undefined).take(never)
    end()
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each([
    ['throws', () => thrower('SecurityError')],
    ['rejects in an opaque origin', async () => thrower('SecurityError')],
    ['rejects in a document that closes', async () => thrower('InvalidStateError')],
    // supabase/supabase-js#2620: a raw AbortError came out of the lock.
    ['rejects with an AbortError', async () => thrower('AbortError')],
    ['returns nothing', () => undefined],
    ['resolves without a lock', async () => undefined],
  ])('gives the turn at once where request() %s', async (_, request) => {
    const end = await turnsOn(locksOf(request)).take(never)
    end()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('passes the turn on when it ends, and only once', async () => {
    const { origin, first, second, third } = tabsWithTurns(3)
    const turns = [first, second, third].map((tab) => watched(tab.turns.take(never)))
    await settle()
    turns[0]?.end()
    turns[0]?.end()
    await settle()
    turns[0]?.end()
    await settle()
    expect(turns.map(({ began }) => began)).toEqual([true, true, false])
    turns[1]?.end()
    await settle()
    turns[2]?.end()
    await settle()
    expect(origin.census().heldLocks).toBe(0)
  })

  it('leaves the queue when the caller gives up', async () => {
    const { origin, first, second, third } = tabsWithTurns(3)
    const [holder] = await Promise.all([first.turns.take(never), settle()])
    const caller = new AbortController()
    const gaveUp = rejection(second.turns.take(caller.signal))
    const next = watched(third.turns.take(never))
    await vi.advanceTimersByTimeAsync(100)
    caller.abort(new Error('signed out'))
    expect(await gaveUp).toEqual(new Error('signed out'))
    expect(origin.census()).toMatchObject({ heldLocks: 1, waitingLocks: 1 })
    holder()
    await settle()
    expect(next.began).toBe(true)
    next.end()
    await settle()
  })

  it('asks for nothing when the caller has given up before', async () => {
    const request = vi.fn(async () => {})
    const reason = new Error('signed out')
    const turn = turnsOn(locksOf(request)).take(AbortSignal.abort(reason))
    expect(await rejection(turn)).toBe(reason)
    expect(await rejection(turnsOn(undefined).take(AbortSignal.abort(reason)))).toBe(reason)
    expect(request).not.toHaveBeenCalled()
  })

  // auth0/auth0-spa-js#275: a lock that was not released after an error.
  it('gives the lock back when the signal aborts, even if nobody ends the turn', async () => {
    const { origin, first } = tabsWithTurns(3)
    const caller = new AbortController()
    const turn = watched(first.turns.take(caller.signal))
    await settle()
    expect([turn.began, origin.census().heldLocks]).toEqual([true, 1])
    caller.abort()
    await settle()
    expect(origin.census().heldLocks).toBe(0)
  })

  // supabase/supabase-js#2111: orphaned locks. Here the grant was already on its way when the tab gave up.
  it.each([
    ['the limit has passed', (): void => {}],
    ['the caller has given up', (caller: AbortController) => caller.abort()],
  ])('gives a lock back at once that comes after %s', async (_, giveUp) => {
    let grant: (() => unknown) | undefined
    const locks = locksOf((_name: string, _options: object, callback: () => unknown) => {
      grant = callback
      return new Promise(() => {})
    })
    const caller = new AbortController()
    const over = turnsOn(locks)
      .take(caller.signal)
      .then(
        () => 'went on',
        () => 'gave up',
      )
    giveUp(caller)
    await vi.advanceTimersByTimeAsync(TURN_LIMIT)
    await over
    // Who returns no promise holds the lock no longer.
    expect(grant?.()).toBeUndefined()
  })

  // workos/authkit-js PR #117: a wait that a machine's sleep turned into a failed request.
  it('goes on after hours of sleep in the middle of a wait', async () => {
    const { origin, first, second } = tabsWithTurns(3)
    const [holder] = await Promise.all([first.turns.take(never), settle()])
    first.tab.freeze()
    second.tab.freeze()
    const turn = watched(second.turns.take(never))
    await vi.advanceTimersByTimeAsync(8 * HOUR)
    second.tab.thaw()
    first.tab.thaw()
    holder()
    await settle()
    expect([turn.began, origin.census()]).toEqual([
      true,
      expect.objectContaining({ heldLocks: 0, waitingLocks: 0 }),
    ])
  })

  it('does not mind that somebody else steals its lock', async () => {
    let rob: ((reason: unknown) => void) | undefined
    const locks = locksOf((_name: string, _options: object, callback: () => unknown) => {
      void callback()
      return new Promise((_resolve, reject) => {
        rob = reject
      })
    })
    const end = await turnsOn(locks).take(never)
    rob?.(new DOMException('stolen', 'AbortError'))
    await settle()
    expect(end).not.toThrow()
  })

  it('is given the turn when the tab before it closes', async () => {
    const { first, second } = tabsWithTurns(3)
    await Promise.all([first.turns.take(new AbortController().signal), settle()])
    const turn = watched(second.turns.take(never))
    await settle()
    expect(turn.began).toBe(false)
    first.tab.close()
    await settle()
    expect(turn.began).toBe(true)
    turn.end()
    await settle()
  })

  it('leaves no listener on the signal', async () => {
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, 'addEventListener')
    const removed = vi.spyOn(signal, 'removeEventListener')
    const { first } = tabsWithTurns(3)
    const [end] = await Promise.all([first.turns.take(signal), settle()])
    expect(added).toHaveBeenCalledTimes(1)
    end()
    await settle()
    expect(removed).toHaveBeenCalledWith('abort', added.mock.calls[0]?.[1])
  })

  it('lets everybody in within 250 ms and leaves nothing behind, whatever tabs do', async () => {
    const step = fc.record({
      tab: fc.nat(3),
      action: fc.constantFrom('take', 'end', 'abort', 'freeze', 'thaw', 'close'),
      wait: fc.constantFrom(0, 0, 1, 40, 249, 250, 300),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.constantFrom(0, 5, 260),
        async (steps, lockDelay) => {
          const { origin, tabs } = tabsWithTurns(4, { lockDelay: () => lockDelay })
          const takes: {
            tab: number
            at: number
            caller: AbortController
            settled: number | null
            end: () => void
          }[] = []
          for (const { tab, action, wait } of steps) {
            const chosen = tabs[tab]
            if (action === 'take' && chosen) {
              const caller = new AbortController()
              const take = { tab, at: Date.now(), caller, settled: null as number | null, end() {} }
              takes.push(take)
              chosen.turns.take(caller.signal).then(
                (end) => {
                  take.settled = Date.now()
                  take.end = end
                },
                () => {
                  take.settled = Date.now()
                },
              )
            } else if (action === 'end') {
              takes.find((take) => take.tab === tab)?.end()
            } else if (action === 'abort') {
              takes.find((take) => take.tab === tab)?.caller.abort()
            } else if (action !== 'take') {
              chosen?.tab[action]()
            }
            await vi.advanceTimersByTimeAsync(wait)
          }
          await vi.advanceTimersByTimeAsync(TURN_LIMIT)
          for (const { at, settled } of takes) {
            expect((settled ?? Infinity) - at).toBeLessThanOrEqual(TURN_LIMIT)
          }
          for (const [index, take] of takes.entries()) {
            if (index % 2 === 0) take.end()
            else take.caller.abort()
          }
          await vi.advanceTimersByTimeAsync(2 * 260)
          expect(origin.census()).toMatchObject({ heldLocks: 0, waitingLocks: 0 })
          expect(vi.getTimerCount()).toBe(0)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('createTurns on the real Web Locks', () => {
  const held = async (name: string): Promise<number> => {
    const { held: all = [], pending = [] } = await navigator.locks.query()
    return [...all, ...pending].filter((lock) => lock.name === name).length
  }

  it('lets callers in one after another and holds nothing afterwards', async () => {
    const name = 'turns-in-order'
    const turns = [turnsOn(navigator.locks, name), turnsOn(navigator.locks, name)]
    const log: string[] = []
    await Promise.all(
      turns.map(async (own, index) => {
        const end = await own.take(never)
        log.push(`in ${index}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
        log.push(`out ${index}`)
        end()
      }),
    )
    expect(log).toEqual(['in 0', 'out 0', 'in 1', 'out 1'])
    await vi.waitFor(async () => expect(await held(name)).toBe(0))
  })

  it('goes on beside a holder that never lets go, and holds nothing when it does', async () => {
    const name = 'turns-frozen'
    let free = (): void => {}
    const holding = navigator.locks.request(
      name,
      () =>
        new Promise<void>((resolve) => {
          free = resolve
        }),
    )
    await vi.waitFor(async () => expect(await held(name)).toBe(1))
    const started = performance.now()
    const ends = await Promise.all([1, 2, 3].map(() => turnsOn(navigator.locks, name).take(never)))
    expect(performance.now() - started).toBeGreaterThan(TURN_LIMIT - 5)
    for (const end of ends) end()
    free()
    await holding
    // Node keeps a request in its list until its turn comes; browsers take it out at once.
    await vi.waitFor(async () => expect(await held(name)).toBe(0))
  })

  it('gives up and gives back by the signal', async () => {
    const name = 'turns-abort'
    const [holder, waiter] = [new AbortController(), new AbortController()]
    await turnsOn(navigator.locks, name).take(holder.signal)
    const waiting = rejection(turnsOn(navigator.locks, name).take(waiter.signal))
    waiter.abort(new Error('signed out'))
    expect(await waiting).toEqual(new Error('signed out'))
    holder.abort()
    await vi.waitFor(async () => expect(await held(name)).toBe(0))
  })
})

function thrower(name: string): never {
  throw new DOMException('not here', name)
}
