import { BehaviorSubject, NEVER, Subject } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { endVirtualTime, recordedEnvironment } from '../fixtures.test.support.ts'
import { watchFlag, type FlagSource } from './watch-flag.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(endVirtualTime)

function watched(source: FlagSource, onValue: (enabled: boolean) => void = () => {}) {
  const log: (boolean | 'failure')[] = []
  const stop = watchFlag(
    source,
    {
      onValue(enabled) {
        log.push(enabled)
        onValue(enabled)
      },
      onFailure: () => void log.push('failure'),
    },
    recordedEnvironment(),
  )
  return { log, stop }
}

describe('watchFlag', () => {
  it.each([true, false])('reports a constant %s once', (enabled) => {
    const { log, stop } = watched(enabled)
    stop()
    expect(log).toEqual([enabled])
  })

  it('asks a function at once and then every second, until stopped', () => {
    let enabled = true
    let asked = 0
    const { log, stop } = watched(() => {
      asked += 1
      return enabled
    })
    expect(log).toEqual([true])
    vi.advanceTimersByTime(2_000)
    enabled = false
    vi.advanceTimersByTime(1_000)
    expect(log.at(-1)).toBe(false)
    expect(asked).toBe(4)
    stop()
    vi.advanceTimersByTime(10_000)
    expect(asked).toBe(4)
  })

  it('keeps the last value while a function throws, says so once, and hears it when it is back', () => {
    let broken = false
    const { log, stop } = watched(() => {
      if (broken) throw new Error('flag service down')
      return true
    })
    broken = true
    vi.advanceTimersByTime(60_000)
    broken = false
    vi.advanceTimersByTime(1_000)
    broken = true
    vi.advanceTimersByTime(2_000)
    stop()
    expect(log).toEqual([true, 'failure', true, 'failure'])
  })

  it.each([
    ['a string', 'false'],
    ['nothing', undefined],
    ['a promise', Promise.resolve(false)],
  ])('takes %s for no answer, not for "on"', (_, answer) => {
    const { log, stop } = watched((() => answer) as unknown as () => boolean)
    stop()
    expect(log).toEqual(['failure'])
    const stream = watched(new BehaviorSubject(answer) as unknown as FlagSource)
    stream.stop()
    expect(stream.log).toEqual(['failure'])
  })

  it('leaves no timer when it is stopped from inside its own answer', () => {
    let asked = 0
    let stop = (): void => {}
    const watch = watched(
      () => {
        asked += 1
        return asked === 1
      },
      (enabled) => {
        if (!enabled) stop()
      },
    )
    stop = watch.stop
    vi.advanceTimersByTime(10_000)
    expect(asked).toBe(2)
  })

  it('follows a stream from its current value on, and lets go of it', () => {
    const flag = new BehaviorSubject(true)
    const { log, stop } = watched(flag)
    flag.next(false)
    stop()
    flag.next(true)
    expect(log).toEqual([true, false])
    expect(flag.observed).toBe(false)
  })

  it('says nothing while a stream has said nothing', () => {
    const { log, stop } = watched(NEVER)
    expect(log).toEqual([])
    stop()
  })

  it('keeps the last value of a stream that fails or completes', () => {
    const failing = new Subject<boolean>()
    const first = watched(failing)
    failing.next(false)
    failing.error(new Error('flag service down'))
    expect(first.log).toEqual([false, 'failure'])
    const completing = new Subject<boolean>()
    const second = watched(completing)
    completing.next(false)
    completing.complete()
    expect(second.log).toEqual([false])
    first.stop()
    second.stop()
  })

  it('survives a stream that throws when it is subscribed to', () => {
    const closed = {
      subscribe() {
        throw new Error('object unsubscribed')
      },
    }
    const { log, stop } = watched(closed)
    expect(log).toEqual(['failure'])
    expect(stop).not.toThrow()
  })
})
