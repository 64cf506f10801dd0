import { http, HttpResponse } from 'msw/http'
import { flushSync, mount, unmount } from 'svelte'
import { afterEach, expect, it } from 'vitest'
import { eventually, LEGACY_TOKEN, openPage, server, subscriptions } from '../support.ts'
import { createAuth } from './create-auth.ts'
import Orders from './orders.svelte'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function setUp() {
  const page = openPage()
  const target = document.createElement('div')
  document.body.append(target)
  const component = mount(Orders, { target, props: { reader: page.reader } })
  closing.push(() => {
    void unmount(component)
    target.remove()
  })
  expect(target.textContent).toBe('loading')
  await eventually(() => expect(target.querySelector('li')?.textContent).toBe('Ada'))
  return { page, target, again: () => target.querySelector('button')?.click() }
}

it('shows the status, then what the first token brings', async () => {
  const { page } = await setUp()
  expect(page.syncs).toBe(1)
  expect(page.calls).toEqual([{ token: 'token-1', status: 200 }])
})

it('asks for nothing because of a rotation', async () => {
  const { page } = await setUp()
  await page.bridge.rotate()
  flushSync()
  expect(page.calls).toHaveLength(1)
})

it('syncs once for requests that meet an expired token', async () => {
  const { page, again } = await setUp()
  page.expireToken()
  again()
  again()
  // Theirs, and the one that the component makes because there is a token again.
  await eventually(() => expect(page.calls).toHaveLength(4))
  expect(page.syncs).toBe(2)
  expect(page.calls.slice(1)).toEqual(
    Array.from({ length: 3 }, () => ({ token: 'token-2', status: 200 })),
  )
})

it('syncs once for a token that the API refuses, and sends the request again', async () => {
  const { page, again } = await setUp()
  page.revokeToken()
  again()
  await eventually(() => expect(page.calls).toHaveLength(3))
  expect(page.syncs).toBe(2)
  expect(page.calls.slice(1)).toEqual([
    { token: 'token-1', status: 401 },
    { token: 'token-2', status: 200 },
  ])
})

it('says so when an answer does not come or is none, keeps what it has, and can try again', async () => {
  const { target, again } = await setUp()
  for (const answer of [() => HttpResponse.error(), () => new HttpResponse('', { status: 500 })]) {
    server.use(http.get('https://api.example/orders', answer, { once: true }))
    again()
    await eventually(() => expect(target.querySelector('[role="alert"]')).not.toBeNull())
    expect(target.querySelector('li')?.textContent).toBe('Ada')
    again()
    await eventually(() => expect(target.querySelector('[role="alert"]')).toBeNull())
  }
})

it('leaves no rejection behind when the session ends while it loads', async () => {
  const { page, target, again } = await setUp()
  again()
  await page.bridge.reset('sign-out')
  flushSync()
  expect(target.textContent).toBe('signed-out')
})

it('shows nothing and asks for nothing when the session is over', async () => {
  const { page, target } = await setUp()
  await page.bridge.reset('sign-out')
  flushSync()
  expect(target.textContent).toBe('signed-out')
  expect(page.calls).toHaveLength(1)
  expect(page.syncs).toBe(1)
})

it('does not show to the next session what was loaded in the last one', async () => {
  const { page, target } = await setUp()
  await page.bridge.reset('sign-out')
  flushSync()
  page.bridge.updateToken({ accessToken: LEGACY_TOKEN, expiresAt: Date.now() + 300_000 })
  flushSync()
  expect(target.querySelectorAll('ul')).toHaveLength(1)
  expect(target.querySelector('li')).toBeNull()
  await eventually(() => expect(target.querySelector('li')?.textContent).toBe('Ada'))
})

it('has one subscription for all that it shows, and none when it is gone', async () => {
  const { reader, left } = subscriptions(openPage().reader)
  const component = mount(Orders, { target: document.createElement('div'), props: { reader } })
  flushSync()
  expect(left.size).toBe(1)
  await unmount(component)
  expect(left.size).toBe(0)
})

it('gives the token that is valid now, also where nothing follows it', async () => {
  const { bridge, reader } = openPage()
  const auth = createAuth(reader)
  await reader.ready()
  expect(auth.token).toBe('token-1')
  await bridge.rotate()
  expect(auth.token).toBe('token-2')
  await bridge.reset('sign-out')
  expect(auth.token).toBeNull()
})
