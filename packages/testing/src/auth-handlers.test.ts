import { AuthError, SecureTokenBridge, syncEndpoint } from '@token-bridge/core'
import { SYNC_HEADER, SYNC_VERSION } from '@token-bridge/core/wire'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createFakeAuthority, type FakeAuthority } from './fake-authority.ts'
import { authHandlers } from './msw.ts'

const HOST = 'https://shop.example'
const server = setupServer()

beforeAll(() => server.listen({ onUnhandledFrame: 'error' }))
afterEach(() => server.resetHandlers())
afterAll(() => server.close())

function setUp(options?: Parameters<typeof createFakeAuthority>[0]): FakeAuthority {
  const authority = createFakeAuthority(options)
  server.use(...authHandlers(authority, { baseUrl: HOST }))
  return authority
}

const post = (path: string, init: RequestInit = {}) =>
  fetch(`${HOST}/api/auth${path}`, {
    method: 'POST',
    headers: { [SYNC_HEADER]: SYNC_VERSION },
    ...init,
  })

const typeOf = (response: Response) => response.headers.get('content-type')

describe('authHandlers', () => {
  it('answers sync with the token as JSON that no cache keeps', async () => {
    setUp({ now: () => 1_700_000_000_000 })

    const response = await post('/sync')

    expect(response.status).toBe(200)
    expect(typeOf(response)).toBe('application/json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await response.json()).toEqual({
      accessToken: 'fake-token-1',
      expiresAt: 1_700_000_300_000,
      serverTime: 1_700_000_000_000,
    })
  })

  it('passes on what the page has', async () => {
    const authority = setUp()

    await post('/sync', { body: JSON.stringify({ newerThan: 1_700_000_000_000 }) })

    expect(authority.requests).toEqual([{ reason: 'http', newerThan: 1_700_000_000_000 }])
  })

  it.each(['/sync', '/logout'])('refuses %s without the header of the bridge', async (path) => {
    const authority = setUp()

    const response = await post(path, { headers: {} })

    expect(response.status).toBe(403)
    expect(typeOf(response)).toBe('application/problem+json')
    expect([authority.calls, authority.signedIn]).toEqual([0, true])
  })

  it('refuses another version of the contract', async () => {
    setUp()

    expect((await post('/sync', { headers: { [SYNC_HEADER]: '99' } })).status).toBe(403)
  })

  it.each(['{', '[]', '{"newerThan":"soon"}'])('refuses the body %s', async (body) => {
    const authority = setUp()

    const response = await post('/sync', { body })

    expect(response.status).toBe(400)
    expect(typeOf(response)).toBe('application/problem+json')
    expect(authority.calls).toBe(0)
  })

  it('answers 401 and a problem when nobody is signed in', async () => {
    const authority = setUp()
    authority.signOut()

    const response = await post('/sync')

    expect(response.status).toBe(401)
    expect(typeOf(response)).toBe('application/problem+json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toMatchObject({ status: 401 })
  })

  it('answers 503 and when to come back while the authority is down', async () => {
    const authority = setUp()
    authority.fail(503, { retryAfter: 2_500 })

    const response = await post('/sync')

    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('3')
  })

  it('breaks the connection for an error without a status', async () => {
    const authority = setUp()
    authority.fail(new AuthError('ERR_SYNC_NETWORK', 'down', { phase: 'sync' }))

    await expect(post('/sync')).rejects.toThrow(TypeError)
  })

  it('signs out', async () => {
    const authority = setUp()

    const response = await post('/logout')

    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({})
    expect(authority.signedIn).toBe(false)
    expect((await post('/sync')).status).toBe(401)
  })

  it('stands on the origin of the page when it is told none', async () => {
    vi.stubGlobal('location', { origin: HOST })
    server.use(...authHandlers(createFakeAuthority()))
    vi.unstubAllGlobals()

    expect((await post('/sync')).status).toBe(200)
  })

  it('takes an origin with a slash at its end', async () => {
    server.use(...authHandlers(createFakeAuthority(), { baseUrl: `${HOST}/` }))

    expect((await post('/sync')).status).toBe(200)
  })

  it('stands on localhost where there is no page', async () => {
    server.use(...authHandlers(createFakeAuthority()))

    const response = await fetch('http://localhost/api/auth/sync', {
      method: 'POST',
      headers: { [SYNC_HEADER]: SYNC_VERSION },
    })

    expect(response.status).toBe(200)
  })
})

describe('a bridge with the real sync endpoint on the handlers', () => {
  const bridge = () =>
    new SecureTokenBridge({ source: syncEndpoint(`${HOST}/api/auth/sync`), fetch })

  it('rotates', async () => {
    const authority = setUp()
    const host = bridge()

    const first = await host.rotate()
    const second = await host.rotate()

    expect([first.accessToken, second.accessToken]).toEqual(authority.issued)
  })

  it('learns that nobody is signed in', async () => {
    setUp({ signedIn: false })
    const host = bridge()

    await expect(host.rotate()).rejects.toMatchObject({ code: 'ERR_SIGNED_OUT' })
    expect(host.snapshot.status).toBe('signed-out')
  })

  it('learns how long to wait', async () => {
    const authority = setUp()
    authority.fail(503, { retryAfter: 60_000 })
    const host = bridge()

    await expect(host.rotate()).rejects.toMatchObject({ status: 503, retryAfter: 60_000 })
    expect(host.snapshot.status).toBe('maintenance')
  })

  it('rejects a malformed answer', async () => {
    const authority = setUp()
    authority.answerOnce({ accessToken: 'x', expiresAt: 1_700_000_000 })
    const host = bridge()
    const failed = new Promise<unknown>((resolve) => {
      host.attach({ name: 'test', apply: (_event, { error }) => resolve(error) })
    })
    const rotation = host.rotate().catch(() => {})

    expect(await failed).toMatchObject({ code: 'ERR_SYNC_PAYLOAD' })
    host.stop()
    await rotation
  })
})
