import type { BridgeEvent, SecureTokenBridge } from '@token-bridge/core'

export interface LoggedEvent {
  readonly id: number
  readonly event: BridgeEvent
}

export interface EventLog {
  /** Newest first. */
  readonly entries: () => readonly LoggedEvent[]
  readonly subscribe: (listener: () => void) => () => void
}

const KEPT = 40

/** Keeps the bridge's last events. They hold no token, so they may be shown to anybody. */
export function createEventLog(bridge: SecureTokenBridge): EventLog {
  const listeners = new Set<() => void>()
  let entries: readonly LoggedEvent[] = []
  let id = 0
  bridge.events$.subscribe((event) => {
    entries = [{ id: ++id, event }, ...entries].slice(0, KEPT)
    for (const listener of listeners) listener()
  })
  return Object.freeze<EventLog>({
    entries: () => entries,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  })
}
