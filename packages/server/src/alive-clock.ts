/**
 * Timeouts that count only the time in which this process gets to do something. When thousands of requests come in the
 * same moment, none of them is served for seconds, and no answer read: by the clock on the wall everything would be over
 * before it began.
 */
export interface AliveClock {
  /** Calls `task` when `span` (milliseconds) have been lived through. Returns a way to call it off. */
  after(span: number, task: () => void): () => void
}

/** Milliseconds between two looks; and what a look counts at most, however late it is. */
const TICK = 100
const MOST = 400

/** How many tasks a look calls at most: when thousands are due, their work must not stop everything else again. */
const BATCH = 200

/** A clock that ticks while somebody waits. */
export function createAliveClock(): AliveClock {
  const waiting = new Set<{ readonly due: number; readonly task: () => void }>()
  let lived = 0
  let lookedAt = 0
  let timer: ReturnType<typeof setInterval> | undefined

  function look(): void {
    const now = performance.now()
    lived += Math.min(now - lookedAt, MOST)
    lookedAt = now
    let left = BATCH
    for (const each of waiting) {
      if (each.due > lived) continue
      waiting.delete(each)
      each.task()
      left -= 1
      if (left === 0) break
    }
    rest()
  }

  function rest(): void {
    if (waiting.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return Object.freeze<AliveClock>({
    after(span, task) {
      if (timer === undefined) {
        lookedAt = performance.now()
        timer = setInterval(look, TICK)
      }
      const mine = { due: lived + span, task }
      waiting.add(mine)
      return () => {
        waiting.delete(mine)
        rest()
      }
    },
  })
}
