import { beforeAll, describe, expect, it } from 'vitest'
import { redisIsMissing } from '../../packages/server/src/redis.test.fixture.ts'
import { killRounds, type Phase, type RunReport } from './kill-rounds.ts'

/** Milliseconds in which rounds begin, at least. Those that come last take some 20 s more to be over. */
const TIME = 25_000

const SETTINGS = [
  { replicas: 2, grace: 0 },
  { replicas: 4, grace: 0 },
  { replicas: 3, grace: 30_000 },
] as const

// `npm run replicas` runs as many rounds as one likes.
describe.skipIf(redisIsMissing !== undefined)('replicas killed at random points', () => {
  const seed = Date.now() % 1_000_000
  let reports: readonly RunReport[] = []
  beforeAll(async () => {
    // At the same time, since most of it is waiting.
    reports = await Promise.all(
      SETTINGS.map((setting) =>
        killRounds({
          ...setting,
          seed,
          introspects: true,
          latency: 30,
          aimEvery: 3,
          rounds: Infinity,
          time: TIME,
        }),
      ),
    )
  }, 300_000)

  it.each(SETTINGS.map((setting, index) => ({ ...setting, index })))(
    '$replicas replicas, a grace period of $grace ms: no session is lost that need not be',
    ({ index }) => {
      expect(reports[index]?.violations, `seed ${seed}`).toEqual([])
      expect(reports[index]?.reuses).toBe(0)
    },
  )

  // Else nothing was shown.
  it.each<Phase>(['before', 'window', 'after'])('hit a refresh %s', (phase) => {
    for (const { phases } of reports) expect(phases[phase].kills, `seed ${seed}`).toBeGreaterThan(0)
  })

  it('left locks behind that others took over, and some of those were killed as well', () => {
    for (const { takeovers } of reports) expect(takeovers, `seed ${seed}`).toBeGreaterThan(0)
    expect(reports.at(-1)?.repeats, `seed ${seed}`).toBeGreaterThan(0)
    expect(reports.at(-1)?.killedAgain, `seed ${seed}`).toBeGreaterThan(0)
  })
})
