import { ReadOnlyStoreError } from '@token-bridge/core/errors'
import type { StoreApi } from 'zustand/vanilla'

/**
 * A view of a store that a remote can use with `useStore`: it reads and subscribes, and that is all.
 *
 * @throws ReadOnlyStoreError from `setState`.
 */
export function readOnlyStore<State>(
  store: Pick<StoreApi<State>, 'getState' | 'getInitialState' | 'subscribe'>,
): StoreApi<State> {
  const { getState, getInitialState, subscribe } = store
  return Object.freeze({
    __proto__: null,
    getState: () => getState(),
    getInitialState: () => getInitialState(),
    subscribe: (listener: (state: State, previous: State) => void) => subscribe(listener),
    setState(): never {
      throw new ReadOnlyStoreError('setState')
    },
  })
}
