import { firefox } from 'playwright-core'
import { launchBrowser } from '../e2e/browser.ts'

/** The part of a page that these tests need, of whichever engine. */
export interface EnginePage {
  goto(url: string): Promise<void>
  /** Runs the function's text in the page. */
  evaluate<T>(work: () => T | Promise<T>): Promise<T>
  evaluate<T, A>(work: (argument: A) => T | Promise<T>, argument: A): Promise<T>
  close(): Promise<void>
}

export interface Engine {
  /** Opens a page in a profile of its own; `said` is what its console says, where the engine tells. */
  newPage(): Promise<{ readonly page: EnginePage; readonly said: readonly string[] }>
  close(): Promise<void>
}

/**
 * Opens Chromium, or what `TRUST_ENGINE` names: `firefox` is the one at `FIREFOX_PATH`, by default Debian's
 * `firefox-esr`; `webkit` is Debian's WebKitGTK.
 */
export async function openEngine(): Promise<Engine> {
  const name = process.env['TRUST_ENGINE'] ?? 'chromium'
  if (name === 'webkit') return (await import('./webkit.ts')).openWebKit()
  const browser =
    name === 'firefox'
      ? await firefox.launch({
          channel: 'moz-firefox',
          executablePath: process.env['FIREFOX_PATH'] ?? '/usr/bin/firefox-esr',
          timeout: 90_000,
        })
      : await launchBrowser()
  return {
    async newPage() {
      const context = await browser.newContext()
      const page = await context.newPage()
      const said: string[] = []
      page.on('console', (message) => said.push(message.text()))
      const enginePage: EnginePage = {
        async goto(url) {
          await page.goto(url)
        },
        evaluate: (work: never, argument?: never) => page.evaluate(work, argument) as never,
        close: () => context.close(),
      }
      return { page: enginePage, said }
    },
    close: () => browser.close(),
  }
}
