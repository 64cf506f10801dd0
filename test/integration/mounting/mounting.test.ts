import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener, type ServerType } from '@hono/node-server'
import type { AuthRoutes } from '@token-bridge/server'
import express from 'express'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  BRIDGE_HEADERS,
  ORIGIN,
  startApp,
  type TestApp,
} from '../../../packages/server/src/app.test.fixture.ts'
import { CLIENT_ID } from '../../../packages/server/src/oidc-provider.test.fixture.ts'
import { startExpress } from './express.ts'
import { startFastify } from './fastify.ts'
import { startNodeServer } from './node-server.ts'

type Start = (auth: AuthRoutes, port: number) => ServerType | Promise<ServerType>

const servers: ServerType[] = []
let app: TestApp
let address: string

/** The app behind a proxy that ends TLS: what arrives is plain http, and says so. */
const open = (start: Start): Promise<TestApp> =>
  startApp({}, async (auth) => {
    const server = await start(auth, 0)
    servers.push(server)
    if (!server.listening) await once(server, 'listening')
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return (url, init) => {
      const headers = new Headers(init.headers)
      headers.set('host', new URL(ORIGIN).host)
      headers.set('x-forwarded-proto', 'https')
      return fetch(url.replace(ORIGIN, address), { redirect: 'manual', ...init, headers })
    }
  })

afterEach(async () => {
  await app[Symbol.asyncDispose]()
  for (const server of servers.splice(0)) {
    ;(server as Server).closeAllConnections()
    server.close()
  }
})

const documentation = readFileSync(new URL('../../../docs/deployment.md', import.meta.url), 'utf8')
const source = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8').trim()

describe.each<[string, Start, string]>([
  ['@hono/node-server', startNodeServer, './node-server.ts'],
  ['Express 5', startExpress, './express.ts'],
  ['Fastify 5', startFastify, './fastify.ts'],
])('mounted in %s', (_name, start, file) => {
  beforeEach(async () => {
    app = await open(start)
  })

  it('is what the deployment guide shows', () => {
    expect(documentation).toContain(source(file))
  })

  it('signs in, syncs, refreshes and signs out', async () => {
    const callback = await app.signIn('/cart?step=2')
    expect(callback.status).toBe(200)
    expect(await callback.text()).toContain(`${ORIGIN}/cart?step=2`)
    const cart = await app.request('/cart')
    expect(await cart.text()).toBe('your cart')

    const first = (await (await app.sync({})).json()) as { accessToken: string; expiresAt: number }
    expect(first.accessToken).toMatch(/^ey/)
    const second = (await (await app.sync({ newerThan: first.expiresAt })).json()) as typeof first
    expect(second.expiresAt).toBeGreaterThan(first.expiresAt)

    const out = await app.logout()
    expect(out.status).toBe(200)
    expect(await out.json()).toMatchObject({ endSessionUrl: expect.any(String) as string })
    const after = await app.sync({})
    expect(after.status).toBe(401)
    expect(await after.json()).toMatchObject({ reason: 'no-session' })
  })

  it('hears the provider', async () => {
    await app.signIn()
    const now = Math.floor(app.now() / 1000)
    const token = await app.provider.sign({
      iss: app.provider.issuer,
      aud: CLIENT_ID,
      sub: 'alice',
      iat: now,
      exp: now + 60,
      jti: crypto.randomUUID(),
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
    const response = await app.request('/api/auth/backchannel-logout', {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    })
    expect(response.status).toBe(200)
    expect((await app.sync({})).status).toBe(401)
  })

  it('keeps its limits, its headers and its word on methods', async () => {
    await app.signIn()
    expect((await app.sync({ padding: 'x'.repeat(2_000) })).status).toBe(413)
    const streamed = await app.request('/api/auth/sync', {
      method: 'POST',
      headers: BRIDGE_HEADERS,
      body: new Blob(['x'.repeat(2_000)]).stream(),
      duplex: 'half',
    } as RequestInit)
    expect(streamed.status).toBe(413)
    const bomb = { ...BRIDGE_HEADERS, 'x-padding': 'x'.repeat(12_500) }
    expect((await app.request('/api/auth/sync', { method: 'POST', headers: bomb })).status).toBe(
      431,
    )
    const foreign = await app.sync({}, { origin: 'https://evil.example' })
    expect(foreign.status).toBe(403)
    expect(foreign.headers.get('cache-control')).toBe('no-store')
    expect(foreign.headers.get('content-type')).toBe('application/problem+json')
    expect((await app.request('/api/auth/sync', { method: 'DELETE' })).status).toBe(405)
    expect((await app.request('/api/auth/nothing')).status).toBe(404)
    expect((await app.request('/api/auth/healthz', { method: 'HEAD' })).status).toBe(200)
    expect((await app.sync({})).status).toBe(200)
  })

  it('believes no header about where it is', async () => {
    const lies = {
      host: 'evil.example',
      forwarded: 'host=evil.example;proto=http',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      'x-forwarded-prefix': '/evil',
    }
    const response = await fetch(`${address}/api/auth/login`, { redirect: 'manual', headers: lies })
    const url = new URL(response.headers.get('location') ?? '')
    expect(url.searchParams.get('redirect_uri')).toBe(`${ORIGIN}/api/auth/callback`)
    expect(response.headers.getSetCookie()[0]).not.toMatch(/evil|domain/i)
  })
})

describe('mounted behind a body parser, in Express', () => {
  beforeEach(async () => {
    app = await open((auth, port) => {
      const server = express()
      server.use(express.json(), express.urlencoded())
      server.use('/api/auth', getRequestListener(auth.fetch))
      return server.listen(port)
    })
  })

  it.each([
    ['of known length', {}],
    ['in chunks', { 'x-chunked': '1' }],
  ])('says so, instead of answering another question, for a body %s', async (_name, extra) => {
    await app.signIn()
    const body = JSON.stringify({ newerThan: app.now() })
    const isChunked = 'x-chunked' in extra
    const response = await app.request('/api/auth/sync', {
      method: 'POST',
      headers: BRIDGE_HEADERS,
      body: isChunked ? new Blob([body]).stream() : body,
      ...(isChunked && { duplex: 'half' }),
    })
    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({
      detail: 'Mount the auth routes before every body parser.',
    })
    const form = new URLSearchParams({ logout_token: 'x' })
    const logout = await app.request('/api/auth/backchannel-logout', { method: 'POST', body: form })
    expect(logout.status).toBe(500)
  })
})
