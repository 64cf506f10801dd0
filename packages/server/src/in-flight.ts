/** Knows the work under way, so that a server that stops can wait for its end. */
export interface InFlight {
  track<T>(task: () => Promise<T>): Promise<T>
  /** Resolves when there is none, also none that began meanwhile. */
  settled(): Promise<void>
}

export function createInFlight(): InFlight {
  const tasks = new Set<Promise<unknown>>()

  return Object.freeze<InFlight>({
    track(task) {
      const running = task().finally(() => tasks.delete(running))
      tasks.add(running)
      return running
    },
    async settled() {
      while (tasks.size > 0) await Promise.allSettled(tasks)
    },
  })
}
