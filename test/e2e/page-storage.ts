/**
 * Runs in the page: everything that any script of the origin can read without being handed it, as text. What hangs on
 * `window` is followed as far as data goes; elements, frames and functions are left out.
 */
export async function readPageStorage(): Promise<Record<string, string>> {
  const seen = new Set<unknown>()
  const text = (value: unknown, depth: number): string => {
    if (typeof value === 'string') return value
    if (typeof value !== 'object' || value === null || depth === 0 || seen.has(value)) return ''
    if (value instanceof Node || value === window || value instanceof CSSStyleDeclaration) return ''
    seen.add(value)
    if (value instanceof Map || value instanceof Set)
      return [...value.entries()].map((entry) => text(entry, depth - 1)).join('\n')
    return Reflect.ownKeys(value)
      .map((key) => {
        try {
          return `${String(key)}=${text((value as Record<PropertyKey, unknown>)[key], depth - 1)}`
        } catch {
          return ''
        }
      })
      .join('\n')
  }
  const databases = await Promise.all(
    (await indexedDB.databases()).map(
      ({ name = '' }) =>
        new Promise<string>((resolve, reject) => {
          const opening = indexedDB.open(name)
          opening.addEventListener('error', () => reject(opening.error ?? new Error(name)))
          opening.addEventListener('success', () => {
            const database = opening.result
            const names = [...database.objectStoreNames]
            if (names.length === 0) return resolve(name)
            const reading = database
              .transaction(names)
              .objectStore(names[0] as string)
              .getAll()
            reading.addEventListener('success', () =>
              resolve(name + JSON.stringify(reading.result)),
            )
          })
        }),
    ),
  )
  const caches = await Promise.all(
    (await globalThis.caches.keys()).map(async (name) => {
      const cache = await globalThis.caches.open(name)
      const answers = await Promise.all(
        (await cache.keys()).map(async (key) => (await cache.match(key))?.text()),
      )
      return name + answers.join('\n')
    }),
  )
  return {
    localStorage: JSON.stringify(Object.entries(localStorage)),
    sessionStorage: JSON.stringify(Object.entries(sessionStorage)),
    indexedDB: databases.join('\n'),
    caches: caches.join('\n'),
    cookie: document.cookie,
    url: location.href,
    history: JSON.stringify(history.state),
    windowName: window.name,
    html: document.documentElement.outerHTML,
    window: Object.getOwnPropertyNames(window)
      .filter((name) => name !== '__RECORDED_STORES__')
      .map((name) => {
        try {
          return `${name}=${text((window as unknown as Record<string, unknown>)[name], 4)}`
        } catch {
          return name
        }
      })
      .join('\n'),
  }
}
