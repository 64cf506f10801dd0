import { afterEach, beforeEach, expect, it } from 'vitest'
import { CLIENT_ID } from './oidc-provider.test.fixture.ts'
import { addressOf, BRIDGE_HEADERS, ORIGIN, startApp, type TestApp } from './app.test.fixture.ts'

let app: TestApp
beforeEach(async () => {
  app = await startApp({ postLogoutRedirect: '/' })
})
afterEach(() => app[Symbol.asyncDispose]())

const logout = () => app.request('/api/auth/logout', { method: 'POST', headers: BRIDGE_HEADERS })
const sid = () => app.browser.jar(ORIGIN).get('__Host-Http-sid')

it('ends the session, clears the cookie and revokes the refresh token', async () => {
  await app.signIn()
  const id = sid()
  const response = await logout()
  expect(response.status).toBe(200)
  expect(response.headers.getSetCookie()).toEqual([
    '__Host-Http-sid=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict',
  ])
  expect((await app.sync(undefined, { cookie: `__Host-Http-sid=${id}` })).status).toBe(401)
  await app.auth.close()
  expect(app.provider.requests.get('/token/revocation')).toBe(1)
})

it('answers without waiting for the revocation, so that it clears no cookie of the next sign-in; close() waits for it', async () => {
  let revoke = () => {}
  const held = new Promise<void>((resolve) => {
    revoke = resolve
  })
  await using slow = await startApp({
    fetch: async (input, init) => {
      if (addressOf(input).endsWith('/revocation')) await held
      return fetch(input, init)
    },
  })
  await slow.signIn()
  const startedAt = performance.now()
  expect((await slow.logout()).status).toBe(200)
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  let isClosed = false
  const closing = slow.auth.close().then(() => {
    isClosed = true
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect([isClosed, slow.provider.requests.get('/token/revocation')]).toEqual([false, undefined])
  revoke()
  await closing
  expect(slow.provider.requests.get('/token/revocation')).toBe(1)
})

it('says where to end the session of the provider, which accepts that address', async () => {
  await app.signIn()
  const { endSessionUrl } = (await (await logout()).json()) as { endSessionUrl: string }
  const url = new URL(endSessionUrl)
  expect(url.origin).toBe(app.provider.issuer)
  // No state: nothing of ours waits for the way back.
  expect(Object.fromEntries(url.searchParams)).toEqual({
    id_token_hint: expect.stringMatching(/^ey/) as string,
    client_id: CLIENT_ID,
    post_logout_redirect_uri: `${ORIGIN}/`,
  })
  expect((await fetch(url, { redirect: 'manual' })).status).toBe(200)
})

it('clears cache and storage, but not the cookies of sibling apps', async () => {
  await app.signIn()
  expect((await logout()).headers.get('clear-site-data')).toBe('"cache", "storage"')
})

it('succeeds without a session too', async () => {
  const response = await logout()
  expect(response.status).toBe(200)
  expect(app.provider.requests.get('/token/revocation')).toBeUndefined()
})

it('signs out when the provider is gone', async () => {
  await app.signIn()
  const id = sid()
  await app.provider[Symbol.asyncDispose]()
  const response = await logout()
  expect(response.status).toBe(200)
  await app.auth.close()
  expect(app.log).toEqual(['[auth] revocation failed: no answer'])
  expect((await app.sync(undefined, { cookie: `__Host-Http-sid=${id}` })).status).toBe(401)
  app = await startApp()
})

it('does not wait for metadata of a provider that never answers, and keeps the session until it answers itself', async () => {
  await app.signIn()
  await using stuck = await startApp({
    issuer: app.provider.issuer,
    store: app.store,
    now: app.now,
    fetch: () => new Promise(() => {}),
  })
  const startedAt = performance.now()
  const pending = stuck.request(
    '/api/auth/logout',
    { method: 'POST', headers: BRIDGE_HEADERS },
    app.browser,
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect((await app.sync()).status).toBe(200)
  const response = await pending
  expect([response.status, await response.json()]).toEqual([200, {}])
  expect(performance.now() - startedAt).toBeLessThan(4_000)
})
