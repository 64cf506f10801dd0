import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addressOf, Browser, ORIGIN, startApp, type TestApp } from './app.test.fixture.ts'

let app: TestApp
beforeEach(async () => {
  app = await startApp()
})
afterEach(() => app[Symbol.asyncDispose]())

const setCookies = (response: Response) => response.headers.getSetCookie()
const sid = () => app.browser.jar(ORIGIN).get('__Host-Http-sid')

describe('GET /login', () => {
  it('sends the browser to the provider with PKCE S256, state, nonce, scope and resource', async () => {
    const response = await app.request('/api/auth/login')
    expect(response.status).toBe(302)
    const url = new URL(response.headers.get('location') ?? '')
    expect(url.origin).toBe(app.provider.issuer)
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'shop',
      response_type: 'code',
      redirect_uri: `${ORIGIN}/api/auth/callback`,
      scope: 'openid offline_access api:read',
      resource: 'https://api.example.com',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    })
  })

  it('names the audience for providers that do not know resources', async () => {
    await using other = await startApp({ audience: 'https://api.example.com/' })
    const response = await other.request('/api/auth/login')
    const url = new URL(response.headers.get('location') ?? '')
    expect(url.searchParams.get('audience')).toBe('https://api.example.com/')
  })

  it.each(['//evil.example', '/\\evil.example', 'https://evil.example/', '/api/auth/login'])(
    'takes %s for no way back',
    async (wish) => {
      const html = await (await app.signIn(wish)).text()
      expect(html).toContain(`<a href="${ORIGIN}/">`)
      expect(html).not.toContain('evil')
    },
  )

  it('sets a login cookie that the way back is sent: HttpOnly, Secure, SameSite=Lax, ten minutes', async () => {
    const response = await app.request('/api/auth/login')
    expect(setCookies(response)).toEqual([
      expect.stringMatching(
        /^__Host-Http-login=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ])
  })

  it('replaces a login cookie that it did not make, and keeps its own', async () => {
    app.browser.jar(ORIGIN).set('__Host-Http-login', 'short')
    await app.request('/api/auth/login')
    const made = app.browser.jar(ORIGIN).get('__Host-Http-login')
    expect(made).toMatch(/^[\w-]{43}$/)
    await app.request('/api/auth/login')
    expect(app.browser.jar(ORIGIN).get('__Host-Http-login')).toBe(made)
  })

  it('shows a page and tries discovery again later when the provider cannot be reached', async () => {
    let isDown = true
    let discoveries = 0
    await using fragile = await startApp({
      fetch: (input, init) => {
        discoveries += addressOf(input).includes('.well-known') ? 1 : 0
        return isDown ? Promise.reject(new TypeError('fetch failed')) : fetch(input, init)
      },
    })
    const response = await fragile.request('/api/auth/login?returnTo=/cart')
    expect(response.status).toBe(503)
    expect(await response.text()).toContain('/api/auth/login?returnTo=%2Fcart')
    isDown = false
    await fragile.signIn()
    expect((await fragile.sync()).status).toBe(200)
    expect(discoveries).toBe(2)
  })
})

describe('GET /callback', () => {
  it('starts a session and answers a page of its own instead of a redirect', async () => {
    const response = await app.signIn('/cart?step=2&x=%22%3E#pay')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/html/)
    expect(response.headers.get('content-security-policy')).toBe(
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    const html = await response.text()
    const address = 'https://app.example.com/cart?step=2&amp;x=%22%3E#pay'
    expect(html).toContain(`<meta http-equiv="refresh" content="0;url=${address}">`)
    expect(html).toContain(`<a href="${address}">`)
    expect(html).not.toContain('<script')
  })

  it('escapes the address in the page', async () => {
    const html = await (await app.signIn(`/a'b&c="><script>`.replace('"><', ''))).text()
    expect(html).toContain('https://app.example.com/a&#39;b&amp;c=script%3E')
  })

  it('sets the session cookie HttpOnly, Secure, SameSite=Strict, on the whole host and for the lifetime of the session', async () => {
    const response = await app.signIn()
    expect(setCookies(response)).toEqual([
      expect.stringMatching(
        /^__Host-Http-sid=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
      ),
    ])
  })

  it('gives every sign-in a new session id and ends the session that was before', async () => {
    await app.signIn()
    const first = sid()
    await app.signIn()
    expect(sid()).not.toBe(first)
    const old = await app.sync(undefined, { cookie: `__Host-Http-sid=${first}` })
    expect(old.status).toBe(401)
    expect((await app.sync()).status).toBe(200)
  })

  it('ends the former session although the callback is not sent the Strict cookie', async () => {
    await app.signIn()
    const first = sid()
    const callback = await app.leave()
    app.browser.jar(ORIGIN).delete('__Host-Http-sid')
    await app.request(callback)
    const old = await app.sync(undefined, { cookie: `__Host-Http-sid=${first}` })
    expect(old.status).toBe(401)
  })

  it('does not take over a session id that was planted', async () => {
    const planted = 'A'.repeat(43)
    app.browser.jar(ORIGIN).set('__Host-Http-sid', planted)
    await app.signIn()
    expect(sid()).not.toBe(planted)
    expect((await app.sync(undefined, { cookie: `__Host-Http-sid=${planted}` })).status).toBe(401)
  })

  it('refuses a state that was used already', async () => {
    const callback = await app.leave()
    expect((await app.request(callback)).status).toBe(200)
    const tokens = app.provider.requests.get('/token')
    const replay = await app.request(callback)
    expect(replay.status).toBe(400)
    expect(await replay.text()).toContain('Try again')
    expect(setCookies(replay)).toEqual([])
    expect(app.provider.requests.get('/token')).toBe(tokens)
  })

  it.each([
    ['missing', (url: URL) => url.searchParams.delete('state')],
    ['another', (url: URL) => url.searchParams.set('state', 'A'.repeat(43))],
  ])('refuses a %s state', async (_name, change) => {
    const url = new URL(await app.leave())
    change(url)
    const response = await app.request(url.href)
    expect(response.status).toBe(400)
    expect(app.provider.requests.get('/token')).toBeUndefined()
  })

  it('refuses a sign-in that another browser started', async () => {
    const callback = await app.leave()
    const other = new Browser()
    await app.request('/api/auth/login', {}, other)
    expect((await app.request(callback, {}, other)).status).toBe(400)
    expect((await app.request(callback, {}, new Browser())).status).toBe(400)
  })

  it('lets two tabs of one browser sign in at the same time', async () => {
    const first = await app.leave('/one')
    const second = await app.leave('/two')
    expect(await (await app.request(first)).text()).toContain('/one')
    const former = sid()
    expect(await (await app.request(second)).text()).toContain('/two')
    const { status } = await app.sync(undefined, { cookie: `__Host-Http-sid=${former}` })
    expect(status).toBe(401)
  })

  it('refuses a sign-in that took more than ten minutes', async () => {
    const callback = await app.leave()
    app.pass(600_000)
    expect((await app.request(callback)).status).toBe(400)
  })

  it('refuses an answer of another issuer (RFC 9207)', async () => {
    const url = new URL(await app.leave())
    expect(url.searchParams.get('iss')).toBe(app.provider.issuer)
    url.searchParams.set('iss', 'https://evil.example')
    const response = await app.request(url.href)
    expect(response.status).toBe(400)
    expect(app.provider.requests.get('/token')).toBeUndefined()
  })

  it('refuses an answer that hides its issuer, where the provider promised to name it', async () => {
    const url = new URL(await app.leave())
    url.searchParams.delete('iss')
    expect((await app.request(url.href)).status).toBe(400)
    expect(app.provider.requests.get('/token')).toBeUndefined()
    expect(sid()).toBeUndefined()
  })

  it.each<[string, (claims: Record<string, unknown>) => Record<string, unknown>]>([
    ['of another issuer', (claims) => ({ ...claims, iss: 'https://evil.example' })],
    ['for another client', (claims) => ({ ...claims, aud: 'other' })],
    [
      'for several, made out to another',
      ({ aud, ...claims }) => ({ ...claims, aud: [aud, 'x'], azp: 'x' }),
    ],
    ['that is over', (claims) => ({ ...claims, exp: 1_700_000_000 })],
    ['without a nonce', (claims) => ({ ...claims, nonce: undefined })],
    ['with another nonce', (claims) => ({ ...claims, nonce: 'other' })],
    ['about nobody', (claims) => ({ ...claims, sub: undefined })],
  ])('refuses an ID token %s', async (_name, change) => {
    const callback = await app.leave()
    await using mixedUp = await startApp({
      issuer: app.provider.issuer,
      store: app.store,
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        if (!addressOf(input).endsWith('/token')) return response
        const grant = (await response.json()) as { id_token: string }
        const [header = '', payload = '', signature = ''] = grant.id_token.split('.')
        const claims = change(JSON.parse(atob(payload)) as Record<string, unknown>)
        const changed = Buffer.from(JSON.stringify(claims)).toString('base64url')
        return Response.json({ ...grant, id_token: [header, changed, signature].join('.') })
      },
    })
    const response = await mixedUp.request(callback, {}, app.browser)
    expect(response.status).toBe(400)
    expect(setCookies(response)).toEqual([])
    expect(sid()).toBeUndefined()
  })

  it('refuses tokens that come without an ID token', async () => {
    const callback = await app.leave()
    await using plain = await startApp({
      issuer: app.provider.issuer,
      store: app.store,
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        if (!addressOf(input).endsWith('/token')) return response
        const { id_token: _, ...rest } = (await response.json()) as Record<string, unknown>
        return Response.json(rest)
      },
    })
    expect((await plain.request(callback, {}, app.browser)).status).toBe(400)
    expect(sid()).toBeUndefined()
  })

  it('refuses a provider whose metadata names another issuer', async () => {
    await using impostor = await startApp({
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        if (!addressOf(input).includes('.well-known')) return response
        const metadata = (await response.json()) as Record<string, unknown>
        return Response.json({ ...metadata, issuer: 'https://evil.example' })
      },
    })
    const response = await impostor.request('/api/auth/login')
    expect(response.headers.get('location')).toBeNull()
    expect(response.status).toBeGreaterThanOrEqual(400)
  })

  it('refuses an ID token with the nonce of another sign-in', async () => {
    const store = app.store
    const callback = await app.leave()
    await using careless = await startApp({
      issuer: app.provider.issuer,
      store: {
        ...store,
        get: async (key) => (await store.get(key))?.replace(/"nonce":"./, '"nonce":"?'),
      },
    })
    const response = await careless.request(callback, {}, app.browser)
    expect(response.status).toBe(400)
    expect(setCookies(response)).toEqual([])
  })

  it('refuses a code without its PKCE verifier', async () => {
    const store = app.store
    const callback = await app.leave()
    await using careless = await startApp({
      issuer: app.provider.issuer,
      store: {
        ...store,
        get: async (key) =>
          (await store.get(key))?.replace(/"codeVerifier":"../, '"codeVerifier":"__'),
      },
    })
    const response = await careless.request(callback, {}, app.browser)
    expect(response.status).toBe(400)
  })

  it('shows a page with a way to try again when the user says no', async () => {
    app.provider.denies = true
    const response = await app.signIn('/cart')
    expect(response.status).toBe(400)
    const html = await response.text()
    expect(html).toContain('cancelled')
    expect(html).toContain('href="https://app.example.com/api/auth/login?returnTo=%2Fcart"')
    expect(html).not.toContain('access_denied')
    expect(html).not.toContain('http-equiv="refresh"')
    expect(sid()).toBeUndefined()
  })

  it('shows a page that says "later" when the provider fails', async () => {
    const callback = await app.leave()
    app.provider.fault = { status: 502 }
    const response = await app.request(callback)
    expect(response.status).toBe(503)
    expect(sid()).toBeUndefined()
    expect(app.log).toEqual(['[auth] sign-in failed: status 502'])
  })

  it('says "later" when the provider does not accept our client, which no user can mend', async () => {
    const callback = await app.leave()
    app.provider.fault = { status: 400, body: { error: 'invalid_client' } }
    expect((await app.request(callback)).status).toBe(503)
  })

  it('is not used up by a HEAD request', async () => {
    const callback = await app.leave()
    expect((await app.request(callback, { method: 'HEAD' })).status).toBe(405)
    expect((await app.request(callback)).status).toBe(200)
  })
})

describe('a sign-in while the session that it replaces is refreshed', () => {
  it('is not revoked with what comes late for the old one, though the provider gave both one grant', async () => {
    let arrive = () => {}
    const sent: string[] = []
    const held = new Promise<void>((resolve) => {
      arrive = resolve
    })
    await using slow = await startApp({
      fetch: async (input, init) => {
        const answer = await fetch(input, init)
        const body = await new Response(init?.body).text()
        // The first refresh alone: it began before the sign-in and ends after it.
        if (body.includes('grant_type=refresh_token') && sent.push(body) === 1) await held
        return answer
      },
    })
    await slow.signIn()
    slow.pass(301_000)
    const pending = slow.sync()
    while (sent.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await slow.signIn()
    arrive()
    const late = await pending
    expect([late.status, await late.json()]).toMatchObject([401, { reason: 'session-expired' }])
    await slow.auth.close()
    expect(slow.provider.requests.get('/token/revocation')).toBeUndefined()
    slow.pass(301_000)
    expect((await slow.sync()).status).toBe(200)
  })
})

describe('client authentication', () => {
  it('falls back to the request body where the provider does not take HTTP Basic', async () => {
    const bodies: string[] = []
    await using post = await startApp({
      fetch: async (input, init) => {
        if (addressOf(input).endsWith('/token')) bodies.push(await new Response(init?.body).text())
        const response = await fetch(input, init)
        if (!addressOf(input).includes('.well-known')) return response
        const metadata = (await response.json()) as Record<string, unknown>
        return Response.json({
          ...metadata,
          token_endpoint_auth_methods_supported: ['client_secret_post'],
        })
      },
    })
    expect((await post.signIn()).status).toBe(200)
    expect(bodies).toEqual([expect.stringContaining('client_secret=')])
  })
})
