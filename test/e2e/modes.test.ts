import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startDemo, type Demo } from '../../packages/demo/src/demo.ts'
import { launchBrowser } from './browser.ts'
import { openTab, REMOTES, type DemoPage } from './demo-page.ts'

let browser: Browser
let demo: Demo
let context: BrowserContext

beforeAll(async () => {
  ;[browser, demo] = await Promise.all([launchBrowser(), startDemo({ quiet: true })])
})
afterAll(async () => {
  await browser?.close()
  await demo?.stop()
})
beforeEach(async () => {
  context = await browser.newContext()
})
afterEach(async () => {
  Object.assign(demo.controls, { endpoint: 'up', isBridgeEnabled: true })
  await context.close()
})

const everyRemote = async (tab: DemoPage, part: string, text: string | RegExp): Promise<void> => {
  await Promise.all(REMOTES.map((remote) => tab.shows(`remote-${remote}-${part}`, text)))
}

/** What a tab asks of the origins that the remotes come from. */
function requestsToRemotes({ page }: DemoPage): string[] {
  const { dashboard, orders, reports } = demo.origins
  const found: string[] = []
  page.on('request', (request) => {
    const url = request.url()
    if ([dashboard, orders, reports].includes(new URL(url).origin)) found.push(url)
  })
  return found
}

/** Says whether the document is still the one that it was. */
async function markDocument({ page }: DemoPage): Promise<() => Promise<boolean>> {
  await page.evaluate(() => Object.assign(window, { __MARKED__: true }))
  return () => page.evaluate(() => '__MARKED__' in window)
}

describe('the kill switch', () => {
  it('takes every tab to cookie-only and back with no reload and no request lost', async () => {
    const first = await openTab(context, demo)
    await first.signIn()
    const tabs = [first, await openTab(context, demo), await openTab(context, demo)]
    for (const tab of tabs) await everyRemote(tab, 'last-answer', /^200$/)
    const isSame = await Promise.all(tabs.map(markDocument))
    const requested = tabs.map(requestsToRemotes)
    const failed: string[] = []
    let isOff = false
    const signedWhileOff: string[] = []
    for (const { page } of tabs) {
      page.on('requestfailed', (request) => failed.push(request.url()))
      page.on('request', (request) => {
        if (isOff && 'authorization' in request.headers()) signedWhileOff.push(request.url())
      })
    }

    // One request of each tab is on its way while the switch is thrown.
    let release = (): void => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const held: string[] = []
    await context.route(`${demo.origins.api}/orders`, async (route) => {
      held.push(route.request().url())
      await released
      await route.continue()
    })
    const answers = tabs.map(({ page }) =>
      page.waitForResponse((response) => response.url() === `${demo.origins.api}/orders`),
    )
    for (const { page } of tabs) await page.getByTestId('remote-orders-call').click()
    await expect.poll(() => held.length).toBeGreaterThanOrEqual(tabs.length)

    await first.page.getByTestId('toggle-kill-switch').click()
    for (const tab of tabs) await tab.shows('session-mode', 'cookie-only')
    isOff = true
    for (const tab of tabs) expect(await tab.text('session-expiry')).toBe('–:––')
    release()
    for (const answer of answers) expect((await answer).status()).toBe(200)
    // Longer than the remotes' polling.
    await first.page.waitForTimeout(4_500)
    expect(signedWhileOff).toEqual([])
    // What is mounted stays mounted.
    for (const tab of tabs) await everyRemote(tab, 'generation', /^1$/)
    await first.screenshot('6-cookie-only')

    isOff = false
    await first.page.getByTestId('toggle-kill-switch').click()
    for (const tab of tabs) {
      await tab.shows('session-mode', 'bridge')
      await everyRemote(tab, 'generation', /^2$/)
      await everyRemote(tab, 'last-answer', /^200$/)
    }
    expect(demo.api.requests.filter(({ status }) => status !== 200)).toEqual([])
    expect(failed).toEqual([])
    for (const same of isSame) expect(await same()).toBe(true)
    expect(requested.flat()).toEqual([])
  })

  it('keeps remotes from being requested by a page that opens while it is off, until it is on again', async () => {
    const first = await openTab(context, demo)
    await first.signIn()
    await first.page.getByTestId('toggle-kill-switch').click()
    await first.shows('session-mode', 'cookie-only')

    const late = await openTab(context, demo)
    const requested = requestsToRemotes(late)
    await late.page.reload()
    await late.shows('session-mode', 'cookie-only')
    await everyRemote(late, 'placeholder', /^Cookie-only/)
    await late.page.waitForTimeout(1_000)
    expect(requested).toEqual([])

    const isSame = await markDocument(late)
    await first.page.getByTestId('toggle-kill-switch').click()
    await everyRemote(late, 'last-answer', /^200$/)
    expect(await isSame()).toBe(true)
    expect(requested.filter((url) => url.endsWith('/remoteEntry.js'))).toHaveLength(REMOTES.length)
  })
})

describe('a sync endpoint that is not there from the start', () => {
  it('means cookie-only: no remote is requested, and all mount by themselves when it is there', async () => {
    const tab = await openTab(context, demo)
    await tab.signIn()
    // Else a chunk that this page still asks for would count as one of the next page's.
    await everyRemote(tab, 'last-answer', /^200$/)
    let syncs = 0
    await tab.page.route('**/api/auth/sync', (route) => {
      syncs += 1
      return route.fulfill({ status: 404, contentType: 'text/plain', body: 'Not found' })
    })
    const requested = requestsToRemotes(tab)
    await tab.page.reload()
    await tab.shows('session-mode', 'cookie-only')
    await tab.shows('session-status', 'maintenance')
    await everyRemote(tab, 'placeholder', /^Cookie-only/)
    await tab.screenshot('7-no-endpoint')
    await tab.page.waitForTimeout(2_000)
    expect(requested).toEqual([])
    const asked = syncs
    expect(asked).toBeLessThanOrEqual(4)

    const isSame = await markDocument(tab)
    await tab.page.unroute('**/api/auth/sync')
    await everyRemote(tab, 'last-answer', /^200$/)
    await tab.shows('session-mode', 'bridge')
    await tab.shows('session-status', 'ready')
    await tab.shows('telemetry-mounted', /^3$/)
    expect(await isSame()).toBe(true)
  })
})
