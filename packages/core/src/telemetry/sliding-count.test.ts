import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MINUTE } from '../fixtures.test.support.ts'
import { createSlidingCount } from './sliding-count.ts'

const SPAN = 5 * MINUTE
const STEP = SPAN / 300

describe('createSlidingCount', () => {
  it('is empty at first, at any time', () => {
    const count = createSlidingCount(SPAN)
    expect(count.total(0)).toBe(0)
    expect(count.total(10 * SPAN)).toBe(0)
    expect(count.nextDrop(10 * SPAN)).toBe(Number.POSITIVE_INFINITY)
  })

  it('begins far from zero, and crosses a long gap, without walking there', () => {
    const count = createSlidingCount(SPAN)
    for (const at of [1e6, 1e15]) {
      count.add(at)
      expect(count.total(at)).toBe(1)
    }
  })

  it('counts what happened within the window, in whatever bursts', () => {
    const count = createSlidingCount(SPAN)
    for (const at of [0, 0, 1, 999, 1_000, MINUTE, SPAN - 1]) count.add(at)
    expect(count.total(SPAN - 1)).toBe(7)
  })

  it.each([0, 1, 499, 999.9, 1_000, 123_456.789])(
    'forgets what happened at %d ms a window later, not sooner than a step before',
    (at) => {
      const count = createSlidingCount(SPAN)
      count.add(at)
      expect(count.total(at + SPAN - STEP)).toBe(1)
      expect(count.total(at + SPAN)).toBe(0)
    },
  )

  it('slides: what came first leaves first', () => {
    const count = createSlidingCount(SPAN)
    count.add(0)
    count.add(MINUTE)
    count.add(MINUTE)
    count.add(2 * MINUTE)
    expect(count.total(SPAN - 1)).toBe(4)
    expect(count.total(SPAN)).toBe(3)
    expect(count.total(SPAN + MINUTE)).toBe(1)
    expect(count.total(SPAN + 2 * MINUTE)).toBe(0)
  })

  it('is empty after a gap that is longer than the window, and counts on', () => {
    const count = createSlidingCount(SPAN)
    count.add(MINUTE)
    count.add(100 * SPAN + 7)
    expect(count.total(100 * SPAN + 7)).toBe(1)
  })

  it('says when the oldest leaves', () => {
    const count = createSlidingCount(SPAN)
    count.add(1_500)
    count.add(MINUTE)
    const now = MINUTE + 250
    const leaves = now + count.nextDrop(now)
    expect(leaves).toBe(1_000 + SPAN)
    expect(count.total(leaves - 1)).toBe(2)
    expect(count.total(leaves)).toBe(1)
    expect(count.nextDrop(leaves)).toBe(MINUTE - 1_000)
  })

  it('agrees with a list of every moment, to the step', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.array(fc.double({ min: 0, max: 30_000, noNaN: true }), { maxLength: 50 }),
        (span, gaps) => {
          const count = createSlidingCount(span)
          const moments: number[] = []
          let now = 0
          for (const gap of gaps) {
            now += gap
            count.add(now)
            moments.push(now)
            const within = (reach: number) => moments.filter((at) => at > now - reach).length
            // Rounding: a moment may fall a hair to either side of a step's edge.
            expect(count.total(now)).toBeGreaterThanOrEqual(within(span * (1 - 1 / 300) - 1e-6))
            expect(count.total(now)).toBeLessThanOrEqual(within(span + 1e-6))
          }
        },
      ),
    )
  })

  it('takes no more memory for a million than for one', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const used = () => {
      collect()
      return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
    }
    const count = createSlidingCount(SPAN)
    count.add(0)
    const before = used()
    for (let index = 1; index < 1_000_000; index += 1) count.add((index * SPAN) / 1_000_000)
    expect(used() - before).toBeLessThan(100_000)
    expect(count.total(SPAN - 1)).toBe(1_000_000)
  })
})
