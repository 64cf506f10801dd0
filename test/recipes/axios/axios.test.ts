// @vitest-environment node
import { isAuthError } from '@token-bridge/core'
import type { AxiosError } from 'axios'
import { http, HttpResponse } from 'msw/http'
import { describe, expect, it } from 'vitest'
import { failure, LEGACY_TOKEN, many, openPage, server, slowApi, type Page } from '../support.ts'
import { createClient as withFetch } from './fetch-adapter.ts'
import { createClient as withInterceptors } from './interceptors.ts'

const ORDERS = [{ id: 1, customer: 'Ada' }]

describe.each([
  ['the fetch adapter', withFetch],
  ['interceptors', withInterceptors],
])('axios with %s', (_name, createClient) => {
  function setUp(config?: Parameters<typeof openPage>[0]) {
    const page = openPage(config)
    const client = createClient(page.reader)
    return { page, client, orders: async () => (await client.get<unknown>('/orders')).data }
  }

  it('waits for the first token, which all requests share', async () => {
    const { page, orders } = setUp()
    expect(await many(orders)).toEqual(Array.from({ length: 10 }, () => ORDERS))
    expect(page.syncs).toBe(1)
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
    const { page, client } = setUp()
    await client.get('/orders')
    page.revokeToken()
    const answers = await many(() => client.post('/orders', { customer: 'Ada' }))
    expect(answers.map(({ data }) => data as unknown)).toEqual(
      Array.from({ length: 10 }, () => ORDERS),
    )
    expect(page.syncs).toBe(2)
    expect(page.calls.slice(1).map(({ status }) => status)).toEqual([
      ...Array.from({ length: 10 }, () => 401),
      ...Array.from({ length: 10 }, () => 200),
    ])
  })

  it(
    'gives up at once after one more try when the API refuses the newer token, too',
    { timeout: 5_000 },
    async () => {
      const { page, client } = setUp()
      await client.get('/orders')
      page.revokeToken()
      page.revokeNextToken()
      expect(await failure(client.get('/orders'))).toMatchObject({ status: 401 })
      expect(page.syncs).toBe(2)
      expect(page.calls.slice(1)).toEqual([
        { token: 'token-1', status: 401 },
        { token: 'token-2', status: 401 },
      ])
    },
  )

  it('shows the token neither in an answer nor in an error', async () => {
    const { page, client } = setUp()
    const answer = await client.get('/orders')
    page.revokeToken()
    page.revokeNextToken()
    const error = (await failure(client.get('/orders'))) as AxiosError
    for (const { config } of [answer, error]) expect(JSON.stringify(config)).not.toMatch(/token-\d/)
  })

  it('sends nothing when the session is over', async () => {
    const { page, orders } = setUp()
    await orders()
    await page.bridge.reset('sign-out')
    const error = await failure(orders())
    expect(isAuthError(error) ? error.code : (error as AxiosError).code).toBe('ERR_SIGNED_OUT')
    expect(page.calls).toHaveLength(1)
    expect(page.syncs).toBe(1)
  })

  it.each<[string, (page: Page) => unknown]>([
    ['the session ends', ({ bridge }) => bridge.reset('sign-out')],
    ['the host cuts the remote off', ({ bridge }) => bridge.revoke('orders')],
  ])('ends what is on its way when %s', async (_end, end) => {
    const { page, client } = setUp()
    const api = slowApi()
    const answers = [
      client.get('/slow'),
      client.get('/slow', { signal: new AbortController().signal }),
    ].map(failure)
    await api.isAsked
    await end(page)
    page.bridge.updateToken({ accessToken: LEGACY_TOKEN, expiresAt: Date.now() + 300_000 })
    api.answer()
    for (const error of await Promise.all(answers))
      expect((error as Error).name).toMatch(/^(CanceledError|AuthError)$/)
  })

  it('still ends a request when its caller does', async () => {
    const { client } = setUp()
    const api = slowApi()
    const caller = new AbortController()
    const answer = failure(client.get('/slow', { signal: caller.signal }))
    await api.isAsked
    caller.abort()
    expect(await answer).toMatchObject({ name: 'CanceledError' })
    api.answer()
  })

  it('sends the token nowhere else', async () => {
    const { page, client } = setUp()
    await client.get('/orders')
    const seen: (string | null)[] = []
    server.use(
      http.get('https://elsewhere.example/', ({ request }) => {
        seen.push(request.headers.get('authorization'))
        return HttpResponse.json({})
      }),
    )
    await client.get('https://elsewhere.example/')
    expect(seen).toEqual([null])
    expect(page.calls).toHaveLength(1)
  })

  it('goes with the cookie where there are no tokens', async () => {
    const { page, client } = setUp({ enabled: false })
    expect(await failure(client.get('/orders'))).toMatchObject({ status: 401 })
    expect(page.calls).toEqual([{ token: null, status: 401 }])
    expect(page.syncs).toBe(0)
  })
})
