import type { Store } from '@reduxjs/toolkit'
import {
  createRefusals,
  createStoreView,
  harmless,
  type ReadOnlyStoreOptions,
} from '@token-bridge/core/store-view'

/**
 * A view of a store that a remote can give to react-redux's `<Provider>`: it reads and subscribes, and that is all. What
 * it reads are frozen copies of the state's data, so changing them changes nothing in the host, and a listener that throws
 * does not reach the host's `dispatch`.
 *
 * @param owner - whose store it is: with it an attempt to write is also reported, by the remote's name.
 * @throws ReadOnlyStoreError from `dispatch` and `replaceReducer`.
 * @example
 * mount(element, { auth: bridge.reader('orders'), store: readOnlyStore(store, { bridge, remote: 'orders' }) })
 */
export function readOnlyStore<State>(
  store: Pick<Store<State>, 'getState' | 'subscribe'>,
  owner?: ReadOnlyStoreOptions,
): Store<State> {
  const view = createStoreView()
  const refuse = createRefusals(owner)
  const getState = (): State => view(store.getState())
  const subscribe = (listener: () => void) => store.subscribe(harmless(listener))
  const observable = () => ({
    subscribe(observer: { next?: (state: State) => void }) {
      const tell = harmless(() => observer.next?.(getState()))
      tell()
      return { unsubscribe: subscribe(tell) }
    },
    [observableKey]: observable,
  })
  return Object.freeze({
    __proto__: null,
    getState,
    subscribe,
    dispatch: refuse('dispatch'),
    replaceReducer: refuse('replaceReducer'),
    [observableKey]: observable,
  }) as unknown as Store<State>
}

/** The key that Redux itself uses: the symbol where a library has defined it, else this string. */
const observableKey: PropertyKey =
  (Symbol as { readonly observable?: symbol }).observable ?? '@@observable'
