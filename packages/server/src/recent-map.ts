/** A map that remembers a bounded number of entries: what was not used for long is forgotten first. */
export interface RecentMap<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
  delete(key: string): void
}

/**
 * Two halves: what was used since the younger one began, and what was used before. When the younger one is full, the
 * older one is forgotten. So a read of what is in use moves nothing.
 *
 * @param most - entries. The half that was used last is never forgotten.
 */
export function createRecentMap<Value>(most: number): RecentMap<Value> {
  let young = new Map<string, Value>()
  let old = new Map<string, Value>()

  function set(key: string, value: Value): void {
    if (young.size >= most / 2 && !young.has(key)) {
      old = young
      young = new Map()
    }
    young.set(key, value)
  }

  return Object.freeze<RecentMap<Value>>({
    get(key) {
      const value = young.get(key)
      if (value !== undefined) return value
      const former = old.get(key)
      if (former !== undefined) set(key, former)
      return former
    },
    set,
    delete(key) {
      young.delete(key)
      old.delete(key)
    },
  })
}
