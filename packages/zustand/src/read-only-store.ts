import {
  createRefusals,
  createStoreView,
  harmless,
  type ReadOnlyStoreOptions,
} from '@token-bridge/core/store-view'
import type { StoreApi } from 'zustand/vanilla'

/**
 * A view of a store that a remote can use with `useStore`: it reads and subscribes, and that is all. What it reads are
 * frozen copies of the state's data; the host's own actions, which stand in the state, are left out.
 *
 * @param owner - whose store it is: with it an attempt to write is also reported, by the remote's name.
 * @throws ReadOnlyStoreError from `setState`.
 * @example
 * mount(element, { auth: bridge.reader('orders'), store: readOnlyStore(useHost, { bridge, remote: 'orders' }) })
 */
export function readOnlyStore<State>(
  store: Pick<StoreApi<State>, 'getState' | 'getInitialState' | 'subscribe'>,
  owner?: ReadOnlyStoreOptions,
): StoreApi<State> {
  const view = createStoreView()
  return Object.freeze({
    __proto__: null,
    getState: () => view(store.getState()),
    getInitialState: () => view(store.getInitialState()),
    subscribe: (listener: (state: State, previous: State) => void) =>
      store.subscribe(harmless((state, previous) => listener(view(state), view(previous)))),
    setState: createRefusals(owner)('setState'),
  })
}
