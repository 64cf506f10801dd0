import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Demo } from '../../packages/demo/src/demo.ts'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { installDevtoolsRecorder, type RecordedStore } from './devtools-recorder.ts'

export const REMOTES = ['dashboard', 'orders', 'reports'] as const

const screenshots = fileURLToPath(new URL('screenshots/', import.meta.url))

/** The demo as a person has it before them, with everything that the browser said written down. */
export interface DemoPage {
  readonly page: Page
  readonly context: BrowserContext
  /** Console messages, page errors and requests that failed. */
  readonly console: { readonly type: string; readonly text: string }[]
  /** The access tokens that were seen in requests to the API. */
  readonly tokens: Set<string>
  text(testId: string): Promise<string>
  /** Waits until an element has this text. */
  shows(testId: string, text: string | RegExp): Promise<void>
  signIn(): Promise<void>
  recordedStores(): Promise<RecordedStore[]>
  screenshot(name: string): Promise<void>
  close(): Promise<void>
}

/** The demo in a browser profile of its own, which ends with it. */
export async function openDemo(browser: Browser, demo: Demo): Promise<DemoPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 940 } })
  return { ...(await openTab(context, demo)), close: () => context.close() }
}

/** The demo in one more tab of a profile: it shares the session cookie with the others. */
export async function openTab(context: BrowserContext, demo: Demo): Promise<DemoPage> {
  const page = await context.newPage()
  const said: { type: string; text: string }[] = []
  const tokens = new Set<string>()
  page.on('console', (message) => said.push({ type: message.type(), text: message.text() }))
  page.on('pageerror', (error) => said.push({ type: 'pageerror', text: error.message }))
  page.on('request', (request) => {
    const bearer = /^Bearer (.+)$/.exec(request.headers()['authorization'] ?? '')?.[1]
    if (bearer !== undefined) tokens.add(bearer)
  })
  await page.addInitScript(installDevtoolsRecorder)
  await page.goto(demo.url)

  const element = (testId: string) => page.getByTestId(testId)
  return {
    page,
    context,
    console: said,
    tokens,
    text: async (testId) => ((await element(testId).textContent()) ?? '').trim(),
    async shows(testId, text) {
      await element(testId).filter({ hasText: text }).waitFor()
    },
    async signIn() {
      await element('sign-in').click()
      await page.getByRole('button', { name: 'Continue as Ada' }).click()
      await page.waitForURL(demo.url)
      await element('session-status').filter({ hasText: 'ready' }).waitFor()
    },
    recordedStores: () =>
      page.evaluate(
        () =>
          JSON.parse(
            JSON.stringify(
              (window as unknown as { __RECORDED_STORES__: unknown }).__RECORDED_STORES__,
            ),
          ) as RecordedStore[],
      ),
    async screenshot(name) {
      mkdirSync(screenshots, { recursive: true })
      await page.screenshot({ path: `${screenshots}${name}.png`, fullPage: true })
    },
    close: () => page.close(),
  }
}
