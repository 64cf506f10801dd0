/** The server under load: the auth routes, and beside them a bare route that answers the same JSON. */
import type { AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import {
  authRoutes,
  memoryStore,
  redisStore,
  sqliteStore,
  type SessionStore,
} from '@token-bridge/server'
import { Hono } from 'hono'
import { createClient } from 'redis'
import { sealing } from '../../../packages/server/src/sealing.ts'
import { createSessions } from '../../../packages/server/src/sessions.ts'
import { ORIGIN } from './load.ts'
import { serve, type ServerSetup, type StoreChoice } from './messages.ts'

const HOUR = 3_600_000
const { store: choice, issuer } = JSON.parse(process.argv[2] ?? '') as ServerSetup

async function open({ kind, location }: StoreChoice): Promise<SessionStore> {
  if (kind === 'memory') return memoryStore()
  if (kind === 'sqlite') return sqliteStore(location)
  return redisStore(await createClient({ url: location }).connect())
}

const logger = { info() {}, warn() {}, error() {} }
const store = await open(choice)
const encryptionKeys = choice.isSealed ? [new Uint8Array(randomBytes(32))] : []
const sessions = createSessions(sealing(store, encryptionKeys, logger))
/** As long as a signed token with a few claims. */
const token = (name: string): string => name.padEnd(1000, 'a')

async function fill(count: number, isExpired: boolean): Promise<string[]> {
  const ids: string[] = []
  for (let index = 0; index < count; index += 1) {
    const name = `${isExpired ? 'expired' : 'valid'}-${index}`
    const id = await sessions.open({
      accessToken: token(name),
      expiresAt: Date.now() + (isExpired ? -1_000 : HOUR),
      tokenType: 'Bearer',
      scope: 'openid offline_access shop:read',
      refreshToken: name,
      idToken: token(`id-${name}`),
      endsAt: Date.now() + 12 * HOUR,
      startedAt: Date.now(),
      marks: [`mark:sub:${name}`, `mark:sid:${name}`],
    })
    ids.push(id)
  }
  return ids
}

const app = new Hono()
app.post('/bare', (c) =>
  c.json({
    accessToken: token('valid-1'),
    expiresAt: Date.now() + HOUR,
    serverTime: Date.now(),
    tokenType: 'Bearer',
    scope: 'openid offline_access shop:read',
  }),
)
app.route(
  '/api/auth',
  authRoutes({
    issuer,
    clientId: 'bench',
    clientSecret: 'bench',
    origin: ORIGIN,
    store,
    ...(choice.isSealed && { encryptionKeys }),
    logger,
    // Counted, and never refused: a session of the bench asks more often than any page may.
    rateLimit: { burst: 1e9, perSecond: 1e9 },
  }),
)

const listener = getRequestListener(app.fetch)
const server = createServer((request, response) => void listener(request, response))
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  serve((server.address() as AddressInfo).port, async ({ name, question }) => {
    if (name === 'fill') return fill(question.count, question.isExpired)
    if (name === 'usage' && question.isExact) globalThis.gc?.()
    const { user, system } = process.cpuUsage()
    return { processor: user + system, heap: process.memoryUsage().heapUsed }
  }),
)
