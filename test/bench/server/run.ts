import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import {
  redisIsMissing,
  startRedis,
  type TestRedis,
} from '../../../packages/server/src/redis.test.fixture.ts'
import { load, openConnection, percentile, requestFor, type Load } from './load.ts'
import { start, type Process, type StoreChoice } from './messages.ts'

const CONNECTIONS = 64
/** Rounds of each route, in turn, so that a machine that slows down slows both. */
const ROUNDS = 7
/** Milliseconds. */
const ROUND = 1_000
const SESSIONS = 10_000
const RESULTS = fileURLToPath(new URL('../../../docs/benchmarks/server.md', import.meta.url))

interface SyncResult {
  readonly store: string
  /** Requests per second, relative to the bare route. */
  readonly throughput: number
  /** Processor time of the server for a request to the bare route, relative to one to `/sync`. */
  readonly processor: number
  readonly bare: Load
  readonly sync: Load
  readonly bytesPerSession: number
}

const median = (values: readonly number[]): number =>
  percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  )

/** The median of each number. */
const typical = (loads: readonly Load[]): Load => ({
  requests: median(loads.map(({ requests }) => requests)),
  perSecond: median(loads.map(({ perSecond }) => perSecond)),
  p50: median(loads.map(({ p50 }) => p50)),
  p99: median(loads.map(({ p99 }) => p99)),
})

async function measureSync(name: string, store: StoreChoice, issuer: string): Promise<SyncResult> {
  console.log(`Serving: ${name} …`)
  await using server = await start('server.ts', { store, issuer })
  const before = await server.ask('usage', { isExact: true })
  const ids = await server.ask('fill', { count: SESSIONS, isExpired: false })
  const after = await server.ask('usage', { isExact: true })
  const connections = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => openConnection(server.port)),
  )
  const routes = {
    bare: ids.map((id) => requestFor('/bare', id)),
    sync: ids.map((id) => requestFor('/api/auth/sync', id)),
  }
  const measure = async (route: keyof typeof routes) => {
    const { processor } = await server.ask('usage', { isExact: false })
    const measured = await load(connections, routes[route], ROUND)
    const used = (await server.ask('usage', { isExact: false })).processor - processor
    return { ...measured, processor: used / measured.requests }
  }
  const rounds: { bare: Measured; sync: Measured }[] = []
  for (let round = 0; round < ROUNDS; round += 1)
    rounds.push({ bare: await measure('bare'), sync: await measure('sync') })
  for (const connection of connections) connection.close()
  // The first round warms up.
  const [, ...counted] = rounds
  return {
    store: name,
    throughput: median(counted.map(({ bare, sync }) => sync.perSecond / bare.perSecond)),
    processor: median(counted.map(({ bare, sync }) => bare.processor / sync.processor)),
    bare: typical(counted.map(({ bare }) => bare)),
    sync: typical(counted.map(({ sync }) => sync)),
    bytesPerSession:
      store.kind === 'sqlite'
        ? (statSync(store.location).size + statSync(`${store.location}-wal`).size) / SESSIONS
        : (after.heap - before.heap) / SESSIONS,
  }
}

type Measured = Load & { readonly processor: number }

interface StormResult {
  readonly store: string
  /** Milliseconds until the last session had its answer. */
  readonly total: number
  readonly p50: number
  readonly p99: number
  readonly refreshed: number
  readonly refused: number
  readonly mostAtOnce: number
  /** Refresh tokens that the provider took and whose answer came too late to be kept. */
  readonly lost: number
  readonly reused: number
}

/** All sessions expire in the same moment, and each has a page that asks in the same moment. */
async function measureStorm(name: string, store: StoreChoice): Promise<StormResult> {
  console.log(`Expiring together: ${name} …`)
  await using provider = await start('provider.ts', null)
  await using server = await start('server.ts', {
    store,
    issuer: `http://127.0.0.1:${provider.port}`,
  })
  const ids = await server.ask('fill', { count: SESSIONS, isExpired: true })
  const connections = await openMany(server, ids.length)
  const latencies: number[] = []
  const started = performance.now()
  const statuses = await Promise.all(
    ids.map(async (id, index) => {
      const status = await connections[index]?.send(requestFor('/api/auth/sync', id))
      latencies.push(performance.now() - started)
      return status
    }),
  )
  const total = performance.now() - started
  for (const connection of connections) connection.close()
  const sorted = latencies.toSorted((a, b) => a - b)
  const { mostAtOnce, once, reused } = await provider.ask('refreshes', null)
  const refreshed = statuses.filter((status) => status === 200).length
  return {
    store: name,
    total,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    refreshed,
    refused: statuses.length - refreshed,
    mostAtOnce,
    lost: once + reused - refreshed,
    reused,
  }
}

/** A few at a time: a queue of connections that overflows waits for seconds. */
async function openMany({ port }: Process, count: number) {
  const connections: Awaited<ReturnType<typeof openConnection>>[] = []
  while (connections.length < count) {
    const batch = Array.from({ length: Math.min(200, count - connections.length) }, () =>
      openConnection(port),
    )
    connections.push(...(await Promise.all(batch)))
  }
  return connections
}

async function redisBytes(redis: TestRedis): Promise<number> {
  const client = await redis.connect()
  const { used_memory: used = '0' } = Object.fromEntries(
    (await client.info('memory')).split('\r\n').map((line) => line.split(':') as [string, string]),
  )
  client.destroy()
  return Number(used)
}

/** The server's part of `npm run bench`: prints what it measured, and writes it to docs/benchmarks/server.md. */
export async function benchServer(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    await using provider = await start('provider.ts', null)
    const issuer = `http://127.0.0.1:${provider.port}`
    let files = 0
    const memory = (): StoreChoice => ({ kind: 'memory', isSealed: false, location: '' })
    const sqlite = (isSealed: boolean): StoreChoice => ({
      kind: 'sqlite',
      isSealed,
      location: join(folder, `${(files += 1)}.db`),
    })
    const results = [
      await measureSync('memory', memory(), issuer),
      await measureSync('SQLite', sqlite(false), issuer),
      await measureSync('SQLite, sealed', sqlite(true), issuer),
    ]
    const storms = [
      await measureStorm('memory', memory()),
      await measureStorm('SQLite, sealed', sqlite(true)),
    ]
    if (redisIsMissing === undefined) {
      for (const isSealed of [false, true]) {
        await using redis = await startRedis()
        const before = await redisBytes(redis)
        const store: StoreChoice = { kind: 'redis', isSealed, location: redis.url }
        const name = isSealed ? 'Redis, sealed' : 'Redis'
        const result = await measureSync(name, store, issuer)
        const bytesPerSession = ((await redisBytes(redis)) - before) / SESSIONS
        results.push({ ...result, bytesPerSession })
        if (isSealed) storms.push(await measureStorm(name, store))
      }
    } else console.log(`Redis was not measured: ${redisIsMissing}.`)
    const style = await resolveConfig(RESULTS)
    const text = await format(report(results, storms), { ...style, filepath: RESULTS })
    console.log(text)
    writeFileSync(RESULTS, text)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(head),
    line(head.map((_, index) => (index === 0 ? '---' : '--:'))),
    ...rows.map(line),
  ].join('\n')
}

const whole = (value: number): string => Math.round(value).toLocaleString('en')

function report(results: readonly SyncResult[], storms: readonly StormResult[]): string {
  const sync = table(
    [
      'store',
      'throughput, bare = 1',
      'processor time, bare = 1',
      'requests per second',
      'p50 ms',
      'p99 ms',
      'bare: requests per second',
      'p99 ms',
      'bytes per session',
    ],
    results.map((result) => [
      result.store,
      result.throughput.toFixed(2),
      result.processor.toFixed(2),
      whole(result.sync.perSecond),
      result.sync.p50.toFixed(1),
      result.sync.p99.toFixed(1),
      whole(result.bare.perSecond),
      result.bare.p99.toFixed(1),
      whole(result.bytesPerSession),
    ]),
  )
  const storm = table(
    [
      'store',
      'all answered after s',
      'p50 s',
      'p99 s',
      'refreshed',
      'told to come later',
      'most at the provider at once',
      'answers of the provider lost',
      'refresh tokens sent twice',
    ],
    storms.map((result) => [
      result.store,
      (result.total / 1000).toFixed(1),
      (result.p50 / 1000).toFixed(1),
      (result.p99 / 1000).toFixed(1),
      whole(result.refreshed),
      whole(result.refused),
      whole(result.mostAtOnce),
      whole(result.lost),
      whole(result.reused),
    ]),
  )
  return `# Server under load

Written by \`npm run bench\`: one machine, one run, Node ${process.version}. Absolute numbers say more about the machine than about
the code; the ratios are what to compare. Server, load, provider and Redis are processes of their own on the same machine, and
requests are real HTTP on ${CONNECTIONS} kept connections.

## \`/sync\` on a valid session

Relative to a bare Hono route of the same server that answers the same JSON and reads nothing: medians of ${ROUNDS - 1} rounds of
${ROUND / 1000} s each, in turn. The target for the memory store is 0.7. Sealed: values are encrypted in the store (\`encryptionKeys\`).
Bytes per session: heap of the process for the memory store, the file for SQLite, the server's memory for Redis, with an access token and an ID
token of 1,000 characters each.

${sync}

## ${SESSIONS.toLocaleString('en')} sessions that expire together

Each session's access token has expired, each has a connection open, and all ask in the same moment. The provider takes 20 ms for a refresh and
sets no limit.

${storm}
`
}
