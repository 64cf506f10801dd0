import { readFileSync } from 'node:fs'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { launchBrowser } from '../e2e/browser.ts'
import type { Result, RouteSource } from './host.ts'
import { ROUTES, type Route } from './routes.ts'
import { openSite, type Site } from './site.ts'

let browser: Browser
let site: Site
let context: BrowserContext
let page: Page

beforeAll(async () => {
  ;[browser, site] = await Promise.all([launchBrowser(), openSite()])
})
afterAll(async () => {
  await browser?.close()
  site?.close()
})
beforeEach(async () => {
  await open()
})
afterEach(async () => {
  await context.close()
})

async function open(): Promise<void> {
  context = await browser.newContext()
  page = await context.newPage()
  await page.goto(site.url)
}

const nothing = () => {}
const sourceOf = ({
  prepare = nothing,
  write,
  landed,
}: Omit<Route, 'name' | 'answer'>): RouteSource => ({
  prepare: String(prepare),
  write: String(write),
  landed: String(landed),
})

const run = (route: Omit<Route, 'name' | 'answer'>, isGuarded = true): Promise<Result> =>
  page.evaluate(([source, guarded]) => guardHost.run(source, guarded), [
    sourceOf(route),
    isGuarded,
  ] as const)

/** A frame or worker that is refused is no reason to refuse the remote: what it would have written is. */
const whatItIs = ({ name, answer }: Route): keyof typeof EXPECTED =>
  answer === 'blocked' && /^a (new|service|popup)/.test(name) ? 'no realm' : answer

const caught = {
  load: 'ERR_REMOTE_STORED_TOKEN',
  mounts: ['ERR_REMOTE_STORED_TOKEN'],
  unmounts: 1,
  violations: [expect.stringMatching(/^token-stored route=/)],
}
const EXPECTED = {
  blocked: { ...caught, landed: false },
  undone: { ...caught, landed: false },
  detected: { ...caught, landed: true },
  'no realm': {
    violations: [expect.stringMatching(/^realm-refused route=(frame|worker|window) /)],
    landed: false,
  },
  'not stopped': { load: 'mounted', violations: [], landed: true },
}

describe('the routes by which a remote keeps the token', () => {
  describe.each(ROUTES)('$name', (route) => {
    it('lands without a guard', async () => {
      expect(await run(route, false)).toMatchObject({
        load: 'mounted',
        violations: [],
        landed: true,
      })
    })

    it(`is ${route.answer}`, async () => {
      const result = await run(route)
      expect(result).toMatchObject(EXPECTED[whatItIs(route)])
      for (const violation of result.violations)
        expect(violation).toMatch(new RegExp(`remote=thief outcome=${route.answer}$`))
    })
  })
})

it('is what the docs say, route by route', () => {
  const docs = readFileSync(new URL('../../docs/storage-guard.md', import.meta.url), 'utf8')
  const rows = [...docs.matchAll(/^\| (.+?) +\| (blocked|undone|detected|not stopped) +\|$/gm)]
  expect(rows.map(([, name, answer]) => [name?.replaceAll('`', ''), answer])).toEqual(
    ROUTES.map(({ name, answer }) => [name, answer]),
  )
})
