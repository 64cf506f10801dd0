import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import sparticuz from '@sparticuz/chromium'
import { Hono } from 'hono'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { authRoutes } from './auth-routes.ts'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  RESOURCE,
  startProvider,
  type TestProvider,
} from './oidc-provider.test.fixture.ts'
import { securityHeaders } from './security-headers.ts'

/** What arrived at the app for a page, in order. */
interface Arrival {
  readonly path: string
  readonly cookie: string
  readonly site: string | undefined
}

let chrome: Browser
beforeAll(async () => {
  // Not `sparticuz.args`: they switch web security off and put all pages into one process, which changes the cookies and
  // the Origin header that a page sends.
  chrome = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? (await sparticuz.executablePath()),
    args: ['--no-sandbox', '--disable-gpu'],
  })
}, 120_000)
afterAll(() => chrome.close())

describe.each(['localhost', '127.0.0.1'])('Chromium on http://%s', (host) => {
  let origin: string
  let close: () => void
  let provider: TestProvider
  let context: BrowserContext
  let page: Page
  let arrivals: Arrival[]

  beforeEach(async () => {
    const app = new Hono()
    const server = createServer()
    server.listen(0, host)
    await once(server, 'listening')
    origin = `http://${host}:${(server.address() as AddressInfo).port}`
    // Another site than the app's, whichever that is.
    provider = await startProvider(origin, host === 'localhost' ? '127.0.0.1' : 'localhost')
    provider.asks = true
    arrivals = []
    app.use(securityHeaders())
    app.route(
      '/api/auth',
      authRoutes({
        issuer: provider.issuer,
        clientId: CLIENT_ID,
        clientSecret: CLIENT_SECRET,
        origin,
        scope: 'openid offline_access api:read',
        resource: RESOURCE,
      }),
    )
    app.get('/*', (c) => c.html('<!doctype html><title>app</title><a id="app" href="/">app</a>'))
    const listener = getRequestListener(app.fetch)
    server.on('request', (request, response) => {
      note(request.url ?? '', request.headers)
      if (request.url?.startsWith('/redirecting-callback') === true) {
        response.writeHead(302, {
          location: '/after-redirect',
          'set-cookie': '__Host-Http-probe=1; Path=/; HttpOnly; Secure; SameSite=Strict',
        })
        response.end()
        return
      }
      void listener(request, response)
    })
    close = () => {
      server.closeAllConnections()
      server.close()
    }
    context = await chrome.newContext()
    page = await context.newPage()
  })
  afterEach(async () => {
    await context.close()
    close()
    await provider[Symbol.asyncDispose]()
  })

  function note(url: string, headers: IncomingHttpHeaders): void {
    const site = headers['sec-fetch-site']
    arrivals.push({
      path: url.split('?')[0] ?? '',
      cookie: headers.cookie ?? '',
      site: typeof site === 'string' ? site : undefined,
    })
  }
  const arrival = (path: string) => arrivals.find((each) => each.path === path)

  async function signIn(): Promise<void> {
    await page.goto(`${origin}/`)
    await page.goto(`${origin}/api/auth/login?returnTo=/cart`)
    await page.click('text=Sign in')
    await page.waitForURL(`${origin}/cart`)
  }

  const post = (path: string) =>
    page.evaluate(async (url) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'X-Token-Bridge': '1' },
        body: '{}',
      })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    }, path)

  it('is sent back to the app with the fresh Strict cookie', async () => {
    await signIn()
    expect(arrival('/api/auth/callback')?.site).toBe('cross-site')
    expect(arrival('/api/auth/callback')?.cookie).toMatch(/^__Host-Http-login=[\w-]{43}$/)
    expect(arrival('/cart')?.site).toBe('same-origin')
    expect(arrival('/cart')?.cookie).toMatch(/__Host-Http-sid=[\w-]{43}/)
  })

  it('would have come back without it had the callback redirected', async () => {
    await page.goto(`${origin}/`)
    await page.goto(`${provider.issuer}/.well-known/openid-configuration`)
    await page.evaluate((url) => {
      location.href = url
    }, `${origin}/redirecting-callback`)
    await page.waitForURL(`${origin}/after-redirect`)
    expect(arrival('/after-redirect')).toEqual({
      path: '/after-redirect',
      cookie: '',
      site: 'cross-site',
    })
    await page.goto(`${origin}/now`)
    expect(arrival('/now')?.cookie).toContain('__Host-Http-probe=1')
  })

  it('keeps the session cookie out of reach of script, with every flag', async () => {
    await signIn()
    const cookies = await context.cookies(origin)
    expect(cookies.find(({ name }) => name === '__Host-Http-sid')).toMatchObject({
      httpOnly: true,
      secure: true,
      sameSite: 'Strict',
      path: '/',
      domain: host,
    })
    expect(await page.evaluate(() => document.cookie)).toBe('')
  })

  it('does not let script plant a session cookie', async () => {
    await page.goto(`${origin}/`)
    await page.evaluate(() => {
      document.cookie = '__Host-Http-sid=planted; Path=/; Secure; SameSite=Strict'
    })
    expect(await context.cookies(origin)).toEqual([])
  })

  it('syncs by fetch under the security headers, and signs out', async () => {
    await signIn()
    const { status, body } = await post('/api/auth/sync')
    expect(status).toBe(200)
    expect(body['accessToken']).toMatch(/^ey/)
    const out = await post('/api/auth/logout')
    expect(out.status).toBe(200)
    expect(out.body['endSessionUrl']).toContain(provider.issuer)
    expect((await context.cookies(origin)).map(({ name }) => name)).not.toContain('__Host-Http-sid')
    expect(await post('/api/auth/sync')).toMatchObject({
      status: 401,
      body: { reason: 'no-session' },
    })
  })

  it('leaves no way back to the page of the callback', async () => {
    await signIn()
    await page.goBack()
    expect(page.url()).not.toContain('/api/auth/callback')
  })
})
