/** How many changes of the flag are passed on at once … */
export const MOST_CHANGES = 4

/** … within any span of this length, in milliseconds. */
export const DAMPING_WINDOW = 30_000

/**
 * Milliseconds until the flag may change again; 0 when it may now.
 *
 * Each change of mode ends a session's token and begins another, so a flag that flaps would be a storm of its own. The
 * first changes pass at once all the same: a kill switch has to work the moment it is thrown.
 *
 * @param changes - when the last changes happened, in monotonic milliseconds, oldest first.
 */
export function waitForChange(changes: readonly number[], now: number): number {
  const oldest = changes.at(-MOST_CHANGES)
  return oldest === undefined ? 0 : Math.max(0, oldest + DAMPING_WINDOW - now)
}

/** The times of changes with one more, without those that no longer count. */
export function withChange(changes: readonly number[], now: number): readonly number[] {
  return [...changes, now].slice(-MOST_CHANGES)
}
