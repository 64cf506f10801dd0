/** What the page has loaded, by the browser's own record, and what of it was ours. */
export interface LoadHistory {
  hasForeign(addresses: readonly string[]): boolean
  add(addresses: readonly string[]): void
}

/** Reads the browser's record of what the page has loaded. */
export function createLoadHistory(): LoadHistory {
  const ours = new Map<string, number>()
  return {
    hasForeign(addresses) {
      const counts = new Map<string, number>()
      for (const entry of performance.getEntriesByType('resource')) {
        const { initiatorType } = entry as PerformanceResourceTiming
        // Whoever only reads the bytes leaves nothing behind that runs.
        if (initiatorType !== 'fetch' && initiatorType !== 'xmlhttprequest')
          counts.set(entry.name, (counts.get(entry.name) ?? 0) + 1)
      }
      return addresses.some((address) => (counts.get(address) ?? 0) > (ours.get(address) ?? 0))
    },
    add(addresses) {
      for (const address of addresses) ours.set(address, (ours.get(address) ?? 0) + 1)
    },
  }
}
