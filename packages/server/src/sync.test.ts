import { Hono } from 'hono'
import { decodeJwt } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  addressOf,
  BRIDGE_HEADERS,
  Browser,
  ORIGIN,
  startApp,
  type TestApp,
} from './app.test.fixture.ts'

interface Answer {
  readonly accessToken: string
  readonly expiresAt: number
  readonly serverTime: number
  readonly tokenType: string
  readonly scope?: string
}

let app: TestApp
beforeEach(async () => {
  app = await startApp()
})
afterEach(() => app[Symbol.asyncDispose]())

const answerOf = async (response: Response): Promise<Answer> => {
  expect(response.status).toBe(200)
  return (await response.json()) as Answer
}
const refreshes = () => (app.provider.requests.get('/token') ?? 0) - 1
const reasonOf = async (response: Response) => {
  expect(response.status).toBe(401)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  return ((await response.json()) as { reason: string }).reason
}
const sid = () => app.browser.jar(ORIGIN).get('__Host-Http-sid')

function gate(): () => void {
  let open = () => {}
  app.provider.gate = new Promise<void>((resolve) => {
    open = resolve
  })
  return open
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('a token', () => {
  it('is the JWT of the session, for the resource asked for, with its expiry in epoch milliseconds', async () => {
    await app.signIn()
    const before = app.now()
    const answer = await answerOf(await app.sync())
    const claims = decodeJwt(answer.accessToken)
    expect(claims.aud).toBe('https://api.example.com')
    expect(answer).toEqual({
      accessToken: expect.any(String),
      expiresAt: expect.any(Number),
      serverTime: expect.any(Number),
      tokenType: 'Bearer',
      scope: 'api:read',
    })
    expect(Math.abs(answer.expiresAt - (claims.exp ?? 0) * 1000)).toBeLessThan(2_000)
    expect(answer.serverTime).toBeGreaterThanOrEqual(before)
  })

  it('is handed out again without a refresh while it lives long enough', async () => {
    await app.signIn()
    const first = await answerOf(await app.sync({}))
    app.pass(209_000)
    expect((await answerOf(await app.sync({}))).accessToken).toBe(first.accessToken)
    expect(refreshes()).toBe(0)
  })

  it('is refreshed when it lives no longer than the minimum lifetime', async () => {
    await app.signIn()
    const first = await answerOf(await app.sync())
    app.pass(210_000)
    const second = await answerOf(await app.sync())
    expect(second.accessToken).not.toBe(first.accessToken)
    expect(second.expiresAt).toBeGreaterThan(first.expiresAt)
    expect(refreshes()).toBe(1)
  })

  it('is a newer one when the caller names the one to be replaced', async () => {
    await app.signIn()
    const first = await answerOf(await app.sync())
    const second = await answerOf(await app.sync({ newerThan: first.expiresAt }))
    expect(second.expiresAt).toBeGreaterThan(first.expiresAt)
    const third = await answerOf(await app.sync({ newerThan: first.expiresAt }))
    expect(third.accessToken).toBe(second.accessToken)
    expect(refreshes()).toBe(1)
  })

  it('expires strictly later with every refresh, even within one millisecond', async () => {
    const instant = Date.now()
    await using frozen = await startApp({ now: () => instant })
    await frozen.signIn()
    let newerThan = (await answerOf(await frozen.sync())).expiresAt
    for (let i = 0; i < 3; i++) {
      const { expiresAt } = await answerOf(await frozen.sync({ newerThan }))
      expect(expiresAt).toBeGreaterThan(newerThan)
      newerThan = expiresAt
    }
  })

  it('is never said to live longer than the provider said, give or take a second', async () => {
    await app.signIn()
    const first = await answerOf(await app.sync())
    app.provider.fault = {
      status: 200,
      body: { access_token: 'short', token_type: 'Bearer', expires_in: 100 },
    }
    const { expiresAt } = await answerOf(await app.sync({ newerThan: first.expiresAt }))
    expect(expiresAt - app.now()).toBeLessThanOrEqual(101_000)
  })
})

describe('one refresh', () => {
  it('serves a hundred requests that meet an expired token', async () => {
    await app.signIn()
    app.pass(301_000)
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => answerOf(await app.sync())),
    )
    expect(new Set(answers.map((answer) => answer.accessToken)).size).toBe(1)
    expect(refreshes()).toBe(1)
  })

  it('serves a hundred requests that want the same token replaced, joined or late', async () => {
    await app.signIn()
    const { expiresAt } = await answerOf(await app.sync())
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        if (i % 2 === 1) await new Promise((resolve) => setTimeout(resolve, i / 2))
        return answerOf(await app.sync({ newerThan: expiresAt }))
      }),
    )
    expect(new Set(answers.map((answer) => answer.accessToken)).size).toBe(1)
    expect(refreshes()).toBe(1)
  })

  it('is not spent again by a request that read the session before the refresh and asks after it', async () => {
    const { store } = app
    let delay: Promise<void> | undefined
    let reached = () => {}
    await using slow = await startApp({
      issuer: app.provider.issuer,
      store: {
        ...store,
        async get(key) {
          const value = await store.get(key)
          const wait = delay
          delay = undefined
          if (wait !== undefined) reached()
          await wait
          return value
        },
      },
    })
    await app.signIn()
    const { expiresAt } = await answerOf(await app.sync())
    let read = () => {}
    delay = new Promise((resolve) => {
      read = resolve
    })
    const sync = () =>
      slow.request(
        '/api/auth/sync',
        {
          method: 'POST',
          headers: BRIDGE_HEADERS,
          body: JSON.stringify({ newerThan: expiresAt }),
        },
        app.browser,
      )
    const hasReached = new Promise<void>((resolve) => {
      reached = resolve
    })
    const late = sync()
    // Requests overtake each other: the one that is meant to wait has to have read before the other is sent.
    await hasReached
    const first = await answerOf(await sync())
    read()
    expect((await answerOf(await late)).accessToken).toBe(first.accessToken)
    expect(refreshes()).toBe(1)
  })

  it('is joined only by those whom its token satisfies', async () => {
    await app.signIn()
    const { expiresAt } = await answerOf(await app.sync())
    app.pass(301_000)
    const [any, newer] = await Promise.all([
      app.sync().then(answerOf),
      app.sync({ newerThan: expiresAt }).then(answerOf),
    ])
    expect(newer.expiresAt).toBeGreaterThan(expiresAt)
    expect(any.accessToken).toBe(newer.accessToken)
  })

  it('uses the rotated refresh token the next time', async () => {
    await app.signIn()
    for (let i = 0; i < 3; i++) {
      app.pass(301_000)
      expect((await app.sync()).status).toBe(200)
    }
    expect(refreshes()).toBe(3)
  })

  it('asks for the same resource as the sign-in', async () => {
    const bodies: URLSearchParams[] = []
    await using watched = await startApp({
      fetch: async (input, init) => {
        if (addressOf(input).endsWith('/token')) {
          bodies.push(new URLSearchParams(await new Response(init?.body).text()))
        }
        return fetch(input, init)
      },
    })
    await watched.signIn()
    const { expiresAt } = await answerOf(await watched.sync())
    await answerOf(await watched.sync({ newerThan: expiresAt }))
    expect(bodies.map((body) => [body.get('grant_type'), body.get('resource')])).toEqual([
      ['authorization_code', 'https://api.example.com'],
      ['refresh_token', 'https://api.example.com'],
    ])
  })

  it('keeps the old refresh token when the provider returns none', async () => {
    await app.signIn()
    app.provider.fault = {
      status: 200,
      body: { access_token: 'one', token_type: 'Bearer', expires_in: 300 },
    }
    app.pass(301_000)
    expect((await answerOf(await app.sync())).accessToken).toBe('one')
    app.provider.fault = undefined
    app.pass(301_000)
    expect((await answerOf(await app.sync())).accessToken).not.toBe('one')
  })
})

describe('a session', () => {
  it('is asked for when there is none', async () => {
    expect(await reasonOf(await app.sync())).toBe('no-session')
  })

  it('is over after its lifetime, however active', async () => {
    await app.signIn()
    app.pass(12 * 3_600_000 - 1_000)
    expect((await app.sync()).status).toBe(200)
    app.pass(2_000)
    expect(await reasonOf(await app.sync())).toBe('session-expired')
  })

  it('is deleted and its cookie cleared when the provider says invalid_grant', async () => {
    await app.signIn()
    const id = sid()
    app.provider.fault = { status: 400, body: { error: 'invalid_grant' } }
    app.pass(301_000)
    const response = await app.sync()
    expect(await reasonOf(response)).toBe('session-expired')
    expect(sid()).toBeUndefined()
    app.provider.fault = undefined
    expect((await app.sync(undefined, { cookie: `__Host-Http-sid=${id}` })).status).toBe(401)
    expect(refreshes()).toBe(1)
  })

  it('is not signed out by a stale answer after a new sign-in', async () => {
    await app.signIn()
    const stale = sid()
    await app.signIn()
    const response = await app.sync(undefined, { cookie: `__Host-Http-sid=${stale}` })
    expect(response.status).toBe(401)
    expect(response.headers.getSetCookie()).toEqual([])
  })

  it('stays deleted when a refresh that began before the sign-out ends after it', async () => {
    await app.signIn()
    const id = sid()
    app.pass(301_000)
    const open = gate()
    const pending = app.sync()
    await until(() => refreshes() === 1)
    const out = await app.request('/api/auth/logout', { method: 'POST', headers: BRIDGE_HEADERS })
    expect(out.status).toBe(200)
    const revocations = () => app.provider.requests.get('/token/revocation') ?? 0
    await until(() => revocations() === 1)
    open()
    expect(await reasonOf(await pending)).toBe('session-ended')
    expect(revocations()).toBe(2)
    const after = await app.sync(undefined, { cookie: `__Host-Http-sid=${id}` })
    expect(await reasonOf(after)).toBe('session-ended')
  })

  it('ends with its access token when there is no refresh token', async () => {
    const callback = await app.leave()
    await using plain = await startApp({
      issuer: app.provider.issuer,
      store: app.store,
      now: app.now,
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        if (!addressOf(input).endsWith('/token')) return response
        const { refresh_token: _, ...rest } = (await response.json()) as Record<string, unknown>
        return Response.json(rest)
      },
    })
    await plain.request(callback, {}, app.browser)
    app.pass(250_000)
    expect((await app.sync()).status).toBe(200)
    app.pass(46_000)
    expect(await reasonOf(await app.sync())).toBe('session-expired')
    expect(sid()).toBeUndefined()
    expect(refreshes()).toBe(0)
  })
})

describe('a provider that fails', () => {
  it.each([
    ['5xx', { status: 500 }],
    ['429, whatever it says', { status: 429, body: { error: 'invalid_grant' } }],
    ['a refusal of our client', { status: 401, body: { error: 'invalid_client' } }],
    ['something that is not JSON', { status: 200, body: '<html>' }],
  ])('with %s costs no session: 503, then 200', async (_name, fault) => {
    await app.signIn()
    app.pass(301_000)
    app.provider.fault = fault
    const response = await app.sync()
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('5')
    expect(response.headers.getSetCookie()).toEqual([])
    app.provider.fault = undefined
    expect((await app.sync()).status).toBe(200)
  })

  it('has its Retry-After passed on', async () => {
    await app.signIn()
    app.pass(301_000)
    app.provider.fault = { status: 503, headers: { 'retry-after': '17' } }
    expect((await app.sync()).headers.get('retry-after')).toBe('17')
    app.pass(17_000)
    app.provider.fault = {
      status: 429,
      headers: { 'retry-after': new Date(app.now() + 42_000).toUTCString() },
    }
    expect(Number((await app.sync()).headers.get('retry-after'))).toBeGreaterThanOrEqual(41)
  })

  it('is bridged by a token that still lives, unless the caller wants that one replaced', async () => {
    await app.signIn()
    const first = await answerOf(await app.sync())
    app.pass(250_000)
    app.provider.fault = { status: 500 }
    expect((await answerOf(await app.sync())).accessToken).toBe(first.accessToken)
    expect((await app.sync({ newerThan: first.expiresAt })).status).toBe(503)
    app.pass(45_000)
    expect((await app.sync()).status).toBe(503)
  })

  it('by not answering at all counts as unavailable', async () => {
    await app.signIn()
    app.pass(301_000)
    await app.provider[Symbol.asyncDispose]()
    expect((await app.sync()).status).toBe(503)
    app = await startApp()
  })
})

describe('a sync request', () => {
  const without = (name: string) =>
    Object.fromEntries(Object.entries(BRIDGE_HEADERS).filter(([key]) => key !== name))

  it.each([
    ['no own header', without('x-token-bridge')],
    ['another version', { ...BRIDGE_HEADERS, 'x-token-bridge': '2' }],
    ['no Origin', without('origin')],
    ['a null Origin', { ...BRIDGE_HEADERS, origin: 'null' }],
    ['a sibling Origin', { ...BRIDGE_HEADERS, origin: 'https://shop.example.com' }],
    ['a longer Origin', { ...BRIDGE_HEADERS, origin: `${ORIGIN}.evil.example` }],
    ['no Sec-Fetch-Site', without('sec-fetch-site')],
    ['a sibling site', { ...BRIDGE_HEADERS, 'sec-fetch-site': 'same-site' }],
    ['another site', { ...BRIDGE_HEADERS, 'sec-fetch-site': 'cross-site' }],
    ['an address bar', { ...BRIDGE_HEADERS, 'sec-fetch-site': 'none' }],
    ['no Sec-Fetch-Dest', without('sec-fetch-dest')],
    ['a navigation', { ...BRIDGE_HEADERS, 'sec-fetch-dest': 'document' }],
    ['a script element', { ...BRIDGE_HEADERS, 'sec-fetch-dest': 'script' }],
  ])('with %s is refused, for sync and for logout', async (_name, headers) => {
    await app.signIn()
    for (const path of ['/api/auth/sync', '/api/auth/logout']) {
      const response = await app.request(path, { method: 'POST', headers })
      expect(response.status).toBe(403)
      expect(await response.text()).not.toContain('accessToken')
    }
    expect((await app.sync()).status).toBe(200)
  })

  it('with a query is refused', async () => {
    await app.signIn()
    const response = await app.request('/api/auth/sync?x=1', {
      method: 'POST',
      headers: BRIDGE_HEADERS,
    })
    expect(response.status).toBe(403)
  })

  it('with more than a kibibyte is refused, announced or not', async () => {
    await app.signIn()
    const body = JSON.stringify({ padding: 'x'.repeat(1_100) })
    expect((await app.sync({ padding: 'x'.repeat(1_100) })).status).toBe(413)
    const announced = await app.request('/api/auth/sync', {
      method: 'POST',
      headers: { ...BRIDGE_HEADERS, 'content-length': String(body.length) },
      body,
    })
    expect(announced.status).toBe(413)
  })

  it('with a body that is not called JSON is refused', async () => {
    await app.signIn()
    const send = (type: string) =>
      app.request('/api/auth/sync', {
        method: 'POST',
        headers: { ...BRIDGE_HEADERS, 'content-type': type },
        body: '{}',
      })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx'])
      expect((await send(type)).status).toBe(415)
    expect((await send('application/json; charset=utf-8')).status).toBe(200)
  })

  it('with more header fields than any app needs is refused', async () => {
    await app.signIn()
    const send = (size: number) =>
      app.request('/api/auth/sync', {
        method: 'POST',
        headers: { ...BRIDGE_HEADERS, 'x-padding': 'x'.repeat(size) },
      })
    expect((await send(8_000)).status).toBe(200)
    const refused = await send(12_288)
    expect(refused.status).toBe(431)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    const bomb = { ...BRIDGE_HEADERS, cookie: `a=${'x'.repeat(13_000)}` }
    expect((await app.request('/api/auth/sync', { method: 'POST', headers: bomb })).status).toBe(
      431,
    )
  })

  it.each([
    ['no JSON', '{'],
    ['an array', '[]'],
    ['seconds', '{"newerThan":1750000000}'],
    ['a string', '{"newerThan":"1750000000000"}'],
  ])('with %s as body is told what is wrong', async (_name, body) => {
    await app.signIn()
    const response = await app.request('/api/auth/sync', {
      method: 'POST',
      headers: BRIDGE_HEADERS,
      body,
    })
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
  })

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'constructor'])(
    'by %s gets 405 with Allow',
    async (method) => {
      const response = await app.request('/api/auth/sync', { method, headers: BRIDGE_HEADERS })
      expect(response.status).toBe(405)
      expect(response.headers.get('allow')).toBe('POST')
    },
  )

  it('by GET is answered only where the option allows it, and only to our own fetch', async () => {
    await using lenient = await startApp({ allowGet: true })
    await lenient.signIn()
    const get = (headers: Record<string, string>) => lenient.request('/api/auth/sync', { headers })
    expect((await get({ 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'empty' })).status).toBe(
      200,
    )
    expect((await get({ 'sec-fetch-site': 'same-site', 'sec-fetch-dest': 'empty' })).status).toBe(
      403,
    )
    expect(
      (await get({ 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'script' })).status,
    ).toBe(403)
    expect((await get({})).status).toBe(403)
  })
})

describe('a flood', () => {
  // superset#5513: a broken session made 300 times the calls, and what stopped them locked the sign-in out too.
  it('of one session is refused before the store is asked, and only that session', async () => {
    let reads = 0
    // So that nothing comes back while the flood runs.
    const instant = Date.now()
    await using busy = await startApp({
      now: () => instant,
      store: {
        ...app.store,
        get: async (key) => {
          reads += 1
          return app.store.get(key)
        },
      },
    })
    await busy.signIn()
    const other = new Browser()
    await busy.signIn('/', other)
    const sync = (browser = busy.browser) =>
      busy.request('/api/auth/sync', { method: 'POST', headers: BRIDGE_HEADERS }, browser)
    reads = 0
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => sync()))
    const allowed = answers.filter(({ status }) => status === 200).length
    const refused = answers.filter(({ status }) => status === 429)
    expect([allowed, refused.length]).toEqual([120, 880])
    // The session and its two marks, for those alone who were let through.
    expect(reads).toBe(allowed * 3)
    expect(refused[0]?.headers.get('retry-after')).toBe('1')
    expect(refused[0]?.headers.get('content-type')).toBe('application/problem+json')
    expect(refused.flatMap(({ headers }) => headers.getSetCookie())).toEqual([])
    expect(busy.log).toEqual(['[auth] too many requests of one session: /sync'])

    expect((await sync(other)).status).toBe(200)
    expect((await busy.logout()).status).toBe(200)
    // The grant was revoked, and the provider asks anew.
    busy.browser.cookies.delete(busy.provider.issuer)
    expect((await busy.signIn()).status).toBe(200)
  })

  it('is over when time has passed', async () => {
    await app.signIn()
    await Promise.all(Array.from({ length: 200 }, () => app.sync()))
    expect((await app.sync()).status).toBe(429)
    app.pass(1_000)
    expect((await app.sync()).status).toBe(200)
  })

  it('is measured as the options say', async () => {
    await using strict = await startApp({ rateLimit: { burst: 2, perSecond: 0.1 } })
    await strict.signIn()
    expect((await strict.sync()).status).toBe(200)
    expect((await strict.sync()).status).toBe(200)
    const refused = await strict.sync()
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('10')
    await using open = await startApp({ rateLimit: false })
    await open.signIn()
    const answers = await Promise.all(Array.from({ length: 200 }, () => open.sync()))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
  })
})

describe('every answer', () => {
  it.each([
    ['sync', 'POST', 401],
    ['logout', 'POST', 200],
    ['login', 'GET', 302],
    ['callback', 'GET', 400],
    ['backchannel-logout', 'POST', 400],
    ['healthz', 'GET', 200],
    ['readyz', 'GET', 200],
    ['nothing-here', 'GET', 404],
    ['sync', 'OPTIONS', 405],
  ])(
    'of /%s by %s is not cached, not shared, not sniffed and has no CORS header',
    async (path, method, status) => {
      const response = await app.request(`/api/auth/${path}`, { method, headers: BRIDGE_HEADERS })
      expect(response.status).toBe(status)
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'cache-control': 'no-store',
        vary: 'Origin, Sec-Fetch-Site, Cookie',
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
      })
      const names = [...response.headers.keys()]
      expect(names.filter((name) => name.startsWith('access-control-'))).toEqual([])
    },
  )

  it('has the headers that a middleware of the app has set before it', async () => {
    await using mounted = await startApp({}, async (auth) => {
      const outer = new Hono()
      outer.use(async (c, next) => {
        c.header('X-Request-Id', '7')
        await next()
      })
      outer.route('/api/auth', auth)
      return async (url, init) => outer.request(url, init)
    })
    const statuses = [await mounted.sync()]
    await mounted.signIn()
    statuses.push(await mounted.sync())
    expect(statuses.map(({ status, headers }) => [status, headers.get('x-request-id')])).toEqual([
      [401, '7'],
      [200, '7'],
    ])
  })
})
