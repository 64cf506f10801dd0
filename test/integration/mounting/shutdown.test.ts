import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  BRIDGE_HEADERS,
  ORIGIN,
  startApp,
  type TestApp,
} from '../../../packages/server/src/app.test.fixture.ts'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  RESOURCE,
} from '../../../packages/server/src/oidc-provider.test.fixture.ts'

interface Answer {
  readonly accessToken: string
  readonly expiresAt: number
}

let folder: string
let app: TestApp
let address: string
const replicas: ChildProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-bridge-'))
  app = await startApp(
    {},
    async () => (url, init) => fetch(url.replace(ORIGIN, address), { redirect: 'manual', ...init }),
  )
})
afterEach(async () => {
  for (const replica of replicas.splice(0)) replica.kill('SIGKILL')
  await app[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** Starts a process; from now on the browser talks to it. */
async function start(): Promise<ChildProcess> {
  const options = {
    issuer: app.provider.issuer,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    origin: ORIGIN,
    scope: 'openid offline_access api:read',
    resource: RESOURCE,
    encryptionKeys: ['k'.repeat(43)],
  }
  const replica = fork(
    new URL('./replica.ts', import.meta.url),
    [join(folder, 'sessions.db'), JSON.stringify(options)],
    { execArgv: ['--conditions=@token-bridge/source', '--no-warnings'] },
  )
  replicas.push(replica)
  const [port] = (await once(replica, 'message')) as [number]
  address = `http://127.0.0.1:${port}`
  return replica
}

const tokenRequests = () => app.provider.requests.get('/token') ?? 0

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Asks for a newer token, and keeps the provider's answer back: the old refresh token is spent, the new one on its way. */
async function refreshHalfway(signal?: AbortSignal) {
  const { expiresAt } = (await (await app.sync({})).json()) as Answer
  let letGo = () => {}
  app.provider.gate = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const before = tokenRequests()
  const pending = app.request('/api/auth/sync', {
    method: 'POST',
    headers: BRIDGE_HEADERS,
    body: JSON.stringify({ newerThan: expiresAt }),
    ...(signal !== undefined && { signal }),
  })
  // Whoever waits for it is told; here it is only kept from being unhandled.
  pending.catch(() => {})
  await until(() => tokenRequests() > before)
  return { pending, letGo }
}

describe('a process that gets SIGTERM in the middle of a refresh', () => {
  it('answers it, stores it, and ends', async () => {
    const replica = await start()
    await app.signIn()
    const { pending, letGo } = await refreshHalfway()
    const ended = once(replica, 'exit')
    replica.kill('SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(replica.exitCode).toBeNull()
    letGo()
    const answer = (await (await pending).json()) as Answer
    expect(await ended).toEqual([0, null])

    await start()
    const after = (await (await app.sync({})).json()) as Answer
    expect(after.accessToken).toBe(answer.accessToken)
    // The refresh token of that answer was kept as well: the one before is spent.
    expect((await app.sync({ newerThan: after.expiresAt })).status).toBe(200)
  })

  it('stores it also when the browser that asked has gone', async () => {
    const replica = await start()
    await app.signIn()
    const tab = new AbortController()
    const { pending, letGo } = await refreshHalfway(tab.signal)
    tab.abort()
    await expect(pending).rejects.toThrow('aborted')
    const ended = once(replica, 'exit')
    replica.kill('SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(replica.exitCode).toBeNull()
    letGo()
    expect(await ended).toEqual([0, null])

    await start()
    const { expiresAt } = (await (await app.sync({})).json()) as Answer
    expect((await app.sync({ newerThan: expiresAt })).status).toBe(200)
  })
})

it('the deployment guide shows how', async () => {
  const guide = await readFile(new URL('../../../docs/deployment.md', import.meta.url), 'utf8')
  const file = await readFile(new URL('./stop-on-sigterm.ts', import.meta.url), 'utf8')
  expect(guide).toContain(file.trim())
})
