/** Duende (BFF, AccessTokenManagement), and the servers of others: nightscout, spiderly, CERTUNLP/ngen, servant-auth. */
import { SecureTokenBridge, syncEndpoint, type BridgeEvent } from '@token-bridge/core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fakeOrigin } from '../../packages/core/src/tabs/fake-tabs.test.support.ts'
import {
  addressOf,
  BRIDGE_HEADERS,
  ORIGIN,
  startApp,
  type TestApp,
} from '../../packages/server/src/app.test.fixture.ts'
import { CLIENT_ID } from '../../packages/server/src/oidc-provider.test.fixture.ts'

const API = 'https://api.example.com'

let app: TestApp
const open: SecureTokenBridge[] = []
beforeEach(async () => {
  app = await startApp()
})
afterEach(async () => {
  for (const bridge of open.splice(0)) bridge.stop()
  await app[Symbol.asyncDispose]()
})

const refreshes = (): number => (app.provider.requests.get('/token') ?? 0) - 1
const sid = (): string | undefined => app.browser.jar(ORIGIN).get('__Host-Http-sid')
const logout = (): Promise<Response> =>
  app.request('/api/auth/logout', { method: 'POST', headers: BRIDGE_HEADERS })

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2))
}

/** The provider keeps its answers back until they are let go. */
function gate(): () => void {
  let letGo = (): void => {}
  app.provider.gate = new Promise((resolve) => {
    letGo = resolve
  })
  return letGo
}

/** The tabs of a browser, in front of the real server, on the server's clock. */
function openTabs(
  count: number,
  answer: (authorization: string | null) => Response,
  hasLocks = true,
) {
  const origin = fakeOrigin({ setTimer: (callback, delay) => setTimeout(callback, delay) })
  return Array.from({ length: count }, () => {
    const { openChannel, locks } = origin.openTab()
    const bridge = new SecureTokenBridge({
      source: syncEndpoint(),
      origins: [API],
      telemetry: { alerts: { unauthorized: { threshold: 5 } } },
      fetch: async (input, init = {}) => {
        if (addressOf(input).startsWith(API))
          return answer(new Headers(init.headers).get('authorization'))
        // What the browser adds by itself.
        const headers = new Headers(BRIDGE_HEADERS)
        new Headers(init.headers).forEach((value, name) => headers.set(name, value))
        return app.request(addressOf(input), { ...init, headers })
      },
      environment: { openChannel, locks: hasLocks ? locks : undefined, wallClock: app.now },
    })
    open.push(bridge)
    const events: BridgeEvent[] = []
    bridge.events$.subscribe((event) => events.push(event))
    return { bridge: bridge.start(), reader: bridge.reader('orders'), events }
  })
}

it.each([
  ['with', true],
  ['without', false],
])(
  'Duende support#966, #154, AccessTokenManagement PR #12, nightscout PR #391: eight tabs of parallel requests, %s locks, meet an expired token, and one refresh serves them all',
  async (_what, hasLocks) => {
    await app.signIn()
    const used = new Set<string | null>()
    const tabs = openTabs(
      8,
      (authorization) => {
        used.add(authorization)
        return new Response(null, { status: 200 })
      },
      hasLocks,
    )
    await Promise.all(tabs.map(({ reader }) => reader.ready()))
    expect(refreshes()).toBe(0)
    app.pass(301_000)
    const responses = await Promise.all(
      tabs.flatMap(({ reader }) =>
        Array.from({ length: 10 }, (_, index) => reader.fetch(`${API}/orders/${index}`)),
      ),
    )
    expect(responses.map(({ status }) => status)).toEqual(Array(80).fill(200))
    expect(used.size).toBe(1)
    expect(refreshes()).toBe(1)
    for (const { bridge, events } of tabs) {
      expect(bridge.snapshot.status).toBe('ready')
      // Nobody is shown the sign-in.
      expect(events.filter(({ type }) => type === 'auth-reset')).toEqual([])
    }
  },
)

it('Duende support#966: an app that says "signed in" while the API refuses everything is noticed', async () => {
  await app.signIn()
  const [tab] = openTabs(1, () => new Response(null, { status: 401 }))
  await tab?.reader.ready()
  for (let times = 0; times < 20; times += 1)
    expect((await tab?.reader.fetch(`${API}/orders`))?.status).toBe(401)
  expect(tab?.events.filter(({ type }) => type === 'alert')).toEqual([
    expect.objectContaining({ rule: 'unauthorized', state: 'firing' }),
  ])
  expect(refreshes()).toBe(1)
})

it('Duende support#1286: a second server on the same store reads again before it refreshes, and spends no token twice', async () => {
  await using second = await startApp({
    issuer: app.provider.issuer,
    store: app.store,
    now: app.now,
  })
  await app.signIn()
  app.pass(301_000)
  const first = (await (await app.sync()).json()) as { accessToken: string; expiresAt: number }
  const sync = (question: object): Promise<Response> =>
    second.request(
      '/api/auth/sync',
      { method: 'POST', headers: BRIDGE_HEADERS, body: JSON.stringify(question) },
      app.browser,
    )
  const other = (await (await sync({})).json()) as { accessToken: string }
  expect(other.accessToken).toBe(first.accessToken)
  expect(refreshes()).toBe(1)
  expect((await sync({ newerThan: first.expiresAt })).status).toBe(200)
  expect((await app.sync()).status).toBe(200)
  expect(refreshes()).toBe(2)
})

it('Duende support#1286: two servers on the same store that meet an expired token in the same moment refresh it once', async () => {
  const others = await Promise.all(
    [1, 2].map(() => startApp({ issuer: app.provider.issuer, store: app.store, now: app.now })),
  )
  await app.signIn()
  app.pass(301_000)
  const init = { method: 'POST', headers: BRIDGE_HEADERS }
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      (others[index % 3] ?? app).request('/api/auth/sync', init, app.browser),
    ),
  )
  expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200))
  const tokens = await Promise.all(answers.map(async (answer) => (await answer.json()) as object))
  expect(new Set(tokens.map((each) => 'accessToken' in each && each.accessToken)).size).toBe(1)
  expect(refreshes()).toBe(1)
  // And the one refresh token that is left is the right one.
  app.pass(301_000)
  expect((await app.sync()).status).toBe(200)
  for (const other of others) await other[Symbol.asyncDispose]()
})

it('Duende BFF#1: a session that the server ended is over in the browser with its next question', async () => {
  await app.signIn()
  const [tab] = openTabs(1, () => new Response(null))
  await tab?.reader.ready()
  const elsewhere = await logout()
  expect(elsewhere.status).toBe(200)
  app.pass(301_000)
  const failure = await tab?.reader.fetch(`${API}/orders`).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'ERR_SIGNED_OUT' })
  expect(tab?.bridge.snapshot.status).toBe('signed-out')
})

it('Duende BFF#1: a back-channel logout reaches each tab with its next question, and brings no refresh back', async () => {
  await app.signIn()
  const tabs = openTabs(2, () => new Response(null))
  await Promise.all(tabs.map(({ reader }) => reader.ready()))
  app.pass(301_000)
  const letGo = gate()
  const late = app.sync()
  await until(() => refreshes() === 1)
  const now = Math.floor(app.now() / 1000)
  const logoutToken = await app.provider.sign({
    iss: app.provider.issuer,
    aud: CLIENT_ID,
    sub: 'alice',
    iat: now,
    exp: now + 60,
    jti: crypto.randomUUID(),
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  })
  const heard = await app.request('/api/auth/backchannel-logout', {
    method: 'POST',
    body: new URLSearchParams({ logout_token: logoutToken }),
  })
  expect(heard.status).toBe(200)
  letGo()
  expect((await late).status).toBe(401)
  for (const { bridge, reader } of tabs) {
    const failure = await reader.fetch(`${API}/orders`).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'ERR_SIGNED_OUT' })
    expect(bridge.snapshot.status).toBe('signed-out')
  }
})

it('spiderly#384: who comes late with an old session does not clear the cookie of the new one', async () => {
  await app.signIn()
  const stale = sid()
  await app.signIn()
  const fresh = sid()
  const late = await app.sync(undefined, { cookie: `__Host-Http-sid=${stale}` })
  expect(late.status).toBe(401)
  expect(late.headers.getSetCookie()).toEqual([])
  expect(sid()).toBe(fresh)
  expect((await app.sync()).status).toBe(200)
})

it('ngen PR #275: a refresh that ends after the sign-out sets no cookie, and harms no new session', async () => {
  await app.signIn()
  app.pass(301_000)
  const letGo = gate()
  const late = app.sync()
  await until(() => refreshes() === 1)
  expect((await logout()).status).toBe(200)
  expect(sid()).toBeUndefined()
  letGo()
  const answer = await late
  expect(answer.status).toBe(401)
  expect(answer.headers.getSetCookie()).toEqual([])
  expect(sid()).toBeUndefined()
  app.provider.gate = undefined
  // The provider has forgotten the grant as well, and asks anew.
  app.browser.cookies.delete(app.provider.issuer)
  await app.signIn()
  expect((await app.sync()).status).toBe(200)
})

it('servant-auth#71: parallel requests need no token that each answer replaces', async () => {
  await app.signIn()
  const answers = await Promise.all(Array.from({ length: 20 }, () => app.sync()))
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(answers.flatMap((answer) => answer.headers.getSetCookie())).toEqual([])
})

it('msal PR #4015, #5611: a sign-in that was begun and never ended blocks no other one', async () => {
  const abandoned = await app.leave('/a')
  expect((await app.signIn('/b')).status).toBe(200)
  expect((await app.sync()).status).toBe(200)
  expect((await app.request(abandoned)).status).toBeLessThan(500)
  expect((await app.sync()).status).toBe(200)
})

it('axa#1678, logto#1073: a callback whose transaction is gone, or that comes twice, is answered with a page and exchanges nothing', async () => {
  const callback = await app.leave('/a')
  app.pass(11 * 60_000)
  const before = app.provider.requests.get('/token') ?? 0
  const evicted = await app.request(callback)
  expect(evicted.status).toBe(400)
  expect(evicted.headers.get('content-type')).toContain('text/html')
  const second = await app.leave('/b')
  await app.request(second)
  await app.request(second)
  expect((app.provider.requests.get('/token') ?? 0) - before).toBe(1)
  expect((await app.sync()).status).toBe(200)
})
