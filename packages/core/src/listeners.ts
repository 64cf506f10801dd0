/** A flat list of callbacks. */
export interface Listeners<T> {
  readonly size: number
  /** Adds a callback and returns what removes it; removing twice does no harm. */
  add(listener: (value: T) => void): () => void
  /** Calls everybody in the order they came. Who throws harms nobody else. */
  emit(value: T): void
  clear(): void
}

/**
 * A plain array walked by index: fast at 100,000 listeners, and with no iterator that a patched prototype could answer
 * for. Listeners may come and go while it is being walked.
 */
export function createListeners<T>(reportFault: (fault: unknown) => void): Listeners<T> {
  let entries: { listener: ((value: T) => void) | null }[] = []
  let size = 0
  let walking = 0

  function compact(): void {
    if (walking === 0 && entries.length > size * 2) {
      entries = entries.filter((entry) => entry.listener !== null)
    }
  }

  return {
    get size() {
      return size
    },
    add(listener) {
      const entry: { listener: ((value: T) => void) | null } = { listener }
      entries[entries.length] = entry
      size += 1
      return () => {
        if (entry.listener === null) return
        entry.listener = null
        size -= 1
        compact()
      }
    },
    emit(value) {
      const { length } = entries
      walking += 1
      for (let index = 0; index < length; index += 1) {
        const listener = entries[index]?.listener
        if (!listener) continue
        try {
          listener(value)
        } catch (fault) {
          reportFault(fault)
        }
      }
      walking -= 1
      compact()
    },
    clear() {
      for (const entry of entries) entry.listener = null
      size = 0
      compact()
    },
  }
}
