/** A map that remembers a bounded number of entries: the one not used for longest is forgotten first. */
export interface RecentMap<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  delete(key: string): void
}

/** @param most - entries. */
export function createRecentMap<Value>(most: number): RecentMap<Value> {
  // A map's order is that of insertion; who is used is inserted anew.
  const entries = new Map<string, Value>()

  function set(key: string, value: Value): void {
    entries.delete(key)
    entries.set(key, value)
    if (entries.size <= most) return
    for (const oldest of entries.keys()) {
      entries.delete(oldest)
      return
    }
  }

  return Object.freeze<RecentMap<Value>>({
    get(key) {
      const value = entries.get(key)
      if (value !== undefined) set(key, value)
      return value
    },
    set,
    delete: (key) => void entries.delete(key),
  })
}
