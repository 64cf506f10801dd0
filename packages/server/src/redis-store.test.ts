import { createCluster } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisStore, type RedisCall, type RedisClient } from './redis-store.ts'
import {
  redisIsMissing,
  startRedis,
  type TestRedis,
  type TestRedisClient,
} from './redis.test.fixture.ts'
import { sessionStoreContract } from './session-store-contract.ts'

describe.skipIf(redisIsMissing !== undefined)('on a real Redis', () => {
  let redis: TestRedis
  let client: TestRedisClient
  beforeAll(async () => {
    redis = await startRedis()
    client = await redis.connect()
  })
  afterAll(() => redis[Symbol.asyncDispose]())

  let count = 0
  const emptyPrefix = (): string => `test-${(count += 1)}:`
  sessionStoreContract(
    'redisStore',
    async () => {
      const second = await redis.connect()
      const prefix = emptyPrefix()
      return {
        store: redisStore(client, { prefix }),
        second: redisStore(second, { prefix }),
        dispose: () => second.destroy(),
      }
    },
    { describe, it, expect },
  )

  it('keeps everything below its prefix, for Redis itself to remove', async () => {
    const store = redisStore(client)
    await store.set('session:a', 'one', Date.now() + 60_000)
    await store.set('session:b', 'two', Date.now() + 60_000)
    const keys = await client.keys('token-bridge:*')
    expect(keys.toSorted()).toEqual(['token-bridge:session:a', 'token-bridge:session:b'])
    for (const key of keys) {
      expect(await client.pTTL(key)).toBeGreaterThan(55_000)
      expect(await client.pTTL(key)).toBeLessThanOrEqual(60_000)
    }
  })

  it('lets entries live as long as they should where clocks differ', async () => {
    const hour = 3_600_000
    const prefix = emptyPrefix()
    const ahead = redisStore(client, { prefix, now: () => Date.now() + hour })
    const behind = redisStore(client, { prefix, now: () => Date.now() - hour })
    await ahead.set('a', 'one', Date.now() + hour + 60_000)
    await behind.set('b', 'two', Date.now() - hour + 60_000)
    for (const key of ['a', 'b']) {
      expect(await client.pTTL(prefix + key)).toBeGreaterThan(55_000)
      expect(await client.pTTL(prefix + key)).toBeLessThanOrEqual(60_000)
    }
    expect(await ahead.lock('b', 60_000)).toBeDefined()
    expect(await behind.lock('b', 60_000)).toBeUndefined()
  })

  it('teaches a server its scripts that has forgotten them', async () => {
    const store = redisStore(client, { prefix: emptyPrefix() })
    await store.set('a', 'one', Date.now() + 60_000)
    await client.scriptFlush()
    expect(await store.touch('a', Date.now() + 60_000)).toBe(true)
    expect(await store.delete('a')).toBe(true)
  })

  it('says which operation failed when the server is gone', async () => {
    await using own = await startRedis()
    const lost = await own.connect()
    const store = redisStore(lost)
    lost.destroy()
    await expect(store.get('a')).rejects.toThrow(/^redisStore: get failed \(\w+\)$/)
    await expect(store.set('a', 'one', Date.now() + 1_000)).rejects.toThrow(
      /^redisStore: set failed \(\w+\)$/,
    )
  })
})

describe.skipIf(redisIsMissing !== undefined)(
  'on a Redis cluster, which refuses what spans two slots',
  () => {
    let redis: TestRedis
    const clusters: { destroy(): void }[] = []
    beforeAll(async () => {
      redis = await startRedis('--cluster-enabled', 'yes')
      const client = await redis.connect()
      await client.clusterAddSlotsRange({ start: 0, end: 16_383 })
      while (!(await client.clusterInfo()).includes('cluster_state:ok'))
        await new Promise((resolve) => setTimeout(resolve, 50))
    })
    afterAll(async () => {
      for (const cluster of clusters) cluster.destroy()
      await redis[Symbol.asyncDispose]()
    })

    it('every operation works', async () => {
      const cluster = await createCluster({ rootNodes: [{ url: redis.url }] })
        .on('error', () => {})
        .connect()
      clusters.push(cluster)
      const store = redisStore(cluster)
      for (const key of ['session:a', 'session:b', 'login:c']) {
        await store.set(key, 'one', Date.now() + 60_000)
        expect(await store.touch(key, Date.now() + 60_000)).toBe(true)
        const locked = await store.lock(key, 1_000)
        expect(locked?.value).toBe('one')
        expect(await store.replace(key, 'three', locked?.fence ?? 0, 0)).toBe(true)
        expect(await store.get(key)).toBe('three')
        expect(await store.delete(key)).toBe(true)
      }
    })
  },
)

describe('redisStore', () => {
  const recording = () => {
    const calls: RedisCall[] = []
    const take = async (_script: string, call: RedisCall) => {
      calls.push(call)
      return 1
    }
    const client: RedisClient = { eval: take, evalSha: take, hGet: async () => null }
    return { client, calls }
  }

  it('touches one key in each script, so that a cluster may hold it anywhere', async () => {
    const { client, calls } = recording()
    const store = redisStore(client, { prefix: 'p:' })
    await store.set('a', 'one', 0)
    await store.touch('a', 0)
    await store.lock('a', 0)
    await store.replace('a', 'one', 1, 0)
    await store.delete('a', 1)
    expect(calls.map(({ keys }) => keys)).toEqual(Array.from({ length: 5 }, () => ['p:a']))
  })

  it('repeats nothing of what Redis says about what was written', async () => {
    const client: RedisClient = {
      ...recording().client,
      evalSha: () =>
        Promise.reject(
          new Error("ERR unknown command 'evalsha', with args beginning with: 'a secret'"),
        ),
    }
    const failure = await redisStore(client)
      .set('a', 'a secret', 0)
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({
      name: 'SessionStoreError',
      message: 'redisStore: set failed (ERR)',
    })
    expect((failure as Error).cause).toBeUndefined()
  })

  const nothing = () => {}
  it.each([
    undefined,
    null,
    'redis://localhost',
    { eval: nothing, evalSha: nothing },
    { hGet: nothing, evalSha: nothing },
    { hGet: nothing, eval: nothing },
  ])('refuses %s for a client', (client) => {
    expect(() => redisStore(client as unknown as RedisClient)).toThrow(
      /^redisStore\(client\) must be a client of the package "redis"/,
    )
  })
})
