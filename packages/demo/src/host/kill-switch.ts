import type { FlagStream } from '@token-bridge/core'

/** The kill switch as the bridge reads it: the last known value at once, then each change. */
export interface KillSwitch extends FlagStream {
  /** Asks now instead of at the next turn. */
  ask(): Promise<void>
}

const URL = '/demo/flags.json'
const NAME = 'ENABLE_SECURE_TOKEN_BRIDGE'
const EVERY = 3_000

async function read(): Promise<boolean> {
  const response = await fetch(URL, { cache: 'no-store' })
  const flags = (await response.json()) as Readonly<Record<string, unknown>>
  // Off only when the server says so: a flag service that answers nonsense must not take the session down.
  return flags[NAME] !== false
}

/** Asks the host's server for the switch every few seconds. Resolves when the value is known. */
export async function killSwitch(): Promise<KillSwitch> {
  const observers = new Set<Parameters<FlagStream['subscribe']>[0]>()
  let isEnabled = await read().catch(() => true)

  async function ask(): Promise<void> {
    try {
      const next = await read()
      if (next === isEnabled) return
      isEnabled = next
      for (const observer of observers) observer.next(next)
    } catch {
      // Unreadable: the last known value stays, and the next turn asks again.
    }
  }
  setInterval(() => void ask(), EVERY)

  return Object.freeze<KillSwitch>({
    ask,
    subscribe(observer) {
      observers.add(observer)
      observer.next(isEnabled)
      return { unsubscribe: () => observers.delete(observer) }
    },
  })
}
