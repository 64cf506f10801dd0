import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ORIGIN, startApp, type TestApp } from '../../../packages/server/src/app.test.fixture.ts'
import { activePage } from './active-page.ts'

const MINUTE = 60_000

let app: TestApp
let input: (event: { readonly isTrusted: boolean }) => void
beforeEach(async () => {
  app = await startApp({ idleLifetime: 30 * MINUTE })
  vi.stubGlobal('addEventListener', (_type: string, listener: typeof input) => {
    input = listener
  })
})
afterEach(async () => {
  vi.unstubAllGlobals()
  await app[Symbol.asyncDispose]()
})

// clerk PR #9215: background tabs kept refreshing, so idle sessions looked active.
it('a page keeps its session alive by what a person does, not by what a script does', async () => {
  let passed = 0
  const start = performance.now()
  vi.spyOn(performance, 'now').mockImplementation(() => start + passed)
  const pass = (ms: number): void => {
    app.pass(ms)
    passed += ms
  }
  const source = activePage()
  const ask = () =>
    source({
      signal: AbortSignal.timeout(5_000),
      reason: 'schedule',
      fetch: async (_url, init = {}) =>
        app.sync(await new Response(init.body).json(), { origin: ORIGIN }),
    })
  await app.signIn()
  for (let minutes = 0; minutes < 60; minutes += 4) {
    pass(4 * MINUTE)
    input({ isTrusted: true })
    expect(await ask()).not.toBeNull()
  }
  for (let minutes = 0; minutes < 28; minutes += 4) {
    pass(4 * MINUTE)
    input({ isTrusted: false })
    expect(await ask()).not.toBeNull()
  }
  pass(7 * MINUTE)
  expect(await ask()).toBeNull()
})

it('the deployment guide shows how', () => {
  const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
  expect(read('../../../docs/deployment.md')).toContain(read('./active-page.ts').trim())
})
