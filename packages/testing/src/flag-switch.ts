import type { FlagStream } from '@token-bridge/core'

/** A kill switch under the test's own hand. */
export interface FlagSwitch {
  /** For `createTokenBridge({ enabled })`. */
  readonly flag: FlagStream
  set(enabled: boolean): void
}

export function flagSwitch(): FlagSwitch {
  const observers = new Set<(enabled: boolean) => void>()
  let value = true
  return Object.freeze({
    flag: {
      subscribe({ next }: { next: (enabled: boolean) => void }) {
        observers.add(next)
        next(value)
        return { unsubscribe: () => observers.delete(next) }
      },
    },
    set(enabled: boolean) {
      value = enabled
      for (const next of observers) next(enabled)
    },
  })
}
