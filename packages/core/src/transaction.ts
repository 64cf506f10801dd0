import { createListeners, type Listeners } from './listeners.ts'
import type { StoreAdapter } from './adapter.ts'
import { reduce, type AuthSnapshot, type BridgeEvent } from './state.ts'

/** Who is told what happened, in this order: adapters (stores), readers (remotes), everybody else. */
export interface Transactions {
  readonly snapshot: AuthSnapshot
  readonly readers: Listeners<BridgeEvent>
  readonly events: Listeners<BridgeEvent>
  attach(adapter: StoreAdapter): () => void
  /**
   * Runs `change` and tells everybody about the event it returns (`null`: nothing happened). A change asked for by
   * somebody who is just being told waits until all have been told: each sees every event once and in order.
   */
  run(change: () => BridgeEvent | null): void
}

export function createTransactions(
  initial: AuthSnapshot,
  reportFault: (fault: unknown) => void,
): Transactions {
  const adapters = createListeners<BridgeEvent>(reportFault)
  const readers = createListeners<BridgeEvent>(reportFault)
  const events = createListeners<BridgeEvent>(reportFault)
  const waiting: (() => BridgeEvent | null)[] = []
  let snapshot = initial
  let running = false

  function run(change: () => BridgeEvent | null): void {
    waiting.push(change)
    if (running) return
    running = true
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const event = next()
        if (event === null) continue
        Object.freeze(event)
        snapshot = reduce(snapshot, event)
        adapters.emit(event)
        readers.emit(event)
        events.emit(event)
      }
    } finally {
      running = false
      // A change that throws does not hold up those behind it.
      const next = waiting.shift()
      if (next !== undefined) run(next)
    }
  }

  return {
    get snapshot() {
      return snapshot
    },
    readers,
    events,
    attach: (adapter) => adapters.add((event) => adapter.apply(event, snapshot)),
    run,
  }
}
