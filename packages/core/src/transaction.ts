import { createListeners, type Listeners } from './listeners.ts'
import type { StoreAdapter } from './adapter.ts'
import { reduce, type AuthSnapshot, type BridgeEvent } from './state.ts'

/** Who is told what happened, in this order: adapters (stores), readers (remotes), then other tabs and telemetry. */
export interface Transactions {
  readonly snapshot: AuthSnapshot
  /** A change is being told of: one that is asked for now waits until all have been told. */
  readonly isRunning: boolean
  readonly readers: Listeners<BridgeEvent>
  /** Told last, in the order in which they were added. */
  readonly events: Listeners<BridgeEvent>
  attach(adapter: StoreAdapter): () => void
  /**
   * Runs `change` and tells everybody about the event it returns (`null`: nothing happened). A change asked for by
   * somebody who is just being told waits until all have been told: each sees every event once and in order.
   */
  run(change: () => BridgeEvent | null): void
  /**
   * From now on `events` wait, in order, while adapters and readers go on being told at once. Returns what lets them go;
   * who holds twice lets go twice.
   */
  hold(): () => void
}

export function createTransactions(
  initial: AuthSnapshot,
  reportFault: (fault: unknown) => void,
): Transactions {
  const adapters = createListeners<BridgeEvent>(reportFault)
  const readers = createListeners<BridgeEvent>(reportFault)
  const events = createListeners<BridgeEvent>(reportFault)
  const waiting: (() => BridgeEvent | null)[] = []
  const untold: BridgeEvent[] = []
  let snapshot = initial
  let running = false
  let holds = 0

  function tell(): void {
    // Whoever is told may hold.
    const isHeld = (): boolean => holds > 0
    while (!isHeld() && untold.length > 0) events.emit(untold.shift() as BridgeEvent)
  }

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
        untold.push(event)
        tell()
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
    get isRunning() {
      return running
    },
    readers,
    events,
    attach: (adapter) => adapters.add((event) => adapter.apply(event, snapshot)),
    run,
    hold() {
      holds += 1
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        holds -= 1
        // As a change of nothing: who is told and asks for a change waits for the others.
        run(() => {
          tell()
          return null
        })
      }
    },
  }
}
