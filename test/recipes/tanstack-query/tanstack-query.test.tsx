import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, cleanup, configure, render, screen } from '@testing-library/react'
import { AuthProvider } from '@token-bridge/react'
import { afterEach, expect, it } from 'vitest'
import { openPage } from '../support.ts'
import { clearOnSignOut, Orders } from './orders.tsx'

configure({ asyncUtilTimeout: 10_000 })

const closing: (() => void)[] = []
afterEach(() => {
  cleanup()
  for (const close of closing.splice(0)) close()
})

async function setUp(config?: Parameters<typeof openPage>[0]) {
  const page = openPage(config)
  const client = new QueryClient()
  closing.push(clearOnSignOut(page.reader, client), () => client.clear())
  render(
    <QueryClientProvider client={client}>
      <AuthProvider
        reader={page.reader}
        // Without a gate's help: what is shown is up to the query.
        {...{ loading: <Orders />, signedOut: <Orders />, revoked: <Orders /> }}
      >
        <Orders />
      </AuthProvider>
    </QueryClientProvider>,
  )
  await screen.findByText('Ada')
  return { page, client, again: () => act(() => client.invalidateQueries()) }
}

it('waits for the first token and shows the data', async () => {
  const { page } = await setUp()
  expect(page.syncs).toBe(1)
  expect(page.calls).toEqual([{ token: 'token-1', status: 200 }])
})

it('syncs once for a query that meets an expired token', async () => {
  const { page, again } = await setUp()
  page.expireToken()
  await again()
  expect(page.syncs).toBe(2)
  expect(page.calls.slice(1)).toEqual([{ token: 'token-2', status: 200 }])
})

it('syncs once for a token that the API refuses, and sends the query again', async () => {
  const { page, again } = await setUp()
  page.revokeToken()
  await again()
  expect(page.syncs).toBe(2)
  expect(page.calls.slice(1)).toEqual([
    { token: 'token-1', status: 401 },
    { token: 'token-2', status: 200 },
  ])
})

it('asks for nothing because of a rotation', async () => {
  const { page } = await setUp()
  await act(() => page.bridge.rotate())
  expect(page.calls).toHaveLength(1)
})

it('shows and keeps nothing, and asks for nothing, when the session is over', async () => {
  const { page, client, again } = await setUp()
  await act(() => page.bridge.reset('sign-out'))
  expect(screen.queryByText('Ada')).toBeNull()
  expect(client.getQueryData(['orders'])).toBeUndefined()
  await again()
  expect(screen.queryByRole('alert')).toBeNull()
  expect(page.calls).toHaveLength(1)
  expect(page.syncs).toBe(1)
})

it('does not try again what the bridge has given up', async () => {
  const { page, client, again } = await setUp()
  page.bridge.revoke('orders')
  await again()
  expect((await screen.findByRole('alert')).textContent).toContain('has revoked the reader')
  expect(client.getQueryState(['orders'])?.fetchFailureCount).toBe(1)
  expect(page.calls).toHaveLength(1)
})
