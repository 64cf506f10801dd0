import { isAuthError } from '@token-bridge/core'
import { expect, it } from 'vitest'
import { failure, many, openPage } from '../support.ts'
import { createClient } from './client.ts'

const ORDERS = [{ id: 1, customer: 'Ada' }]

function setUp() {
  const page = openPage()
  const client = createClient(page.reader)
  return { page, orders: () => client.get('orders').json(), client }
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

it('syncs once for a token that the API refuses, and sends the request again, body and all', async () => {
  const { page, orders, client } = setUp()
  await orders()
  page.revokeToken()
  expect(await client.post('orders', { json: { customer: 'Ada' } }).json()).toEqual(ORDERS)
  expect(page.syncs).toBe(2)
  expect(page.calls.slice(1)).toEqual([
    { token: 'token-1', status: 401 },
    { token: 'token-2', status: 200 },
  ])
})

it('sends nothing when the session is over, and does not try again', async () => {
  const { page, orders } = setUp()
  await orders()
  await page.bridge.reset('sign-out')
  expect(isAuthError(await failure(orders()), 'ERR_SIGNED_OUT')).toBe(true)
  expect(page.calls).toHaveLength(1)
  expect(page.syncs).toBe(1)
})
