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
  expect(app.provider.requests.get('/token/revocation')).toBe(1)
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
  expect(app.log).toEqual(['[auth] revocation failed: no answer'])
  expect((await app.sync(undefined, { cookie: `__Host-Http-sid=${id}` })).status).toBe(401)
  app = await startApp()
})

it('does not wait for a provider that never answers', async () => {
  await using stuck = await startApp({
    fetch: (input, init) =>
      addressOf(input).endsWith('/revocation') ? new Promise(() => {}) : fetch(input, init),
  })
  await stuck.signIn()
  const startedAt = performance.now()
  const response = await stuck.request('/api/auth/logout', {
    method: 'POST',
    headers: BRIDGE_HEADERS,
  })
  expect(response.status).toBe(200)
  expect(performance.now() - startedAt).toBeLessThan(4_000)
})
