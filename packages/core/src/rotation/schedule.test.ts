import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, NOW, SECOND } from '../fixtures.test.support.ts'
import { ROTATION_FLOOR, rotationTime, timerDelay, type ScheduleInput } from './schedule.ts'

const LONGEST = 2 ** 31 - 1
const at = (overrides: Partial<ScheduleInput> = {}): number =>
  rotationTime({
    now: NOW,
    expiresAt: NOW + 5 * MINUTE,
    skewBuffer: MINUTE,
    leadTime: 30 * SECOND,
    jitter: 0.2,
    random: 0,
    ...overrides,
  }) - NOW

describe('rotationTime', () => {
  it('rotates a lead time before the token enters its skew buffer', () => {
    expect(at()).toBe(3.5 * MINUTE)
  })

  it('spreads tabs over a share of the lead time, and always towards earlier', () => {
    expect(at({ random: 0.5 })).toBe(3.5 * MINUTE - 3 * SECOND)
    expect(at({ random: 0.999_999 })).toBeGreaterThan(3.5 * MINUTE - 6 * SECOND)
    expect(at({ random: 0.5, jitter: 0 })).toBe(at({ random: 0 }))
  })

  it('rotates a short-lived token half-way through', () => {
    expect(at({ expiresAt: NOW + MINUTE + 40 * SECOND })).toBe(20 * SECOND)
  })

  // AxaFrance #1282: stepping away ended in 100 token requests a second.
  it.each([1, 100, SECOND, 4 * SECOND, 0, -HOUR])(
    'never comes sooner than the floor, with %d ms left to use',
    (usable) => {
      expect(at({ expiresAt: NOW + MINUTE + usable })).toBe(ROTATION_FLOOR)
    },
  )

  it('stays inside the usable time of every token that has one worth rotating', () => {
    for (const lifetime of [75 * SECOND, 2 * MINUTE, 5 * MINUTE, HOUR, 24 * HOUR, 8_760 * HOUR]) {
      for (const random of [0, 0.3, 0.999]) {
        const moment = at({ expiresAt: NOW + lifetime, random })
        expect(moment).toBeGreaterThanOrEqual(ROTATION_FLOOR)
        expect(moment).toBeLessThan(lifetime - MINUTE)
      }
    }
  })

  it('keeps to a real time for an expiry at the end of whole numbers', () => {
    expect(Number.isFinite(at({ expiresAt: Number.MAX_SAFE_INTEGER }))).toBe(true)
  })
})

describe('timerDelay', () => {
  it.each([
    [0, 0],
    [-5, 0],
    [Number.NEGATIVE_INFINITY, 0],
    [0.2, 1],
    [1_500, 1_500],
    [LONGEST, LONGEST],
    [LONGEST + 1, LONGEST],
    [Number.POSITIVE_INFINITY, LONGEST],
    // oidc-spa: a timer for 25 days and more fires at once.
    [30 * 24 * HOUR, LONGEST],
  ])('makes of a span of %d ms a delay of %d ms', (span, delay) => {
    expect(timerDelay(span)).toBe(delay)
  })
})
