import type { BridgeEvent } from '@token-bridge/core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from 'vitest'
import { openEngine, type Engine, type EnginePage } from './engines.ts'
import type { TrustHost } from './host/host.ts'
import { BUNDLERS, openSites, type Bundler, type RemoteSite, type Sites } from './sites.ts'

declare global {
  var trustHost: TrustHost
  /** What a test waits for. */
  var loading: Promise<boolean>
  /** Set by bytes that nobody signed, and by code that nobody asked for. */
  var tampered: string | undefined
}

/** The host's page in a browser profile of its own, and the sites it is made of. */
export interface TrustPage {
  readonly page: EnginePage
  readonly sites: Sites
  /** What the console said. */
  readonly said: readonly string[]
  /** Runs this in the bare page before the host's own script. */
  plant(work: () => unknown): void
  plant<A>(work: (argument: A) => unknown, argument: A): void
  /** Opens the host. Default: the one without any policy. */
  open(url?: string): Promise<void>
  /** What the remote's element shows, or the code of the error. */
  load(bundler: Bundler): Promise<string>
  /** The same, of a remote that an attacker has registered. */
  loadContainer(container: string): Promise<string>
  more(bundler: Bundler): Promise<string>
  mounts(): Promise<BridgeEvent[]>
  ranTampered(): Promise<string>
  /** What the other remotes show, and what their later chunks do. */
  useOthers(bundler: Bundler): Promise<string[]>
}

/** Opens sites and browser for the tests of a file, and a fresh profile for each. */
export function useTrustPage(): TrustPage {
  let engine: Engine
  let sites: Sites
  let page: EnginePage
  let said: readonly string[]

  beforeAll(async () => {
    ;[engine, sites] = await Promise.all([openEngine(), openSites(inject('builds'))])
  })
  afterAll(async () => {
    await engine?.close()
    sites?.close()
  })
  beforeEach(async () => {
    sites.restore()
    ;({ page, said } = await engine.newPage())
  })
  afterEach(async () => {
    await page.close()
  })

  const self: TrustPage = {
    get page() {
      return page
    },
    get sites() {
      return sites
    },
    get said() {
      return said
    },
    plant(work: (argument: never) => unknown, argument?: unknown) {
      sites.early += `<script>(${String(work)})(${JSON.stringify(argument)})</script>`
    },
    async open(url = sites.bare) {
      await page.goto(url)
      await page.evaluate(async () => {
        while (!('trustHost' in globalThis)) await new Promise((resolve) => setTimeout(resolve, 20))
      })
    },
    load: (bundler) => self.loadContainer(`remote_${bundler}`),
    loadContainer: (container) => page.evaluate((name) => trustHost.load(name), container),
    more: (bundler) => page.evaluate((name) => trustHost.more(name), `remote_${bundler}`),
    mounts: () =>
      page.evaluate(() => trustHost.events.filter(({ type }) => type.startsWith('remote-mount'))),
    ranTampered: () => page.evaluate(() => globalThis.tampered ?? 'nothing'),
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
