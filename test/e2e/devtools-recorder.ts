/** What a recorder in the page has seen of one store. */
export interface RecordedStore {
  readonly name: string
  readonly actions: unknown[]
  readonly states: unknown[]
}

/**
 * Runs in the page before anything else and stands in for the Redux DevTools extension, which Redux Toolkit and Zustand's
 * `devtools` report to: it writes down every action and every state.
 */
export function installDevtoolsRecorder(): void {
  type Reducer = (state: unknown, action: unknown) => unknown
  type CreateStore = (reducer: Reducer, preloaded?: unknown) => unknown
  const stores: { name: string; actions: unknown[]; states: unknown[] }[] = []
  const record = (name: string) => {
    const store = { name, actions: [] as unknown[], states: [] as unknown[] }
    stores.push(store)
    return store
  }
  const recorder = (createStore: CreateStore): CreateStore => {
    const store = record('redux')
    return (reducer, preloaded) =>
      createStore((state, action) => {
        const next = reducer(state, action)
        store.actions.push(action)
        store.states.push(next)
        return next
      }, preloaded)
  }
  Object.assign(window, {
    __RECORDED_STORES__: stores,
    __REDUX_DEVTOOLS_EXTENSION_COMPOSE__:
      () =>
      (...enhancers: ((createStore: CreateStore) => CreateStore)[]) =>
      (createStore: CreateStore) =>
        enhancers.reduceRight((create, enhance) => enhance(create), recorder(createStore)),
    __REDUX_DEVTOOLS_EXTENSION__: {
      connect: ({ name }: { name?: string }) => {
        const store = record(name ?? 'zustand')
        return {
          init: (state: unknown) => store.states.push(state),
          send: (action: unknown, state: unknown) => {
            store.actions.push(action)
            store.states.push(state)
          },
          subscribe: () => () => {},
        }
      },
    },
  })
}
