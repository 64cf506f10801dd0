import { ReadOnlyStoreError } from '@token-bridge/core/errors'
import { createStoreView, harmless } from '@token-bridge/core/store-view'
import type { StoreApi } from 'zustand/vanilla'

/**
 * A view of a store that a remote can use with `useStore`: it reads and subscribes, and that is all. What it reads are
 * frozen copies of the state's data; the host's own actions, which stand in the state, are left out.
 *
 * @throws ReadOnlyStoreError from `setState`.
 */
export function readOnlyStore<State>(
  store: Pick<StoreApi<State>, 'getState' | 'getInitialState' | 'subscribe'>,
): StoreApi<State> {
  const view = createStoreView()
  return Object.freeze({
    __proto__: null,
    getState: () => view(store.getState()),
    getInitialState: () => view(store.getInitialState()),
    subscribe: (listener: (state: State, previous: State) => void) =>
      store.subscribe(harmless((state, previous) => listener(view(state), view(previous)))),
    setState(): never {
      throw new ReadOnlyStoreError('setState')
    },
  })
}
