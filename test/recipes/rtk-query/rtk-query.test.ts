import { describe, expect, it } from 'vitest'
import { failure, openPage, type Page } from '../support.ts'
import { createHostStore } from './host-store.ts'
import { createOrdersStore } from './orders-api.ts'

/** The same questions for both, whose stores have different types. */
const recipes = {
  remote(page: Page) {
    const { api, store } = createOrdersStore(page.reader)
    return {
      ask: (number: number) => store.dispatch(api.endpoints.orders.initiate(number)).unwrap(),
      state: () => store.getState(),
    }
  },
  host(page: Page) {
    const { api, store } = createHostStore(page.bridge)
    return {
      ask: (number: number) => store.dispatch(api.endpoints.orders.initiate(number)).unwrap(),
      state: () => store.getState(),
    }
  },
}

describe.each(['remote', 'host'] as const)('RTK Query in the %s', (where) => {
  function setUp() {
    const page = openPage()
    const { ask, state } = recipes[where](page)
    let asked = 0
    const query = (count: number) =>
      Promise.all(Array.from({ length: count }, () => ask((asked += 1))))
    return { page, query, state }
  }

  it('waits for the first token, which a hundred queries share', async () => {
    const { page, query } = setUp()
    expect(await query(100)).toHaveLength(100)
    expect(page.syncs).toBe(1)
    expect(page.calls).toEqual(
      Array.from({ length: 100 }, () => ({ token: 'token-1', status: 200 })),
    )
  })

  it('syncs once for a hundred queries that meet an expired token', async () => {
    const { page, query } = setUp()
    await query(1)
    page.expireToken()
    await query(100)
    expect(page.syncs).toBe(2)
    expect(page.calls.slice(1)).toEqual(
      Array.from({ length: 100 }, () => ({ token: 'token-2', status: 200 })),
    )
  })

  it('syncs once for a token that the API refuses, and sends the query again', async () => {
    const { page, query } = setUp()
    await query(1)
    page.revokeToken()
    expect(await query(1)).toEqual([[{ id: 1, customer: 'Ada' }]])
    expect(page.syncs).toBe(2)
    expect(page.calls.slice(1)).toEqual([
      { token: 'token-1', status: 401 },
      { token: 'token-2', status: 200 },
    ])
  })

  it('keeps nothing of the session and sends nothing when it is over', async () => {
    const { page, query, state } = setUp()
    await query(1)
    expect(Object.keys(state().ordersApi.queries)).toHaveLength(1)
    expect(JSON.stringify(state())).not.toContain('token-1')
    await page.bridge.reset('sign-out')
    expect(state().ordersApi.queries).toEqual({})
    expect(await failure(query(1))).toMatchObject({
      status: 'FETCH_ERROR',
      error: 'AuthError: Nobody is signed in.',
    })
    expect(page.calls).toHaveLength(1)
  })
})
