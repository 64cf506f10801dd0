/** What `subscribe` takes: an observer with any of its methods. */
export interface PartialObserver<T> {
  next?: ((value: T) => void) | undefined
  error?: ((error: unknown) => void) | undefined
  complete?: (() => void) | undefined
}

/** What `subscribe` returns. */
export interface Unsubscribable {
  readonly closed: boolean
  unsubscribe(): void
}

/**
 * The least that observable libraries agree on: RxJS takes it by `from(…)`, so do Redux, XState, Angular, most.js.
 * It is not an RxJS object, because from one of those it is never more than a `.source` to a Subject and its `next()`.
 */
export interface InteropObservable<T> {
  subscribe(
    observer: PartialObserver<T> | ((value: T) => void),
    error?: (error: unknown) => void,
  ): Unsubscribable
  [Symbol.observable](): InteropObservable<T>
}

/** What a producer calls. After `error` nothing more is delivered. */
export interface Sink<T> {
  next(value: T): void
  error(error: unknown): void
}

/**
 * Wraps a producer, which gets a sink and returns its teardown, as a frozen observable without a prototype.
 *
 * @throws TypeError from `subscribe` when its argument is neither a function nor an object.
 */
export function interopObservable<T>(
  produce: (sink: Sink<T>) => () => void,
  reportFault: (fault: unknown) => void,
): InteropObservable<T> {
  function subscribe(
    target: PartialObserver<T> | ((value: T) => void),
    onError?: (error: unknown) => void,
  ): Unsubscribable {
    if (typeof target !== 'function' && (typeof target !== 'object' || target === null)) {
      throw new TypeError(
        `subscribe() needs a function or an observer { next, error }, got ${target === null ? 'null' : typeof target}.`,
      )
    }
    const observer: PartialObserver<T> =
      typeof target === 'function' ? { next: target, error: onError } : target
    let closed = false
    let teardown: (() => void) | null = null
    const unsubscribe = (): void => {
      closed = true
      teardown?.()
      teardown = null
    }
    const guarded = (deliver: () => void): void => {
      try {
        deliver()
      } catch (fault) {
        reportFault(fault)
      }
    }
    const stop = produce({
      next: (value) => {
        if (!closed) guarded(() => observer.next?.(value))
      },
      error: (error) => {
        if (closed) return
        unsubscribe()
        guarded(() => observer.error?.(error))
      },
    })
    // The first value may already have made the subscriber leave.
    if (closed) stop()
    else teardown = stop
    return Object.freeze({
      __proto__: null,
      get closed() {
        return closed
      },
      unsubscribe,
    })
  }

  const observable = Object.create(null) as Record<PropertyKey, unknown>
  const self = (): unknown => observable
  observable['subscribe'] = subscribe
  // Libraries fix their key when they load: the symbol where one exists by then, this string where not.
  observable['@@observable'] = self
  const key = (Symbol as { readonly observable?: symbol }).observable
  if (key !== undefined) observable[key] = self
  return Object.freeze(observable) as unknown as InteropObservable<T>
}
