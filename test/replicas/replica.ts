/** A process with one replica of an app: the auth routes, on the Redis that all share. */
import { serve } from '@hono/node-server'
import { authRoutes, redisStore } from '@token-bridge/server'
import { Hono } from 'hono'
import { createClient } from 'redis'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  ENCRYPTION_KEY,
  type Ready,
  type ReplicaSettings,
} from './messages.ts'

const { name, origin, issuer, redisUrl, grace } = JSON.parse(
  process.argv[2] ?? '',
) as ReplicaSettings
const client = await createClient({ url: redisUrl }).connect()
const app = new Hono()
app.route(
  '/api/auth',
  authRoutes({
    issuer,
    origin,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    store: redisStore(client),
    encryptionKeys: [ENCRYPTION_KEY],
    refreshTokenGrace: grace,
    rateLimit: false,
    logger: { info() {}, warn() {}, error: (line: string) => console.error(`${name}: ${line}`) },
    fetch: (input, init) => {
      const headers = new Headers(init?.headers)
      headers.set('x-replica', name)
      return fetch(input, { ...init, headers })
    },
  }),
)
// So that the first request is like every other.
await app.request('/api/auth/login')
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
  process.send?.({ type: 'ready', port } satisfies Ready)
})
process.on('disconnect', () => {
  server.close()
  process.exit()
})
