/**
 * `npm run replicas`: replicas in processes of their own, on a real Redis, killed at random points of a refresh.
 *
 *     npm run replicas -- --rounds 500 --seed 1     as many rounds, shared among the five settings
 */
import { parseArgs } from 'node:util'
import { redisIsMissing } from '../../packages/server/src/redis.test.fixture.ts'
import { killRounds } from './kill-rounds.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    latency: { type: 'string', default: '10' },
  },
})
if (redisIsMissing !== undefined) throw new Error(redisIsMissing)

const rounds = Math.ceil(Number(values.rounds) / 5)
const seed = Number(values.seed)
const latency = Number(values.latency)
console.log(`Seed ${seed}; ${rounds} rounds in each setting, up to ${latency} ms to the provider.`)
for (const [replicas, grace, introspects] of [
  [2, 0, true],
  [4, 0, true],
  [2, 30_000, true],
  [4, 30_000, true],
  [2, 0, false],
] as const) {
  const report = await killRounds({ replicas, grace, rounds, seed, latency, introspects })
  const { settings: _, ...seen } = report
  const says = introspects ? '' : ', and a provider that does not say what became of a token'
  console.log(`\n${replicas} replicas, grace ${grace / 1000} s${says}`)
  console.dir(seen, { depth: 3 })
  if (report.violations.length > 0) process.exitCode = 1
}
