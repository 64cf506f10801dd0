/** The first pause between two rotations that 401s ask for, in milliseconds; it doubles while nothing else rotates. */
const FIRST_PAUSE = 10_000

/** The longest such pause, in milliseconds. */
const LONGEST_PAUSE = 300_000

/** Decides which 401s are followed by a rotation: an API that refuses every token must not cause a storm. */
export interface RefusedTokens {
  /** Whether the 401 may cause a rotation now; saying yes begins the next pause. */
  mayRotate(): boolean
  /** A rotation came that no 401 asked for. */
  forgive(): void
}

/** @param monotonic - milliseconds. */
export function createRefusedTokens(monotonic: () => number): RefusedTokens {
  let notBefore = Number.NEGATIVE_INFINITY
  let pause = FIRST_PAUSE
  return {
    mayRotate() {
      const now = monotonic()
      if (now < notBefore) return false
      notBefore = now + pause
      pause = Math.min(pause * 2, LONGEST_PAUSE)
      return true
    },
    forgive() {
      pause = FIRST_PAUSE
    },
  }
}
