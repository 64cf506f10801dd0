import type { Environment } from '@token-bridge/core'

/** A realm in which nothing happens by itself: time stands still until it is moved, and no timer ever fires. */
export interface StillEnvironment {
  readonly environment: Partial<Environment>
  /** Epoch milliseconds. */
  now(): number
  /** Moves both clocks forward. @param span - milliseconds. */
  advance(span: number): void
}

export function stillEnvironment(): StillEnvironment {
  let time = Date.now()
  const now = (): number => time
  return Object.freeze({
    environment: Object.freeze({
      wallClock: now,
      monotonic: now,
      setTimer: () => undefined,
      clearTimer: () => {},
      realm: undefined,
      document: undefined,
      window: undefined,
      isOnline: () => true,
      // A test that brings MSW up later still gets its `fetch`.
      fetch: (input, init) => globalThis.fetch(input, init),
    } satisfies Partial<Environment>),
    now,
    advance(span: number) {
      time += span
    },
  })
}
