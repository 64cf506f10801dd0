// oxlint-disable-next-line import/no-unassigned-import -- it links Angular's own code, which no build step has done here
import '@angular/compiler'
import { HttpClient, provideHttpClient, withFetch, withInterceptors } from '@angular/common/http'
import {
  createEnvironmentInjector,
  ɵINJECTOR_SCOPE as INJECTOR_SCOPE,
  platformCore,
  provideZonelessChangeDetection,
  type EnvironmentInjector,
} from '@angular/core'
import { isAuthError } from '@token-bridge/core'
import { http, HttpResponse } from 'msw/http'
import { firstValueFrom } from 'rxjs'
import { afterEach, expect, it } from 'vitest'
import { failure, LEGACY_TOKEN, many, openPage, server, slowApi, type Page } from '../support.ts'
import { authInterceptor } from './auth-interceptor.ts'

const API = 'https://api.example'
const ORDERS = [{ id: 1, customer: 'Ada' }]

const injectors: EnvironmentInjector[] = []
afterEach(() => {
  for (const injector of injectors.splice(0)) injector.destroy()
})

function setUp(config?: Parameters<typeof openPage>[0]) {
  const page = openPage(config)
  const injector = createEnvironmentInjector(
    [
      // As in an application, which `@angular/platform-browser` would bootstrap.
      { provide: INJECTOR_SCOPE, useValue: 'root' },
      provideZonelessChangeDetection(),
      provideHttpClient(withInterceptors([authInterceptor(page.reader, API)]), withFetch()),
    ],
    platformCore().injector as EnvironmentInjector,
  )
  injectors.push(injector)
  const client = injector.get(HttpClient)
  return { page, client, orders: () => firstValueFrom(client.get(`${API}/orders`)) }
}

it('waits for the first token, which all requests share', async () => {
  const { page, orders } = setUp()
  expect(await many(orders)).toEqual(Array.from({ length: 10 }, () => ORDERS))
  expect(page.syncs).toBe(1)
  expect(page.calls).toHaveLength(10)
})

it('syncs once for many requests that meet an expired token', async () => {
  const { page, orders } = setUp()
  await orders()
  page.expireToken()
  await many(orders)
  expect(page.syncs).toBe(2)
  expect(page.calls.slice(1)).toEqual(
    Array.from({ length: 10 }, () => ({ token: 'token-2', status: 200 })),
  )
})

it('syncs once for a token that the API refuses, and sends the requests again', async () => {
  const { page, client, orders } = setUp()
  await orders()
  page.revokeToken()
  const post = () => firstValueFrom(client.post(`${API}/orders`, { customer: 'Ada' }))
  expect(await many(post)).toEqual(Array.from({ length: 10 }, () => ORDERS))
  expect(page.syncs).toBe(2)
  expect(page.calls.slice(1).map(({ status }) => status)).toEqual([
    ...Array.from({ length: 10 }, () => 401),
    ...Array.from({ length: 10 }, () => 200),
  ])
})

it('gives up after one more try when the API refuses the newer token, too', async () => {
  const { page, orders } = setUp()
  await orders()
  page.revokeToken()
  page.revokeNextToken()
  expect(await failure(orders())).toMatchObject({ status: 401 })
  expect(page.calls.slice(1)).toEqual([
    { token: 'token-1', status: 401 },
    { token: 'token-2', status: 401 },
  ])
})

it('sends nothing when the session is over', async () => {
  const { page, orders } = setUp()
  await orders()
  await page.bridge.reset('sign-out')
  expect(isAuthError(await failure(orders()), 'ERR_SIGNED_OUT')).toBe(true)
  expect(page.calls).toHaveLength(1)
  expect(page.syncs).toBe(1)
})

it.each<[string, (page: Page) => unknown, string]>([
  ['the session ends', ({ bridge }) => bridge.reset('sign-out'), 'ERR_SIGNED_OUT'],
  ['the host cuts the remote off', ({ bridge }) => bridge.revoke('orders'), 'ERR_READER_REVOKED'],
])('ends what is on its way when %s', async (_name, end, code) => {
  const { page, client } = setUp()
  const api = slowApi()
  const answer = failure(firstValueFrom(client.get(`${API}/slow`)))
  await api.isAsked
  await end(page)
  page.bridge.updateToken({ accessToken: LEGACY_TOKEN, expiresAt: Date.now() + 300_000 })
  api.answer()
  expect(await answer).toMatchObject({ code })
})

it('sends nothing when whoever asked has gone before there was a token', async () => {
  const { page, client } = setUp()
  client.get(`${API}/orders`).subscribe().unsubscribe()
  await page.reader.ready()
  expect(page.calls).toEqual([])
})

it('sends the token nowhere else', async () => {
  const { page, client, orders } = setUp()
  await orders()
  const seen: (string | null)[] = []
  server.use(
    http.get('https://elsewhere.example/', ({ request }) => {
      seen.push(request.headers.get('authorization'))
      return HttpResponse.json({})
    }),
  )
  await firstValueFrom(client.get('https://elsewhere.example/'))
  expect(seen).toEqual([null])
  expect(page.calls).toHaveLength(1)
})

it('goes with the cookie where there are no tokens', async () => {
  const { page, orders } = setUp({ enabled: false })
  expect(await failure(orders())).toMatchObject({ status: 401 })
  expect(page.calls).toEqual([{ token: null, status: 401 }])
  expect(page.syncs).toBe(0)
})
