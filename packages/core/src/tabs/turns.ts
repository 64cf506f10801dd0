import type { Environment } from '../environment.ts'

/** Milliseconds that a tab waits for its turn at most. */
export const TURN_LIMIT = 250

/** Lets tabs ask the server one after another, so that the later ones find the answer ready. Nothing depends on it. */
export interface Turns {
  /**
   * Resolves when it is this tab's turn, and at the latest after {@link TURN_LIMIT}, with what ends the turn. Ending it
   * twice does no harm; the signal ends it too.
   *
   * Rejects only when the signal aborts first, with its reason.
   */
  take(signal: AbortSignal): Promise<() => void>
}

const nothing = (): void => {}

/**
 * Makes turns from the Web Lock of a name; without locks, or where they fail, it is always this tab's turn.
 *
 * It fails open because a lock can be held by a tab that is frozen, and because the server makes one refresh certain.
 * Locks are never stolen: a robbed holder goes on working.
 */
export function createTurns(
  name: string,
  { locks, setTimer, clearTimer }: Pick<Environment, 'locks' | 'setTimer' | 'clearTimer'>,
): Turns {
  function take(lockManager: NonNullable<typeof locks>, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const withdrawal = new AbortController()
      let isOver = false
      let free = nothing
      const end = (): void => {
        isOver = true
        clearTimer(timer)
        signal.removeEventListener('abort', abort)
        free()
        // Takes the request out of the queue; one that was granted is past it.
        withdrawal.abort()
      }
      const goOn = (): void => {
        end()
        resolve(nothing)
      }
      const abort = (): void => {
        end()
        reject(signal.reason as Error)
      }
      // Not AbortSignal.timeout: after sleep it fires before what was due earlier is heard.
      const timer = setTimer(goOn, TURN_LIMIT)
      signal.addEventListener('abort', abort)
      try {
        lockManager
          .request(name, { signal: withdrawal.signal }, () => {
            if (isOver) return
            clearTimer(timer)
            return new Promise<void>((resolveLock) => {
              free = resolveLock
              resolve(end)
            })
          })
          // Refused, or over: either way nobody waits any longer.
          .then(goOn, goOn)
      } catch {
        goOn()
      }
    })
  }

  return Object.freeze({
    async take(signal) {
      signal.throwIfAborted()
      return locks === undefined ? nothing : take(locks, signal)
    },
  } satisfies Turns)
}
