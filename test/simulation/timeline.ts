/** Virtual time: nothing happens between two pieces of work, so hours cost nothing. */
export interface Timeline {
  /** Epoch milliseconds, the true time of the simulated world. */
  readonly now: number
  /** Does the work once the span (milliseconds) has passed. Returns what calls it off. */
  after(span: number, work: () => void): () => void
  /** Does what is due up to `until`, in order, and waits for `settle` after each piece of work. */
  runUntil(until: number, settle: () => Promise<void>): Promise<void>
}

interface Work {
  readonly time: number
  readonly order: number
  work: (() => void) | null
}

const isBefore = (one: Work, other: Work): boolean =>
  one.time < other.time || (one.time === other.time && one.order < other.order)

export function createTimeline(start: number): Timeline {
  const heap: Work[] = []
  let now = start
  let order = 0

  function push(entry: Work): void {
    let index = heap.push(entry) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(entry, heap[parent] as Work)) break
      heap[index] = heap[parent] as Work
      index = parent
    }
    heap[index] = entry
  }

  function pop(): Work {
    const first = heap[0] as Work
    const last = heap.pop() as Work
    if (heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = index * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Work, heap[child] as Work)) child++
      if (!isBefore(heap[child] as Work, last)) break
      heap[index] = heap[child] as Work
      index = child
    }
    heap[index] = last
    return first
  }

  return {
    get now() {
      return now
    },
    after(span, work) {
      const entry: Work = { time: now + Math.max(0, Math.ceil(span)), order: (order += 1), work }
      push(entry)
      return () => {
        entry.work = null
      }
    },
    async runUntil(until, settle) {
      while (heap.length > 0 && (heap[0] as Work).time <= until) {
        const { time, work } = pop()
        if (work === null) continue
        now = time
        work()
        await settle()
      }
      now = until
    },
  }
}
