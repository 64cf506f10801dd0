import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addressOf, startApp, type TestApp } from './app.test.fixture.ts'
import { memoryStore } from './memory-store.ts'

let app: TestApp
beforeEach(async () => {
  app = await startApp()
})
afterEach(() => app[Symbol.asyncDispose]())

const get = (path: string, from: TestApp = app, method = 'GET') =>
  from.request(`/api/auth/${path}`, { method })

describe('/healthz', () => {
  it('says that the process lives, and asks nobody', async () => {
    let asked = 0
    const store = memoryStore()
    await using alone = await startApp({
      store: { ...store, get: async (key) => ((asked += 1), store.get(key)) },
      fetch: () => ((asked += 1), Promise.reject(new TypeError('fetch failed'))),
    })
    const response = await get('healthz', alone)
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toEqual({ status: 'alive' })
    expect((await get('healthz', alone, 'HEAD')).status).toBe(200)
    expect((await get('healthz', alone, 'POST')).status).toBe(405)
    expect(asked).toBe(0)
  })
})

describe('/readyz', () => {
  it('says that the store answers and the provider is known', async () => {
    const response = await get('readyz')
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ status: 'ready' })
  })

  it.each([
    ['fails', () => Promise.reject(new Error('ECONNREFUSED redis://:s3cret@store'))],
    ['hangs', () => new Promise<never>(() => {})],
  ])('is 503 without internals while the store %s', async (_name, answer) => {
    await using broken = await startApp({ store: { ...app.store, get: answer } })
    const response = await get('readyz', broken)
    expect(response.status).toBe(503)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    const text = await response.text()
    expect(text).toContain('The session store does not answer.')
    expect(text).not.toMatch(/s3cret|ECONN/)
  })

  it('is 503 until the provider was reached once, and ready whatever becomes of it later', async () => {
    let isDown = true
    await using late = await startApp({
      fetch: (input, init) =>
        isDown && addressOf(input).includes('.well-known')
          ? Promise.reject(new TypeError('fetch failed'))
          : fetch(input, init),
    })
    const first = await get('readyz', late)
    expect(first.status).toBe(503)
    expect(await first.text()).toContain('identity provider')
    isDown = false
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect((await get('readyz', late)).status).toBe(200)
    isDown = true
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect((await get('readyz', late)).status).toBe(200)
  })

  it('asks the store once a second, however many ask it', async () => {
    let reads = 0
    await using busy = await startApp({
      store: { ...app.store, get: async (key) => ((reads += 1), app.store.get(key)) },
    })
    await Promise.all(Array.from({ length: 200 }, () => get('readyz', busy)))
    expect(reads).toBe(1)
  })

  it('is 503 once the server is closing', async () => {
    expect((await get('readyz')).status).toBe(200)
    await app.auth.close()
    const response = await get('readyz')
    expect(response.status).toBe(503)
    expect(await response.text()).toContain('closing')
    expect((await get('healthz')).status).toBe(200)
  })
})
