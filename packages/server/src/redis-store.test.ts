import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisStore } from './redis-store.ts'
import { startRedis, redisIsMissing, type TestRedis } from './redis.test.fixture.ts'
import { sessionStoreContract } from './session-store-contract.ts'

describe.skipIf(redisIsMissing !== undefined)('on a real Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis[Symbol.asyncDispose]())

  let count = 0
  sessionStoreContract(
    'redisStore',
    async () => {
      const [first, second] = await Promise.all([redis.connect(), redis.connect()])
      const prefix = `test-${(count += 1)}:`
      return {
        store: redisStore(first, { prefix }),
        second: redisStore(second, { prefix }),
      }
    },
    { describe, it, expect },
  )
})
