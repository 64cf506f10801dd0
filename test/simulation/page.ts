/** The part of `document` and `window` that hears events. It counts who listens. */
export interface EventSource {
  readonly listeners: number
  addEventListener(type: string, listener: (event: Event) => void): void
  removeEventListener(type: string, listener: (event: Event) => void): void
  /** Calls everybody who listens for the type now. */
  fire(type: string, details?: { readonly persisted?: boolean }): void
}

export function createEventSource(): EventSource {
  let entries: { readonly type: string; readonly listener: (event: Event) => void }[] = []
  return {
    get listeners() {
      return entries.length
    },
    addEventListener(type, listener) {
      const isKnown = entries.some((entry) => entry.type === type && entry.listener === listener)
      if (!isKnown) entries = [...entries, { type, listener }]
    },
    removeEventListener(type, listener) {
      entries = entries.filter((entry) => entry.type !== type || entry.listener !== listener)
    },
    fire(type, details = {}) {
      const event = { type, ...details } as Event & { readonly persisted?: boolean }
      for (const entry of entries) if (entry.type === type) entry.listener(event)
    },
  }
}
