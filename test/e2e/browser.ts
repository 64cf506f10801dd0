import { existsSync } from 'node:fs'
import sparticuz from '@sparticuz/chromium'
import { chromium, type Browser, type LaunchOptions } from 'playwright-core'

/** Where systems keep a Chromium. */
const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/microsoft-edge',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
]

/** Keep the browser from asking for anything but the demo. The packaged browser's own list would switch web security off. */
const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * Opens a Chromium: the one at `CHROMIUM_PATH`, an installed one, or the one that npm brought along.
 *
 * @param options - what else to launch it with.
 * @throws Error that says what to install when there is none that runs.
 */
export async function launchBrowser(options: LaunchOptions = {}): Promise<Browser> {
  const installed = [process.env['CHROMIUM_PATH'], ...INSTALLED].find(
    (path) => path !== undefined && existsSync(path),
  )
  // Chromium refuses its sandbox to root, and many containers cannot give it one.
  const isRoot = process.getuid?.() === 0
  try {
    return await chromium.launch({
      ...options,
      executablePath: installed ?? (await sparticuz.executablePath()),
      args: [...FLAGS, ...(isRoot ? ['--no-sandbox'] : []), ...(options.args ?? [])],
    })
  } catch (cause) {
    throw new Error(
      'No Chromium could be started. Install Chrome, Chromium or Edge, or name one: CHROMIUM_PATH=/path/to/chrome npm run test:e2e',
      { cause },
    )
  }
}
