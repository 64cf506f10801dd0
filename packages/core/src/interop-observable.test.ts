import { firstValueFrom, from, lastValueFrom, take, toArray } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'
import { interopObservable, type Sink } from './interop-observable.ts'

/** An observable whose producer can be played by hand. `first`: what it delivers before `subscribe` returns. */
function played<T>(first: (sink: Sink<T>) => void = () => {}) {
  const faults: unknown[] = []
  const sinks: Sink<T>[] = []
  const teardown = vi.fn()
  const observable = interopObservable<T>(
    (sink) => {
      sinks.push(sink)
      first(sink)
      return teardown
    },
    (fault) => void faults.push(fault),
  )
  const next = (value: T): void => sinks.forEach((sink) => sink.next(value))
  const error = (fault: unknown): void => sinks.forEach((sink) => sink.error(fault))
  return { observable, faults, sinks, teardown, next, error }
}

describe('interopObservable', () => {
  it('delivers to a function or to an observer, until unsubscribed', () => {
    const { observable, next, teardown } = played<number>()
    const byFunction: number[] = []
    const byObserver: number[] = []
    const one = observable.subscribe((value) => byFunction.push(value))
    const two = observable.subscribe({ next: (value) => byObserver.push(value) })
    next(1)
    expect([one.closed, two.closed]).toEqual([false, false])
    one.unsubscribe()
    next(2)
    two.unsubscribe()
    next(3)
    expect([byFunction, byObserver]).toEqual([[1], [1, 2]])
    expect([one.closed, two.closed]).toEqual([true, true])
    expect(teardown).toHaveBeenCalledTimes(2)
  })

  it('tears down once, however often one unsubscribes', () => {
    const { observable, teardown } = played()
    const subscription = observable.subscribe(() => {})
    expect(teardown).not.toHaveBeenCalled()
    subscription.unsubscribe()
    subscription.unsubscribe()
    expect(teardown).toHaveBeenCalledTimes(1)
  })

  it('calls the observer as its own method, and takes one that has none of them', () => {
    const { observable, next, error, faults } = played<number>()
    const observer = {
      seen: [] as number[],
      next(value: number) {
        this.seen.push(value)
      },
    }
    observable.subscribe(observer)
    observable.subscribe({})
    next(1)
    error(new Error('end'))
    expect(observer.seen).toEqual([1])
    expect(faults).toEqual([])
  })

  it('ends the subscription with the error: nothing comes after, and the producer is torn down', () => {
    const { observable, next, error, teardown } = played<number>()
    const seen: unknown[] = []
    const subscription = observable.subscribe({
      next: (value) => seen.push(value),
      error: (fault) => seen.push(['error', fault, subscription.closed]),
    })
    next(1)
    error('end')
    next(2)
    error('again')
    expect(seen).toEqual([1, ['error', 'end', true]])
    expect(teardown).toHaveBeenCalledTimes(1)
  })

  it('takes the error callback as the second argument', () => {
    const { observable, error } = played()
    const seen: unknown[] = []
    observable.subscribe(
      () => {},
      (fault) => seen.push(fault),
    )
    error('end')
    expect(seen).toEqual(['end'])
  })

  it('tears down a producer that errors before subscribe returns', () => {
    const { observable, teardown, next } = played<number>((sink) => sink.error('revoked'))
    const seen: unknown[] = []
    const subscription = observable.subscribe({
      next: (value) => seen.push(value),
      error: (fault) => seen.push(fault),
    })
    next(1)
    expect(seen).toEqual(['revoked'])
    expect(subscription.closed).toBe(true)
    expect(teardown).toHaveBeenCalledTimes(1)
  })

  it('reports a subscriber that throws and goes on delivering to it and to others', () => {
    const { observable, next, error, faults } = played<number>()
    const seen: number[] = []
    observable.subscribe({
      next() {
        throw new Error('next')
      },
      error() {
        throw new Error('error')
      },
    })
    observable.subscribe((value) => seen.push(value))
    next(1)
    next(2)
    error('end')
    expect(seen).toEqual([1, 2])
    expect(faults.map((fault) => (fault as Error).message)).toEqual(['next', 'next', 'error'])
  })

  it('reports an observer whose method is not a function, instead of breaking the producer', () => {
    const { observable, next, faults } = played<number>()
    observable.subscribe({ next: 'no function' as unknown as () => void })
    expect(() => next(1)).not.toThrow()
    expect(faults).toHaveLength(1)
  })

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [5, 'number'],
    ['listener', 'string'],
  ])('refuses %j as an observer, and says what it got', (target, got) => {
    const { observable, sinks } = played()
    expect(() => observable.subscribe(target as unknown as () => void)).toThrow(
      new TypeError(`subscribe() needs a function or an observer { next, error }, got ${got}.`),
    )
    expect(sinks).toHaveLength(0)
  })

  it('is frozen, without a prototype, and so are its subscriptions', () => {
    const { observable } = played()
    const subscription = observable.subscribe(() => {})
    for (const one of [observable, subscription]) {
      expect(Object.isFrozen(one)).toBe(true)
      expect(Object.getPrototypeOf(one)).toBeNull()
    }
    expect(Reflect.ownKeys(subscription)).toEqual(['closed', 'unsubscribe'])
    expect(Reflect.ownKeys(observable)).toEqual(['subscribe', '@@observable'])
  })

  describe('in RxJS', () => {
    it('is taken by from(), which unsubscribes what it subscribed', async () => {
      const { observable, next, teardown, sinks } = played<number>((sink) => sink.next(0))
      const values = lastValueFrom(from(observable).pipe(take(3), toArray()))
      next(1)
      next(2)
      next(3)
      await expect(values).resolves.toEqual([0, 1, 2])
      expect(sinks).toHaveLength(1)
      expect(teardown).toHaveBeenCalledTimes(1)
    })

    it('lets a subscriber leave inside the first synchronous value', async () => {
      const { observable, teardown, next } = played<number>((sink) => {
        sink.next(1)
        sink.next(2)
      })
      await expect(firstValueFrom(from(observable))).resolves.toBe(1)
      expect(teardown).toHaveBeenCalledTimes(1)
      expect(() => next(3)).not.toThrow()
    })

    it('becomes an RxJS error when it errors', async () => {
      const { observable, error } = played()
      const value = firstValueFrom(from(observable))
      error(new Error('revoked'))
      await expect(value).rejects.toThrow('revoked')
    })

    it('gives from() no way to the producer', () => {
      const { observable } = played()
      const outer = from(observable) as unknown as Record<string, unknown>
      expect(outer['source']).toBeUndefined()
      expect(outer['operator']).toBeUndefined()
    })
  })

  it('answers to Symbol.observable where one exists when it is made', () => {
    const key = Symbol('observable')
    Object.defineProperty(Symbol, 'observable', { value: key, configurable: true })
    try {
      const { observable } = played()
      const keyed = observable as unknown as Record<PropertyKey, () => unknown>
      expect(keyed[key]?.()).toBe(observable)
      expect(keyed['@@observable']?.()).toBe(observable)
    } finally {
      Reflect.deleteProperty(Symbol, 'observable')
    }
  })
})
