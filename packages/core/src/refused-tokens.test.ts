import { describe, expect, it } from 'vitest'
import { HOUR, SECOND } from './fixtures.test.support.ts'
import { createRefusedTokens } from './refused-tokens.ts'

/** The seconds at which 401s that never end may rotate. */
function rotationsIn(span: number, forgiveAt: (second: number) => boolean = () => false): number[] {
  let now = 0
  const refused = createRefusedTokens(() => now)
  const times: number[] = []
  for (; now < span; now += SECOND) {
    if (forgiveAt(now / SECOND)) refused.forgive()
    if (refused.mayRotate()) times.push(now / SECOND)
  }
  return times
}

describe('createRefusedTokens', () => {
  it('lets the first 401 rotate at once', () => {
    expect(createRefusedTokens(() => 0).mayRotate()).toBe(true)
  })

  it('lets the next one rotate ten seconds later and not a millisecond earlier', () => {
    let now = 5
    const refused = createRefusedTokens(() => now)
    refused.mayRotate()
    now = 10_004
    expect(refused.mayRotate()).toBe(false)
    now = 10_005
    expect(refused.mayRotate()).toBe(true)
  })

  // superset-sh/superset PR #5518, supabase#2145: nothing stopped the refreshes of a session that was broken.
  it('doubles the pause up to five minutes: sixteen rotations in an hour of nothing but 401s', () => {
    expect(rotationsIn(HOUR)).toEqual([
      0, 10, 30, 70, 150, 310, 610, 910, 1_210, 1_510, 1_810, 2_110, 2_410, 2_710, 3_010, 3_310,
    ])
  })

  it('begins anew once a rotation came that no 401 had asked for, but not before the pause is over', () => {
    expect(rotationsIn(300 * SECOND, (second) => second === 80)).toEqual([
      0, 10, 30, 70, 150, 160, 180, 220,
    ])
  })

  it('says no without making the pause longer', () => {
    let now = 0
    const refused = createRefusedTokens(() => now)
    refused.mayRotate()
    for (; now < 9_999; now += 1) refused.mayRotate()
    now = 10_000
    expect(refused.mayRotate()).toBe(true)
  })
})
