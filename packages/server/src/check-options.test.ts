import { isAuthError } from '@token-bridge/core/errors'
import { expect, it } from 'vitest'
import { redisStore, type RedisClient } from './redis-store.ts'
import { sqliteStore } from './sqlite-store.ts'

const client: RedisClient = { hGet: async () => null, eval: async () => 0, evalSha: async () => 0 }

it.each<[string, () => unknown]>([
  ['sqliteStore({ now }) must be a function', () => sqliteStore(':memory:', { now: 5 as never })],
  ['There is no option "path"', () => sqliteStore(':memory:', { path: 'x' } as never)],
  ['sqliteStore(options) must be an object', () => sqliteStore(':memory:', null as never)],
  ['redisStore({ prefix }) must be a string', () => redisStore(client, { prefix: 5 as never })],
  ['redisStore({ now }) must be a function', () => redisStore(client, { now: 'x' as never })],
  ['There is no option "keyPrefix"', () => redisStore(client, { keyPrefix: 'x' } as never)],
  ['redisStore(options) must be an object', () => redisStore(client, 'shop:' as never)],
])('a store says what is wrong with its options: %s', (text, make) => {
  let thrown: unknown
  try {
    make()
  } catch (error) {
    thrown = error
  }
  expect(isAuthError(thrown, 'ERR_CONFIG')).toBe(true)
  expect((thrown as Error).message).toContain(text)
})
