import { describe, expect, it } from 'vitest'
import { MINUTE } from '../fixtures.test.support.ts'
import { createDesyncShare } from './desync.ts'

const SPAN = 5 * MINUTE

const shareOf = (desynced: number, all: number, at = 0) => {
  const share = createDesyncShare(SPAN)
  for (let index = 0; index < all; index += 1) share.add(index < desynced, at)
  return share
}

describe('createDesyncShare', () => {
  it('is 0 without requests, and never NaN', () => {
    expect(createDesyncShare(SPAN).value(0)).toBe(0)
    expect(shareOf(1, 1).value(2 * SPAN)).toBe(0)
  })

  it.each([
    [0, 200, 0],
    [1, 1, 1],
    [1, 200, 0.005],
    [5, 1_000, 0.005],
    [500, 100_000, 0.005],
    [1, 3, 1 / 3],
  ])('is exact: %d of %d is %d', (desynced, all, expected) => {
    expect(shareOf(desynced, all).value(0)).toBe(expected)
  })

  it('forgets requests of both kinds when they leave the window', () => {
    const share = shareOf(1, 10)
    for (let index = 0; index < 4; index += 1) share.add(index === 0, MINUTE)
    expect(share.value(MINUTE)).toBe(2 / 14)
    expect(share.value(SPAN)).toBe(1 / 4)
    expect(share.value(SPAN + MINUTE)).toBe(0)
  })

  it('says when it changes by itself: also when a request leaves that was in step', () => {
    const share = createDesyncShare(SPAN)
    expect(share.nextDrop(0)).toBe(Number.POSITIVE_INFINITY)
    share.add(false, 0)
    share.add(true, MINUTE)
    expect(share.nextDrop(MINUTE)).toBe(SPAN - MINUTE)
  })
})
