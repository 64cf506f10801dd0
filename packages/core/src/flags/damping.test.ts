import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DAMPING_WINDOW, MOST_CHANGES, waitForChange, withChange } from './damping.ts'

/** The moments at which changes pass that are wished for at these moments. */
function passed(wishes: readonly number[]): number[] {
  const moments: number[] = []
  let changes: readonly number[] = []
  let now = 0
  for (const wish of wishes) {
    now = Math.max(now, wish)
    now += waitForChange(changes, now)
    changes = withChange(changes, now)
    moments.push(now)
  }
  return moments
}

describe('damping', () => {
  it('lets four changes pass at once and the fifth half a minute after the first', () => {
    expect(passed([0, 1_000, 2_000, 3_000, 4_000, 4_001])).toEqual([
      0, 1_000, 2_000, 3_000, 30_000, 31_000,
    ])
  })

  it('never holds back changes that are far enough apart', () => {
    const calm = [0, 10_000, 20_000, 30_000, 40_000, 50_000]
    expect(passed(calm)).toEqual(calm)
  })

  it('asks for the exact rest of the span, and for none when it is over', () => {
    const changes = [100, 200, 300, 400]
    expect(waitForChange(changes, 400)).toBe(29_700)
    expect(waitForChange(changes, 30_099)).toBe(1)
    expect(waitForChange(changes, 30_100)).toBe(0)
    expect(waitForChange(changes, 90_000)).toBe(0)
    expect(waitForChange(changes.slice(1), 400)).toBe(0)
  })

  it('remembers no more than it needs', () => {
    let changes: readonly number[] = []
    for (let now = 0; now < 1_000; now += 1) changes = withChange(changes, now)
    expect(changes).toEqual([996, 997, 998, 999])
  })

  it('never lets more than four pass in any span, and delays none by more than it must', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { maxLength: 60 }), (gaps) => {
        let wish = 0
        const wishes = gaps.map((gap) => (wish += gap))
        const moments = passed(wishes)
        for (const [index, moment] of moments.entries()) {
          const fourBefore = moments[index - MOST_CHANGES] ?? Number.NEGATIVE_INFINITY
          expect(moment - fourBefore).toBeGreaterThanOrEqual(DAMPING_WINDOW)
          const earliest = Math.max(
            wishes[index] as number,
            moments[index - 1] ?? 0,
            fourBefore + DAMPING_WINDOW,
          )
          expect(moment).toBe(earliest)
        }
      }),
    )
  })
})
