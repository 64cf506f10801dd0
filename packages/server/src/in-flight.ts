/** Knows the work under way, so that a server that stops can wait for its end. */
export interface InFlight {
  track<T>(task: () => Promise<T>): Promise<T>
  /** Resolves when there is none, also none that began meanwhile. */
  settled(): Promise<void>
}

export function createInFlight(): InFlight {
  let running = 0
  let waiting: (() => void)[] = []

  async function settled(): Promise<void> {
    if (running === 0) return
    await new Promise<void>((resolve) => waiting.push(resolve))
    await settled()
  }

  return Object.freeze<InFlight>({
    async track(task) {
      running += 1
      try {
        return await task()
      } finally {
        running -= 1
        if (running === 0) {
          for (const wake of waiting) wake()
          waiting = []
        }
      }
    },
    settled,
  })
}
