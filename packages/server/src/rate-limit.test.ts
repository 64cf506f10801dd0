import { beforeEach, describe, expect, it } from 'vitest'
import { rateLimiter, type RateLimiter } from './rate-limit.ts'

let time: number
let reports: number
let limiter: RateLimiter
beforeEach(() => {
  time = 1_000_000
  reports = 0
  limiter = rateLimiter(
    { burst: 3, perSecond: 2 },
    () => time,
    () => void (reports += 1),
  )
})

const take = (key: string, times: number): number[] =>
  Array.from({ length: times }, () => limiter.take(key))

describe('rateLimiter', () => {
  it('lets a burst through, then says when there is room again', () => {
    expect(take('a', 5)).toEqual([0, 0, 0, 500, 500])
    time += 250
    expect(limiter.take('a')).toBe(250)
    time += 250
    expect(take('a', 2)).toEqual([0, 500])
  })

  it('fills a bucket to its brim and no further', () => {
    take('a', 3)
    time += 3_600_000
    expect(take('a', 4)).toEqual([0, 0, 0, 500])
  })

  it('counts each session by itself', () => {
    take('a', 4)
    expect(limiter.take('b')).toBe(0)
  })

  it('takes nothing away when the clock is set back', () => {
    take('a', 2)
    time -= 3_600_000
    expect(take('a', 2)).toEqual([0, 500])
    time += 500
    expect(limiter.take('a')).toBe(0)
  })

  it('reports an empty bucket once a minute, not once for each request', () => {
    take('a', 100)
    expect(reports).toBe(1)
    time += 59_000
    take('a', 100)
    expect(reports).toBe(1)
    time += 1_000
    take('a', 100)
    take('b', 100)
    expect(reports).toBe(3)
  })

  it('forgets the bucket that was not used for longest, so its memory is bounded', () => {
    take('old', 4)
    take('used', 4)
    for (let i = 0; i < 9_998; i++) limiter.take(`key-${i}`)
    expect(limiter.take('used')).toBe(500)
    limiter.take('one more')
    expect(limiter.take('used')).toBe(500)
    expect(limiter.take('old')).toBe(0)
  })

  it('forgets no session that is known for the sake of keys that strangers make up', () => {
    take('known', 4)
    limiter.keep('known')
    for (let i = 0; i < 30_000; i++) limiter.take(`made-up-${i}`)
    expect(limiter.take('known')).toBe(500)
    limiter.keep('never heard of')
    expect(limiter.take('never heard of')).toBe(0)
  })

  it('can be switched off', () => {
    limiter = rateLimiter(
      false,
      () => time,
      () => void (reports += 1),
    )
    expect(take('a', 1_000).every((wait) => wait === 0)).toBe(true)
  })
})
