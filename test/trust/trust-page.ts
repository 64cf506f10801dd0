import type { BridgeEvent } from '@token-bridge/core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from 'vitest'
import { launchBrowser } from '../e2e/browser.ts'
import type { TrustHost } from './host/host.ts'
import { BUNDLERS, openSites, type Bundler, type RemoteSite, type Sites } from './sites.ts'

declare global {
  var host: TrustHost
  /** Set by bytes that nobody signed. */
  var tampered: string | undefined
}

/** The host's page in a browser profile of its own, and the sites it is made of. */
export interface TrustPage {
  readonly page: Page
  readonly sites: Sites
  /** What the console said. */
  readonly said: readonly string[]
  /** Opens the host. Default: the one without any policy. */
  open(url?: string): Promise<void>
  /** What the remote's element shows, or the code of the error. */
  load(bundler: Bundler): Promise<string>
  /** The same, of a remote that an attacker has registered. */
  loadContainer(container: string): Promise<string>
  more(bundler: Bundler): Promise<string>
  mounts(): Promise<BridgeEvent[]>
  ranTampered(): Promise<string | undefined>
  /** What the other remotes show, and what their later chunks do. */
  useOthers(bundler: Bundler): Promise<string[]>
}

/** Opens sites and browser for the tests of a file, and a fresh profile for each. */
export function useTrustPage(): TrustPage {
  let browser: Browser
  let sites: Sites
  let context: BrowserContext
  let page: Page
  const said: string[] = []

  beforeAll(async () => {
    ;[browser, sites] = await Promise.all([launchBrowser(), openSites(inject('builds'))])
  })
  afterAll(async () => {
    await browser?.close()
    sites?.close()
  })
  beforeEach(async () => {
    sites.restore()
    context = await browser.newContext()
    page = await context.newPage()
    said.length = 0
    page.on('console', (message) => said.push(message.text()))
  })
  afterEach(async () => {
    await context.close()
  })

  const self: TrustPage = {
    get page() {
      return page
    },
    get sites() {
      return sites
    },
    said,
    async open(url = sites.bare) {
      await page.goto(url)
      await page.waitForFunction(() => 'host' in globalThis)
    },
    load: (bundler) => self.loadContainer(`remote_${bundler}`),
    loadContainer: (container) => page.evaluate((name) => host.load(name), container),
    more: (bundler) => page.evaluate((name) => host.more(name), `remote_${bundler}`),
    mounts: () =>
      page.evaluate(() => host.events.filter(({ type }) => type.startsWith('remote-mount'))),
    ranTampered: () => page.evaluate(() => globalThis.tampered),
    async useOthers(bundler) {
      const shown: string[] = []
      for (const other of BUNDLERS.filter((name) => name !== bundler))
        shown.push(await self.load(other), await self.more(other))
      return shown
    },
  }
  return self
}

/** Makes a file of a remote another one, which says so when it runs. */
export function tamper(site: RemoteSite, path: string): void {
  const mark = path.endsWith('.css')
    ? 'body { outline: 7px solid red }'
    : `globalThis.tampered = ${JSON.stringify(path)};`
  site.files.set(path, Buffer.from(`${mark}${String(site.files.get(path))}`))
}

export const failed = (remote: string, reason: string): BridgeEvent =>
  expect.objectContaining({ type: 'remote-mount-failed', remote, reason }) as BridgeEvent

/** What the others show when nothing is wrong with them. */
export const works = (bundler: Bundler): string[] =>
  BUNDLERS.filter((name) => name !== bundler).flatMap((other) => [
    `built by ${other}`,
    `more by ${other}`,
  ])
