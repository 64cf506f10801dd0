import type { TokenReader } from '@token-bridge/core'
import { http, HttpResponse } from 'msw/http'
import { afterEach, expect, it } from 'vitest'
import { createApp, effectScope, nextTick, watchEffect, type App } from 'vue'
import { eventually, LEGACY_TOKEN, openPage, server, subscriptions } from '../support.ts'
import { Orders } from './orders.ts'
import { useAuth } from './use-auth.ts'

const apps: App[] = []
afterEach(() => {
  for (const app of apps.splice(0)) app.unmount()
})

async function setUp() {
  const page = openPage()
  const element = document.createElement('div')
  const app = createApp(Orders, { auth: page.reader })
  apps.push(app)
  app.mount(element)
  expect(element.textContent).toBe('loading')
  await eventually(() => expect(element.textContent).toBe('Ada'))
  const again = () => element.querySelector('ul')?.click()
  return { page, element, again }
}

it('shows the status, then what the first token brings', async () => {
  const { page } = await setUp()
  expect(page.syncs).toBe(1)
  expect(page.calls).toEqual([{ token: 'token-1', status: 200 }])
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
  const { element, again } = await setUp()
  for (const answer of [() => HttpResponse.error(), () => new HttpResponse('', { status: 500 })]) {
    server.use(http.get('https://api.example/orders', answer, { once: true }))
    again()
    await eventually(() => expect(element.querySelector('[role="alert"]')).not.toBeNull())
    expect(element.querySelector('li')?.textContent).toBe('Ada')
    again()
    await eventually(() => expect(element.querySelector('[role="alert"]')).toBeNull())
  }
})

it('leaves no rejection behind when the session ends while it loads', async () => {
  const { page, element, again } = await setUp()
  again()
  await page.bridge.reset('sign-out')
  await nextTick()
  expect(element.textContent).toBe('signed-out')
})

it('shows nothing and asks for nothing when the session is over', async () => {
  const { page, element } = await setUp()
  await page.bridge.reset('sign-out')
  await nextTick()
  expect(element.textContent).toBe('signed-out')
  expect(page.calls).toHaveLength(1)
  expect(page.syncs).toBe(1)
})

it('does not show to the next session what was loaded in the last one', async () => {
  const { page, element } = await setUp()
  await page.bridge.reset('sign-out')
  await nextTick()
  page.bridge.updateToken({ accessToken: LEGACY_TOKEN, expiresAt: Date.now() + 300_000 })
  await nextTick()
  expect(element.querySelector('ul')?.innerHTML).toBe('')
  await eventually(() => expect(element.textContent).toBe('Ada'))
})

it('runs again what reads the token when it rotates, and not what reads the status', async () => {
  const page = openPage()
  await page.reader.ready()
  const seen: Record<string, (string | null)[]> = { token: [], status: [] }
  const scope = effectScope()
  scope.run(() => {
    const { token, status } = useAuth(page.reader)
    watchEffect(() => void seen['token']?.push(token.value))
    watchEffect(() => void seen['status']?.push(status.value))
  })
  await page.bridge.rotate()
  await nextTick()
  expect(seen).toEqual({ token: ['token-1', 'token-2'], status: ['ready'] })
  await page.bridge.reset('sign-out')
  await nextTick()
  expect(seen).toEqual({ token: ['token-1', 'token-2', null], status: ['ready', 'signed-out'] })
  scope.stop()
})

it('leaves no subscription behind', () => {
  const { reader, left } = subscriptions(openPage().reader)
  const app = createApp(Orders, { auth: reader satisfies TokenReader })
  app.mount(document.createElement('div'))
  expect(left.size).toBeGreaterThan(0)
  app.unmount()
  expect(left.size).toBe(0)
})
