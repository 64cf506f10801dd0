/** What is used of the interface that `persist` adds to a store. */
interface Persist {
  setOptions(options: PersistOptions): void
  getOptions(): PersistOptions
}

interface PersistOptions {
  partialize?: (state: unknown) => unknown
}

/**
 * Keeps the key `auth` out of what the `persist` middleware stores, inside or outside of ours, with a `partialize` of the
 * app's or without. It is token-free, but what has been stored comes back into another session.
 */
export function leaveOutOfStorage(api: object): void {
  // `persist` announces itself here after it has called what is inside of it, and before it reads or writes anything.
  Object.defineProperty(api, 'persist', {
    configurable: true,
    set(persist: Persist) {
      const { setOptions, getOptions } = persist
      persist.setOptions = ({ partialize, ...options }) =>
        setOptions(
          partialize === undefined ? options : { ...options, partialize: withoutKey(partialize) },
        )
      persist.setOptions({ partialize: getOptions().partialize ?? ((state) => state) })
      Object.defineProperty(api, 'persist', {
        value: persist,
        configurable: true,
        enumerable: true,
        writable: true,
      })
    },
  })
}

function withoutKey(partialize: (state: unknown) => unknown): (state: unknown) => unknown {
  return (state) => {
    const stored = partialize(state)
    if (typeof stored !== 'object' || stored === null || !('auth' in stored)) return stored
    const { auth: _, ...others } = stored
    return others
  }
}
