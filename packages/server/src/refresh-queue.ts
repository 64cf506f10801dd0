import { createAliveClock } from './alive-clock.ts'

/** Lets a limited number of tasks run at once; who has waited too long is turned away. */
export interface RefreshQueue {
  /** Resolves with a way to leave when it is one's turn; with `undefined` after `patience` in vain (milliseconds in which the process was alive). */
  enter(patience: number): Promise<(() => void) | undefined>
}

/** @param places - how many may be in at once. First come, first served. */
export function createRefreshQueue(places: number): RefreshQueue {
  const clock = createAliveClock()
  const waiting = new Set<(place: () => void) => void>()
  let free = places

  /** A place can be left once. */
  function place(): () => void {
    let isLeft = false
    return () => {
      if (isLeft) return
      isLeft = true
      const [next] = waiting
      if (next === undefined) free += 1
      else next(place())
    }
  }

  return Object.freeze<RefreshQueue>({
    async enter(patience) {
      if (free > 0) {
        free -= 1
        return place()
      }
      return new Promise((resolve) => {
        const callOff = clock.after(patience, () => {
          waiting.delete(turn)
          resolve(undefined)
        })
        const turn = (mine: () => void) => {
          waiting.delete(turn)
          callOff()
          resolve(mine)
        }
        waiting.add(turn)
      })
    },
  })
}
