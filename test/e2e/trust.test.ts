import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startDemo, type Demo } from '../../packages/demo/src/demo.ts'
import { launchBrowser } from './browser.ts'
import { openDemo, REMOTES, type DemoPage } from './demo-page.ts'

let browser: Browser
let demo: Demo
let host: DemoPage

beforeAll(async () => {
  ;[browser, demo] = await Promise.all([launchBrowser(), startDemo({ quiet: true })])
})
afterAll(async () => {
  await browser?.close()
  await demo?.stop()
})
beforeEach(async () => {
  host = await openDemo(browser, demo)
})
afterEach(async () => {
  await host.close()
})

describe.each(REMOTES)('a tampered %s', (remote) => {
  it('is not run: its card says why, the event is in the log, and the other two work', async () => {
    await host.context.route(`${demo.origins[remote]}/remoteEntry.js`, async (route) => {
      const response = await route.fetch()
      const body = `globalThis.tampered = true;${await response.text()}`
      await route.fulfill({ response, body })
    })
    await host.signIn()
    await host.shows(`remote-${remote}-refused`, /is not the file that was signed/)
    for (const other of REMOTES.filter((name) => name !== remote))
      await host.shows(`remote-${other}-last-answer`, /^200$/)

    const log = await host.page.locator('[data-type="remote-mount-failed"]').allTextContents()
    expect(log).toEqual([expect.stringContaining(`${remote}: ERR_REMOTE_TAMPERED`)])
    expect(await host.page.evaluate(() => 'tampered' in globalThis)).toBe(false)
  })
})
