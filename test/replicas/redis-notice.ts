import type { TestProject } from 'vitest/node'
import { redisIsMissing } from '../../packages/server/src/redis.test.fixture.ts'

/** Says at the end of a run which suites were skipped for want of Redis, and why. In CI that is a failure. */
export function setup({ name }: TestProject): (() => void) | undefined {
  if (redisIsMissing === undefined) return undefined
  if (process.env['CI'] !== undefined) throw new Error(redisIsMissing)
  return () => console.warn(`\nSkipped in ${name}: the suites on a real Redis. ${redisIsMissing}`)
}
