import { checkOptions } from './check-options.ts'
import { configError } from './config-error.ts'
import type { SessionStore } from './session-store.ts'
import { storeFailure } from './store-failure.ts'

/** What {@link redisStore} takes beside the client. */
export interface RedisStoreOptions {
  /** Put before every key. Default `token-bridge:`. */
  readonly prefix?: string
  /** Epoch milliseconds, the clock that `expiresAt` is counted on. Default `Date.now`. */
  readonly now?: () => number
}

/** What the store needs of a client of `redis` (node-redis 5 or 6); `createClient` and `createCluster` make one that fits. */
export interface RedisClient {
  hGet(key: string, field: string): Promise<unknown>
  eval(script: string, options: RedisCall): Promise<unknown>
  evalSha(sha1: string, options: RedisCall): Promise<unknown>
}

/** What a script is called with. */
export interface RedisCall {
  keys: string[]
  arguments: string[]
}

/** An entry is a hash: `v`alue, `f`ence, `l`ocked until, on Redis's own clock. Every script touches one key. */
const SCRIPTS = {
  set: `
    redis.call('HSET', KEYS[1], 'v', ARGV[1], 'l', 0)
    redis.call('HINCRBY', KEYS[1], 'f', 1)
    return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
  touch: `
    return redis.call('PEXPIRE', KEYS[1], ARGV[1])`,
  lock: `
    local entry = redis.call('HMGET', KEYS[1], 'v', 'l')
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    if not entry[1] or tonumber(entry[2]) > now then return false end
    redis.call('HSET', KEYS[1], 'l', string.format('%.0f', now + ARGV[1]))
    return { redis.call('HINCRBY', KEYS[1], 'f', 1), entry[1] }`,
  replace: `
    if redis.call('HGET', KEYS[1], 'f') ~= ARGV[2] then return 0 end
    local until_ = 0
    if tonumber(ARGV[3]) > 0 then
      local time = redis.call('TIME')
      until_ = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
    else
      redis.call('HINCRBY', KEYS[1], 'f', 1)
    end
    redis.call('HSET', KEYS[1], 'v', ARGV[1], 'l', string.format('%.0f', until_))
    return 1`,
  delete: `
    if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'f') ~= ARGV[1] then return 0 end
    return redis.call('DEL', KEYS[1])`,
} as const

/**
 * A store in Redis or Valkey, for several replicas. Each operation touches one key, so a cluster may hold them where it
 * likes; ended entries are removed by the server itself.
 *
 * Run it with `maxmemory-policy noeviction`: an evicted session is a user signed out.
 *
 * @param client - connected, of the package `redis`.
 * @throws AuthError `ERR_CONFIG` for something that is no such client.
 * @example
 * const client = await createClient({ url: process.env.REDIS_URL }).connect()
 * authRoutes({ …, store: redisStore(client), encryptionKeys })
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): SessionStore {
  checkOptions('redisStore', options, ['prefix', 'now'])
  const { prefix = 'token-bridge:', now = Date.now } = options
  if (typeof prefix !== 'string')
    throw configError('redisStore({ prefix })', 'a string', prefix, 'Write e.g. "shop:".')
  if (typeof now !== 'function')
    throw configError('redisStore({ now })', 'a function', now, 'Leave it out.')
  const has = (name: keyof RedisClient): boolean => typeof client?.[name] === 'function'
  if (!has('hGet') || !has('eval') || !has('evalSha')) {
    throw configError(
      'redisStore(client)',
      'a client of the package "redis"',
      client,
      'Use await createClient({ url }).connect().',
    )
  }
  const digests = new Map<string, Promise<string>>()

  async function run(
    name: keyof typeof SCRIPTS,
    key: string,
    args: readonly (string | number)[],
  ): Promise<unknown> {
    const script = SCRIPTS[name]
    const call = { keys: [prefix + key], arguments: args.map(String) }
    try {
      const digest = digests.get(name) ?? sha1(script)
      digests.set(name, digest)
      return await client.evalSha(await digest, call).catch((error: unknown) => {
        // Redis has forgotten the script, or never seen it; this teaches it.
        if (error instanceof Error && error.message.startsWith('NOSCRIPT'))
          return client.eval(script, call)
        throw error
      })
    } catch (error) {
      throw storeFailure('redisStore', name, error)
    }
  }
  const did = async (...call: Parameters<typeof run>): Promise<boolean> =>
    (await run(...call)) === 1
  // The server counts from when it hears of it, so that its clock and ours need not agree.
  const spanTo = (expiresAt: number): number => Math.ceil(expiresAt - now())

  return Object.freeze<SessionStore>({
    async get(key) {
      try {
        const value = await client.hGet(prefix + key, 'v')
        return typeof value === 'string' ? value : undefined
      } catch (error) {
        throw storeFailure('redisStore', 'get', error)
      }
    },
    async set(key, value, expiresAt) {
      await run('set', key, [value, spanTo(expiresAt)])
    },
    touch: (key, expiresAt) => did('touch', key, [spanTo(expiresAt)]),
    async lock(key, lockFor) {
      const answer = await run('lock', key, [lockFor])
      if (!Array.isArray(answer)) return undefined
      const [fence, value] = answer as [number, string]
      return { fence, value }
    },
    replace: (key, value, fence, lockFor) => did('replace', key, [value, fence, lockFor]),
    delete: (key, fence) => did('delete', key, [fence ?? '']),
  })
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
