import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startDemo, type Demo } from '../../packages/demo/src/demo.ts'
import { launchBrowser } from './browser.ts'
import { openTab, REMOTES, type DemoPage } from './demo-page.ts'

const TABS = 8

let browser: Browser
let demo: Demo
let context: BrowserContext
let tabs: DemoPage[]

beforeAll(async () => {
  ;[browser, demo] = await Promise.all([
    launchBrowser(),
    // Rotated about every seven seconds, and over for readers after fifteen.
    startDemo({ quiet: true, tokenLifetime: 20, skewBuffer: 5_000 }),
  ])
})
afterAll(async () => {
  await browser?.close()
  await demo?.stop()
})
beforeEach(async () => {
  context = await browser.newContext()
  const first = await openTab(context, demo)
  await first.signIn()
  tabs = [first]
  while (tabs.length < TABS) tabs.push(await openTab(context, demo))
  await everyTab('session-status', 'ready')
  for (const remote of REMOTES) await everyTab(`remote-${remote}-last-answer`, /^200$/)
})
afterEach(() => context.close())

const everyTab = async (testId: string, text: string | RegExp): Promise<void> => {
  await Promise.all(tabs.map((tab) => tab.shows(testId, text)))
}

/** The expiry of each token that a tab took in, by the bridge's own log, in order. */
const tokensOf = (tab: DemoPage): string[] =>
  tab.console.flatMap(({ text }) => /^\[bridge\] token rotated exp=(\d+)/.exec(text)?.[1] ?? [])
const newest = (): string => tokensOf(tabs[0] as DemoPage).at(-1) as string

/** Waits until all tabs hold one token. */
async function agree(): Promise<void> {
  await expect
    .poll(() => tabs.every((tab) => tokensOf(tab).at(-1) === newest()), { timeout: 10_000 })
    .toBe(true)
}

const answersSince = (start: number): number[] =>
  demo.api.requests.slice(start).map(({ status }) => status)

describe('eight tabs', () => {
  it('move to each new token together, each once, with one refresh at the provider and no 401', async () => {
    await agree()
    const refreshes = demo.provider.log.refreshes
    const answers = demo.api.requests.length
    const before = tabs.map((tab) => tokensOf(tab).length)
    const gained = (): string[][] => tabs.map((tab, index) => tokensOf(tab).slice(before[index]))

    await expect
      .poll(() => gained().every(({ length }) => length >= 2), { timeout: 30_000 })
      .toBe(true)
    await agree()

    const [expected, ...others] = gained() as [string[], ...string[][]]
    expect(new Set(expected).size).toBe(expected.length)
    expect(others).toEqual(others.map(() => expected))
    expect(demo.provider.log.refreshes - refreshes).toBe(expected.length)
    expect(demo.provider.log.failedGrants).toBe(0)
    expect(answersSince(answers).length).toBeGreaterThan(TABS)
    expect(answersSince(answers).filter((status) => status !== 200)).toEqual([])
  })

  // AzureAD/microsoft-authentication-library-for-js#4319: six tabs renew at once; only one or two succeed.
  // okta/okta-auth-js#1001: tabs that renew together meet 429.
  it('that come back online with an expired token get a new one by one refresh, and no request fails', async () => {
    await agree()
    await context.setOffline(true)
    await everyTab('session-expiry', '–:––')
    const generations = await Promise.all(tabs.map((tab) => tab.text('session-generation')))
    const refreshes = demo.provider.log.refreshes
    const answers = demo.api.requests.length
    const failed: string[] = []
    for (const { page } of tabs) page.on('requestfailed', (request) => failed.push(request.url()))

    await context.setOffline(false)
    await everyTab('session-status', 'ready')
    await Promise.all(
      tabs.map((tab, index) =>
        tab.shows('session-generation', new RegExp(`^${Number(generations[index]) + 1}$`)),
      ),
    )
    for (const remote of REMOTES) await everyTab(`remote-${remote}-last-answer`, /^200$/)

    expect(demo.provider.log.refreshes - refreshes).toBe(1)
    expect(demo.provider.log.failedGrants).toBe(0)
    expect(answersSince(answers).length).toBeGreaterThanOrEqual(TABS * REMOTES.length)
    expect(answersSince(answers).filter((status) => status !== 200)).toEqual([])
    expect(failed).toEqual([])
  })

  // auth0/auth0-spa-js#136, #392: a sign-out in one tab leaves the others usable.
  it('are empty within a second of a sign-out in one of them', async () => {
    const [first, ...others] = tabs as [DemoPage, ...DemoPage[]]
    await first.page.evaluate(() =>
      document.addEventListener('click', () => console.log(`CLICKED ${Date.now()}`), true),
    )
    for (const { page } of others) await page.evaluate(reportWhenEmpty)

    await first.page.getByTestId('sign-out').click()
    const momentOf = (tab: DemoPage, what: string): number => {
      const line = tab.console.find(({ text }) => text.startsWith(`${what} `))
      return line === undefined ? Number.NaN : Number(line.text.slice(what.length + 1))
    }
    await expect
      .poll(() => others.every((tab) => momentOf(tab, 'EMPTY') > 0), { timeout: 10_000 })
      .toBe(true)
    const spans = others.map((tab) => momentOf(tab, 'EMPTY') - momentOf(first, 'CLICKED'))
    console.log(
      `the other ${others.length} tabs were empty after ${spans.toSorted((a, b) => a - b).join(', ')} ms`,
    )
    expect(Math.max(...spans)).toBeLessThan(1_000)

    const answers = demo.api.requests.length
    // Longer than the remotes' polling: nobody calls any more.
    await first.page.waitForTimeout(4_500)
    expect(answersSince(answers)).toEqual([])
    await first.shows('session-status', 'signed-out')
    for (const tab of others) {
      await tab.shows('session-status', 'signed-out')
      expect(await tab.text('session-expiry')).toBe('–:––')
    }
  })
})

/** Runs in the page: says when there is no session in it any more, and nothing of one in any remote. */
function reportWhenEmpty(): void {
  const text = (testId: string): string =>
    document.querySelector(`[data-testid="${testId}"]`)?.textContent ?? ''
  const isEmpty = (): boolean =>
    text('session-status') === 'signed-out' &&
    text('session-expiry') === '–:––' &&
    ['dashboard', 'orders', 'reports'].every(
      (remote) =>
        text(`remote-${remote}-status`) === 'signed-out' &&
        text(`remote-${remote}-last-answer`) === '–' &&
        text(`remote-${remote}-data`) === 'Signed out. Nothing is kept here.',
    )
  const observer = new MutationObserver(() => {
    if (!isEmpty()) return
    observer.disconnect()
    console.log(`EMPTY ${Date.now()}`)
  })
  observer.observe(document, { subtree: true, childList: true, characterData: true })
}
