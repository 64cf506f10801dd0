import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startDemo, type Demo } from '../../packages/demo/src/demo.ts'
import { launchBrowser } from './browser.ts'
import { openTab, REMOTES, type DemoPage } from './demo-page.ts'

// auth0/auth0-react#562: the back button after a sign-out brings back a page that is still signed in.

let browser: Browser
let demo: Demo
let context: BrowserContext
let host: DemoPage
let hasCache: boolean

beforeAll(async () => {
  ;[browser, demo] = await Promise.all([
    launchBrowser({ ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
    startDemo({ quiet: true }),
  ])
  hasCache = await probe()
  if (!hasCache)
    console.warn(
      `Chromium ${browser.version()} has no back/forward cache, as is so with the headless shell that npm brings along: the restore is ` +
        'imitated. For the real one name a whole browser: CHROMIUM_PATH=/path/to/chrome npm run test:e2e',
    )
})
afterAll(async () => {
  await browser?.close()
  await demo?.stop()
})
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 940 } })
  await context.addInitScript(reportFrames)
  host = await openTab(context, demo)
  await host.signIn()
  for (const remote of REMOTES) await host.shows(`remote-${remote}-last-answer`, /^200$/)
})
afterEach(() => context.close())

/** Whether this browser keeps a page that has nothing against it. */
async function probe(): Promise<boolean> {
  const page = await browser.newPage()
  await page.addInitScript(() =>
    addEventListener('pageshow', ({ persisted }) =>
      console.log(`SHOWN ${location.pathname} ${Date.now()} ${persisted}`),
    ),
  )
  await page.goto(`${demo.url}styles.css`)
  await page.goto(`${demo.url}favicon.svg`)
  const left = Date.now()
  const shownAt = (text: string): number => Number(/^SHOWN \/styles.css (\d+)/.exec(text)?.[1] ?? 0)
  const [shown] = await Promise.all([
    // Playwright tells what a restored page has said before once more.
    page.waitForEvent('console', (message) => shownAt(message.text()) >= left),
    page.goBack({ waitUntil: 'commit' }),
  ])
  await page.close()
  return shown.text().endsWith('true')
}

/** What was on the page in the first frame after it was shown. */
interface Frame {
  /** Epoch milliseconds. */
  readonly at: number
  readonly isRestored: boolean
  readonly status: string
  readonly expiry: string
  /** Elements that hold what only somebody who is signed in may see, or that a token makes appear. */
  readonly secrets: number
}

/**
 * Runs in every page before anything else: says what each showing of the host's looks like when it paints for the first
 * time. The page that a test leaves to paints too, and may do so late.
 */
function reportFrames(): void {
  if (location.pathname !== '/') return
  const text = (testId: string): string =>
    document.querySelector(`[data-testid="${testId}"]`)?.textContent ?? ''
  const look = (isRestored: boolean) => ({
    at: Date.now(),
    isRestored,
    status: text('session-status'),
    expiry: text('session-expiry'),
    secrets: document.querySelectorAll('.figures, .orders, .bars, .slot .note').length,
  })
  Object.assign(window, { __LOOK__: look })
  addEventListener('pageshow', ({ persisted }) => {
    requestAnimationFrame(() => console.log(`FRAME ${JSON.stringify(look(persisted))}`))
  })
}

/** The first frame after this moment. Playwright tells what a restored page has said before once more. */
async function frameSince(moment: number): Promise<Frame> {
  const find = (): Frame | undefined =>
    host.console
      .flatMap(({ text }) =>
        text.startsWith('FRAME ') ? [JSON.parse(text.slice(6)) as Frame] : [],
      )
      .find(({ at }) => at >= moment)
  await expect.poll(find, { timeout: 10_000 }).toBeDefined()
  return find() as Frame
}

/** Goes back `steps` pages, and resolves with the first frame that is painted there. */
async function returnToHost(steps = 1): Promise<Frame> {
  const left = Date.now()
  await host.page.evaluate((delta) => void setTimeout(() => history.go(delta)), -steps)
  return frameSince(left)
}

/** Requests to the API that carry a token, from now on. */
function countApiRequests(): { readonly signed: number } {
  const count = { signed: 0 }
  host.page.on('request', (request) => {
    const isSigned = 'authorization' in request.headers()
    if (isSigned && new URL(request.url()).origin === demo.origins.api) count.signed += 1
  })
  return count
}

const look = (): Promise<Frame> =>
  host.page.evaluate(() =>
    (window as unknown as { __LOOK__: (isRestored: boolean) => Frame }).__LOOK__(false),
  )

/** Away from the host's page, to a document of the same origin that knows nothing of the bridge. */
const leave = (): Promise<unknown> => host.page.goto(`${demo.url}favicon.svg`)

const EMPTY = { expiry: '–:––', secrets: 0 }

/** The page is signed out, and stays so for longer than the remotes' polling, with no request that carries a token. */
async function expectSignedOut(requests: { readonly signed: number }): Promise<void> {
  await host.shows('session-status', 'signed-out')
  await host.page.waitForTimeout(4_500)
  expect(requests.signed).toBe(0)
  expect(await look()).toMatchObject({ status: 'signed-out', ...EMPTY })
}

describe('a page that comes back', () => {
  it('from the back/forward cache shows nothing before the server has spoken, then goes on', async ({
    skip,
  }) => {
    skip(!hasCache, 'this browser has no back/forward cache')
    expect(await look()).toMatchObject({ status: 'ready', secrets: 6 })
    // A server so near may answer before the first frame.
    let answer = (): void => {}
    const isFramed = new Promise<void>((resolve) => {
      answer = resolve
    })
    await host.page.route('**/api/auth/sync', async (route) => {
      await isFramed
      await route.continue()
    })
    await leave()
    const frame = await returnToHost()
    expect(frame).toMatchObject({ isRestored: true, ...EMPTY })
    answer()
    await host.shows('session-status', 'ready')
    for (const remote of REMOTES) await host.shows(`remote-${remote}-last-answer`, /^200$/)
    expect((await look()).secrets).toBe(6)
  })

  it('from the back/forward cache is signed out when the session has ended meanwhile', async ({
    skip,
  }) => {
    skip(!hasCache, 'this browser has no back/forward cache')
    await leave()
    // By somebody else than the browser, which would evict the page for what this answer says.
    const answer = await context.request.post(`${demo.url}api/auth/logout`, {
      headers: {
        'X-Token-Bridge': '1',
        'Sec-Fetch-Site': 'same-origin',
        'Sec-Fetch-Dest': 'empty',
        Origin: demo.origins.host,
      },
    })
    expect(answer.status()).toBe(200)
    const requests = countApiRequests()
    const frame = await returnToHost()
    expect(frame).toMatchObject({ isRestored: true, ...EMPTY })
    await host.shows('session-status', 'signed-out')
    for (const remote of REMOTES) await host.shows(`remote-${remote}-status`, 'signed-out')
    await expectSignedOut(requests)
  })

  it('from the back/forward cache after a sign-out in this tab is still signed out', async ({
    skip,
  }) => {
    skip(!hasCache, 'this browser has no back/forward cache')
    // The way ends at the provider: the host's next page would tell this one, and a page that is told anything is evicted.
    await host.page.route(`${demo.origins.provider}/session/end**`, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<title>Goodbye</title>' }),
    )
    await host.page.getByTestId('sign-out').click()
    await host.page.waitForURL((url) => url.origin === demo.origins.provider)
    const requests = countApiRequests()
    const frame = await returnToHost()
    expect(frame).toMatchObject({ isRestored: true, status: 'signed-out', ...EMPTY })
    await expectSignedOut(requests)
  })

  it.each([
    [
      'in another document of this tab',
      async () => {
        await host.page.evaluate(() =>
          fetch('/api/auth/logout', { method: 'POST', headers: { 'X-Token-Bridge': '1' } }),
        )
      },
    ],
    [
      'in another tab',
      async () => {
        const other = await openTab(context, demo)
        await other.shows('session-status', 'ready')
        await other.page.getByTestId('sign-out').click()
        await other.shows('session-status', 'signed-out')
      },
    ],
  ])('after a sign-out %s is signed out, restored or loaded anew', async (where, signOut) => {
    await leave()
    await signOut()
    const requests = countApiRequests()
    const frame = await returnToHost()
    // An evicted page is loaded anew: the test holds all the same, and says so.
    console.log(
      `after a sign-out ${where} the page was ${frame.isRestored ? 'restored from the back/forward cache' : 'evicted and loaded anew'}`,
    )
    expect(frame.secrets).toBe(0)
    // A page that is loaded anew may paint before there is anything on it at all.
    expect(frame.expiry).toMatch(frame.isRestored ? /^–:––$/ : /^(–:––)?$/)
    await expectSignedOut(requests)
  })

  it('by an imitated return shows nothing in its first frame, and is signed out when the session has ended', async () => {
    expect((await look()).secrets).toBe(6)
    await context.clearCookies()
    const moment = Date.now()
    await host.page.evaluate(() =>
      dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })),
    )
    expect(await frameSince(moment)).toMatchObject({ isRestored: true, ...EMPTY })
    await host.shows('session-status', 'signed-out')
    expect(await look()).toMatchObject({ status: 'signed-out', ...EMPTY })
  })
})
