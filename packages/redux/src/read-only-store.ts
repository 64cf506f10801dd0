import type { Store } from '@reduxjs/toolkit'
import { ReadOnlyStoreError } from '@token-bridge/core/errors'

/**
 * A view of a store that a remote can give to react-redux's `<Provider>`: it reads and subscribes, and that is all.
 *
 * @throws ReadOnlyStoreError from `dispatch` and `replaceReducer`.
 */
export function readOnlyStore<State>(
  store: Pick<Store<State>, 'getState' | 'subscribe'>,
): Store<State> {
  const { getState, subscribe } = store
  const refuse = (method: string) => (): never => {
    throw new ReadOnlyStoreError(method)
  }
  const observable = () => ({
    subscribe(observer: { next?: (state: State) => void }) {
      const tell = (): void => observer.next?.(getState())
      tell()
      return { unsubscribe: subscribe(tell) }
    },
    [observableKey]: observable,
  })
  return Object.freeze({
    __proto__: null,
    getState: () => getState(),
    subscribe: (listener: () => void) => subscribe(listener),
    dispatch: refuse('dispatch'),
    replaceReducer: refuse('replaceReducer'),
    [observableKey]: observable,
  }) as unknown as Store<State>
}

/** The key that Redux itself uses: the symbol where a library has defined it, else this string. */
const observableKey: PropertyKey =
  (Symbol as { readonly observable?: symbol }).observable ?? '@@observable'
