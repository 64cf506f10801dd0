/** When to rotate ahead of expiry. Times are epoch milliseconds, spans milliseconds. */
export interface ScheduleInput {
  readonly now: number
  readonly expiresAt: number
  readonly skewBuffer: number
  /** How long before the skew buffer begins the rotation is meant to start. */
  readonly leadTime: number
  /** Share of the lead time by which tabs are spread, 0 to 1. */
  readonly jitter: number
  /** From 0 up to but not including 1. */
  readonly random: number
}

/** No token, however short-lived, makes the schedule fire more often than this. */
export const ROTATION_FLOOR = 5_000

/**
 * The moment to rotate: lead time plus jitter before the token enters its skew buffer. A token that is usable for less
 * than twice the lead time is rotated half-way through instead.
 */
export function rotationTime({
  now,
  expiresAt,
  skewBuffer,
  leadTime,
  jitter,
  random,
}: ScheduleInput): number {
  const usable = expiresAt - skewBuffer - now
  const lead = Math.min(leadTime * (1 + jitter * random), usable / 2)
  return now + Math.max(ROTATION_FLOOR, usable - lead)
}

/** The longest delay a browser timer keeps; a longer one would fire at once. */
export const LONGEST_TIMER: number = 2 ** 31 - 1

/** What to set a timer to for a span that may be over, be fractional or be longer than timers can be. Milliseconds. */
export function timerDelay(span: number): number {
  return Math.min(Math.max(0, Math.ceil(span)), LONGEST_TIMER)
}
