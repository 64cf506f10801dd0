import { describe, expect, it } from 'vitest'
import { redisIsMissing } from '../../packages/server/src/redis.test.fixture.ts'
import { killRounds } from './kill-rounds.ts'

/** Milliseconds in which rounds begin. */
const TIME = 12_000

// `npm run replicas` runs as many rounds as one likes.
describe.skipIf(redisIsMissing !== undefined)('replicas killed at random points', () => {
  it.each([
    { replicas: 2, grace: 0 },
    { replicas: 4, grace: 0 },
    { replicas: 3, grace: 30_000 },
  ])(
    '$replicas replicas, a grace period of $grace ms: no session is lost that need not be',
    async ({ replicas, grace }) => {
      const seed = Date.now() % 1_000_000
      const report = await killRounds({
        replicas,
        grace,
        seed,
        introspects: true,
        latency: 10,
        rounds: Infinity,
        time: TIME,
      })
      expect(report.violations, `seed ${seed}`).toEqual([])
      expect(report.reuses).toBe(0)
      expect(report.rounds).toBeGreaterThan(3)
    },
  )
})
