import * as fc from 'fast-check'
import { BehaviorSubject, EMPTY, NEVER, of, Subject, throwError } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { endVirtualTime, recordedEnvironment } from '../fixtures.test.support.ts'
import { interopObservable } from '../interop-observable.ts'
import { DAMPING_WINDOW, MOST_CHANGES } from './damping.ts'
import { watchFlag, type FlagSource, type FlagStream } from './watch-flag.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(endVirtualTime)

type Entry = boolean | 'failure'

function watched(source: FlagSource, heard: (entry: Entry) => void = () => {}) {
  const log: Entry[] = []
  const hear = (entry: Entry): void => {
    log.push(entry)
    heard(entry)
  }
  const watcher = watchFlag(
    source,
    { onValue: hear, onFailure: () => hear('failure') },
    recordedEnvironment(),
  )
  return { log, ...watcher }
}

describe('a constant', () => {
  it.each([true, false])('is %s at once, and once', (enabled) => {
    const { log, recheck, stop } = watched(enabled)
    expect(log).toEqual([enabled])
    recheck()
    stop()
    expect(log).toEqual([enabled])
  })
})

describe('a function', () => {
  function asked(answers: () => boolean) {
    const count = { calls: 0 }
    const source = (): boolean => {
      count.calls += 1
      return answers()
    }
    return { source, count }
  }

  it('is asked at once and then every second, until stopped', () => {
    let enabled = true
    const { source, count } = asked(() => enabled)
    const { log, stop } = watched(source)
    expect(log).toEqual([true])
    vi.advanceTimersByTime(2_000)
    enabled = false
    vi.advanceTimersByTime(1_000)
    expect(log).toEqual([true, false])
    expect(count.calls).toBe(4)
    stop()
    vi.advanceTimersByTime(10_000)
    expect(count.calls).toBe(4)
  })

  it('is asked now on a recheck, and a second after that', () => {
    let enabled = true
    const { source, count } = asked(() => enabled)
    const { log, recheck, stop } = watched(source)
    vi.advanceTimersByTime(600)
    enabled = false
    recheck()
    expect(log).toEqual([true, false])
    vi.advanceTimersByTime(999)
    expect(count.calls).toBe(2)
    vi.advanceTimersByTime(1)
    expect(count.calls).toBe(3)
    stop()
    recheck()
    expect(count.calls).toBe(3)
  })

  it('that throws leaves the last value, says so once, and is heard when it is back', () => {
    let broken = false
    const { log, stop } = watched(() => {
      if (broken) throw new Error('flag service down')
      return false
    })
    broken = true
    vi.advanceTimersByTime(60_000)
    broken = false
    vi.advanceTimersByTime(1_000)
    broken = true
    vi.advanceTimersByTime(2_000)
    stop()
    expect(log).toEqual([false, 'failure', 'failure'])
  })

  it('that throws at once means on, the default, until it can be read', () => {
    let broken = true
    const { log, stop } = watched(() => {
      if (broken) throw new Error('flag service down')
      return false
    })
    expect(log).toEqual(['failure', true])
    broken = false
    vi.advanceTimersByTime(1_000)
    stop()
    expect(log).toEqual(['failure', true, false])
  })

  it('goes on being asked when whoever is told throws, which is no failure of the flag', () => {
    let enabled = true
    const { log, recheck, stop } = watched(
      () => enabled,
      (entry) => {
        if (entry === false) throw new Error('store')
      },
    )
    enabled = false
    expect(recheck).toThrow('store')
    enabled = true
    vi.advanceTimersByTime(1_000)
    stop()
    expect(log).toEqual([true, false, true])
  })

  it('leaves no timer when it is stopped from inside its own answer', () => {
    let enabled = true
    const { source, count } = asked(() => enabled)
    const watcher = watched(source, (entry) => {
      if (entry === false) watcher.stop()
    })
    enabled = false
    vi.advanceTimersByTime(10_000)
    expect(count.calls).toBe(2)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('what is no boolean', () => {
  it.each([
    ['a string', 'false'],
    ['nothing', undefined],
    ['a number', 0],
    ['a promise', Promise.resolve(false)],
  ])('%s is no answer, neither on nor off', (_, answer) => {
    const { log, stop } = watched((() => answer) as unknown as () => boolean)
    stop()
    expect(log).toEqual(['failure', true])
    const flag = new BehaviorSubject<unknown>(false)
    const stream = watched(flag as unknown as FlagSource)
    flag.next(answer)
    stream.stop()
    expect(stream.log).toEqual([false, 'failure'])
  })
})

describe('a stream', () => {
  it('is followed from its current value on, and let go of', () => {
    const flag = new BehaviorSubject(true)
    const { log, stop } = watched(flag)
    expect(log).toEqual([true])
    flag.next(false)
    flag.next(false)
    stop()
    flag.next(true)
    expect(log).toEqual([true, false])
    expect(flag.observed).toBe(false)
  })

  it('may be any observable', () => {
    let tell: (enabled: boolean) => void = () => {}
    const flag = interopObservable<boolean>((sink) => {
      tell = (enabled) => sink.next(enabled)
      return () => {
        tell = () => {}
      }
    }, vi.fn())
    const { log, stop } = watched(flag)
    tell(false)
    stop()
    tell(true)
    expect(log).toEqual([false])
  })

  it('that stays silent is waited for, then said to fail, and the default holds', () => {
    const flag = new Subject<boolean>()
    const { log, stop } = watched(flag)
    vi.advanceTimersByTime(999)
    expect(log).toEqual([])
    vi.advanceTimersByTime(1)
    expect(log).toEqual(['failure', true])
    vi.advanceTimersByTime(60_000)
    flag.next(false)
    flag.error(new Error('flag service down'))
    stop()
    expect(log).toEqual(['failure', true, false, 'failure'])
  })

  it('that speaks in time is not said to fail', () => {
    const flag = new Subject<boolean>()
    const { log, stop } = watched(flag)
    vi.advanceTimersByTime(999)
    flag.next(false)
    vi.advanceTimersByTime(60_000)
    stop()
    expect(log).toEqual([false])
  })

  it.each([
    ['silent', NEVER],
    ['silent and over', EMPTY],
  ])('that is %s leaves no timer when it is stopped', (_, flag) => {
    const { log, stop } = watched(flag)
    stop()
    expect(vi.getTimerCount()).toBe(0)
    expect(log).toEqual([])
  })

  it('keeps its last value when it fails or completes', () => {
    const failing = new Subject<boolean>()
    const first = watched(failing)
    failing.next(false)
    failing.error(new Error('flag service down'))
    const second = watched(of(false))
    vi.advanceTimersByTime(60_000)
    expect(first.log).toEqual([false, 'failure'])
    expect(second.log).toEqual([false])
    first.stop()
    second.stop()
  })

  it('that fails before its first value means on, the default, at once', () => {
    const { log, stop } = watched(throwError(() => new Error('flag service down')))
    expect(log).toEqual(['failure', true])
    stop()
  })

  it('may fail many times and go on: that is said once, until it can be read again', () => {
    let observer: Parameters<FlagStream['subscribe']>[0] | undefined
    const flag: FlagStream = {
      subscribe(given) {
        observer = given
        return { unsubscribe() {} }
      },
    }
    const { log, stop } = watched(flag)
    const down = new Error('flag service down')
    observer?.next(false)
    observer?.error(down)
    observer?.error(down)
    observer?.next(false)
    observer?.error(down)
    observer?.next(true)
    stop()
    observer?.error(down)
    observer?.next(false)
    expect(log).toEqual([false, 'failure', 'failure', true])
  })

  it('is asked on a recheck if it can be, and only while the watch goes on', () => {
    const flag = Object.assign(new BehaviorSubject(true), { recheck: vi.fn() })
    const { recheck, stop } = watched(flag)
    recheck()
    expect(flag.recheck).toHaveBeenCalledTimes(1)
    stop()
    recheck()
    expect(flag.recheck).toHaveBeenCalledTimes(1)
    const without = watched(new BehaviorSubject(true))
    without.recheck()
    without.stop()
    expect(without.log).toEqual([true])
  })

  it('survives a stream that throws wherever it can', () => {
    const broken = (): never => {
      throw new Error('object unsubscribed')
    }
    const closed = watched({ subscribe: broken })
    expect(closed.log).toEqual(['failure', true])
    expect(closed.stop).not.toThrow()
    const rude = watched({
      subscribe(observer) {
        observer.next(false)
        return { unsubscribe: broken }
      },
      recheck: broken,
    })
    rude.recheck()
    expect(rude.stop).not.toThrow()
    expect(rude.log).toEqual([false, 'failure'])
  })
})

describe('stopping from within', () => {
  it('says nothing more: no default after the failure, no second value', () => {
    const flag = new Subject<boolean>()
    const onFailure = watched(flag, (entry) => {
      if (entry === 'failure') onFailure.stop()
    })
    vi.advanceTimersByTime(60_000)
    expect(onFailure.log).toEqual(['failure'])
    const onValue = watched(flag, () => onValue.stop())
    flag.next(true)
    flag.next(false)
    expect(onValue.log).toEqual([true])
    expect(flag.observed).toBe(false)
  })
})

describe('flapping', () => {
  it('passes the first four changes at once, then settles on what the flag says last', () => {
    const flag = new BehaviorSubject(true)
    const { log, stop } = watched(flag)
    for (let change = 0; change < 101; change += 1) {
      flag.next(change % 2 === 1)
      vi.advanceTimersByTime(100)
    }
    expect(log).toEqual([true, false, true, false, true])
    vi.advanceTimersByTime(60_000)
    expect(log).toEqual([true, false, true, false, true, false])
    stop()
  })

  it('that ends where it began passes nothing more, and leaves no timer', () => {
    const flag = new BehaviorSubject(true)
    const { log, stop } = watched(flag)
    for (const enabled of [false, true, false, true, false]) flag.next(enabled)
    expect(vi.getTimerCount()).toBe(1)
    flag.next(true)
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(60_000)
    expect(log).toEqual([true, false, true, false, true])
    stop()
  })

  it('that is stopped in the middle leaves no timer and passes nothing more', () => {
    const flag = new BehaviorSubject(true)
    const { log, stop } = watched(flag)
    for (const enabled of [false, true, false, true, false]) flag.next(enabled)
    stop()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(60_000)
    expect(log).toHaveLength(5)
  })

  it('holds back what the flag said last, even when it cannot be read by then', () => {
    const flag = new BehaviorSubject(true)
    const { log, stop } = watched(flag)
    for (const enabled of [false, true, false, true, false]) flag.next(enabled)
    flag.error(new Error('flag service down'))
    vi.advanceTimersByTime(DAMPING_WINDOW)
    expect(log.slice(5)).toEqual(['failure', false])
    stop()
  })

  it('waits for the whole span when a timer comes early', () => {
    const flag = new BehaviorSubject(true)
    const told: { enabled: boolean; at: number }[] = []
    const environment = recordedEnvironment({
      setTimer: (run, delay) => setTimeout(run, delay / 2),
    })
    const { monotonic } = environment
    const begin = monotonic()
    const { stop } = watchFlag(
      flag,
      {
        onValue: (enabled) => void told.push({ enabled, at: monotonic() - begin }),
        onFailure() {},
      },
      environment,
    )
    for (const enabled of [false, true, false, true, false]) flag.next(enabled)
    vi.advanceTimersByTime(60_000)
    stop()
    expect(told.at(-1)?.enabled).toBe(false)
    expect(told.at(-1)?.at).toBeGreaterThanOrEqual(DAMPING_WINDOW)
  })

  it('is bounded and settles, whatever the flag does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(12_000), fc.boolean()), { minLength: 1, maxLength: 50 }),
        (moves) => {
          const flag = new BehaviorSubject(true)
          const times: number[] = []
          const { log, stop } = watched(flag, () => times.push(Date.now()))
          for (const [gap, enabled] of moves) {
            vi.advanceTimersByTime(gap)
            flag.next(enabled)
          }
          vi.advanceTimersByTime(DAMPING_WINDOW)
          stop()
          expect(log.at(-1)).toBe(flag.value)
          // The first value is no change.
          for (let index = MOST_CHANGES + 1; index < times.length; index += 1) {
            const span = (times[index] as number) - (times[index - MOST_CHANGES] as number)
            expect(span).toBeGreaterThanOrEqual(DAMPING_WINDOW)
          }
          for (let index = 1; index < log.length; index += 1) {
            expect(log[index]).not.toBe(log[index - 1])
          }
        },
      ),
    )
  })
})
