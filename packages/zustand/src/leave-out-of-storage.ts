/** What is used of the interface that `persist` adds to a store. */
interface Persist {
  setOptions(options: PersistOptions): void
  getOptions(): PersistOptions
}

interface PersistOptions {
  storage?: Storage | undefined
}

interface Storage {
  getItem(name: string): unknown
  setItem(name: string, value: { readonly state: unknown }): unknown
  removeItem(name: string): unknown
}

/**
 * Keeps the key `auth` out of what the `persist` middleware stores, inside or outside of ours, with a `partialize` of the
 * app's or without. It is token-free, but what has been stored comes back into another session.
 *
 * @param isQuiet - whether nothing but the key has changed: then nothing is stored, for it would be this tab's past over
 * what another tab has stored since.
 */
export function leaveOutOfStorage(api: object, isQuiet: () => boolean): void {
  const guarded = (storage: Storage): Storage => ({
    getItem: (name) => storage.getItem(name),
    setItem: (name, value) =>
      isQuiet() ? undefined : storage.setItem(name, { ...value, state: withoutKey(value.state) }),
    removeItem: (name) => storage.removeItem(name),
  })

  // `persist` announces itself here after it has called what is inside of it, and before it reads anything.
  Object.defineProperty(api, 'persist', {
    configurable: true,
    set(persist: Persist) {
      const { setOptions } = persist
      persist.setOptions = (options) =>
        setOptions(options.storage ? { ...options, storage: guarded(options.storage) } : options)
      persist.setOptions({ storage: persist.getOptions().storage })
      Object.defineProperty(api, 'persist', {
        value: persist,
        configurable: true,
        enumerable: true,
        writable: true,
      })
    },
  })
}

/** What was given, or a copy of it when it has the key. */
export function withoutKey(stored: unknown): unknown {
  if (typeof stored !== 'object' || stored === null || !('auth' in stored)) return stored
  const { auth: _, ...others } = stored
  return others
}
