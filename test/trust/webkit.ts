import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine, EnginePage } from './engines.ts'

const MINI_BROWSER = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser'

/**
 * Opens WebKitGTK over WebDriver (W3C), on a display that nobody looks at: Debian's `webkit2gtk-driver` and
 * `libgtk-3-bin`. A page is a session of its own, because WebKit's memory cache outlives a navigation.
 */
export async function openWebKit(): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), 'token-bridge-webkit-'))
  const [port, displayPort] = [await freePort(), await freePort()]
  const display = `:${displayPort % 1000}`
  const env = {
    ...process.env,
    XDG_RUNTIME_DIR: folder,
    GDK_BACKEND: 'broadway',
    BROADWAY_DISPLAY: display,
  }
  const start = (program: string, ...args: string[]): ChildProcess =>
    spawn(program, args, { env, stdio: 'ignore' })
  const processes = [
    start('broadwayd', '--port', String(displayPort), '--address', '127.0.0.1', display),
    start('WebKitWebDriver', `--port=${port}`),
  ]

  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const { value } = (await response.json()) as { readonly value: unknown }
    if (!response.ok) throw new Error(`WebDriver ${path}: ${JSON.stringify(value).slice(0, 500)}`)
    return value
  }
  await retry(() => call('GET', '/status'))

  return {
    async newPage() {
      const { sessionId } = (await call('POST', '/session', {
        capabilities: {
          alwaysMatch: {
            browserName: 'MiniBrowser',
            'webkitgtk:browserOptions': { binary: MINI_BROWSER, args: ['--automation'] },
          },
        },
      })) as { readonly sessionId: string }
      const session = `/session/${sessionId}`
      const page: EnginePage = {
        async goto(url) {
          await call('POST', `${session}/url`, { url })
        },
        // A function's text runs in the page, as with Playwright.
        async evaluate<T>(work: unknown, argument?: unknown): Promise<T> {
          const answer = (await call('POST', `${session}/execute/async`, {
            script: `const done = arguments[1]; Promise.resolve().then(() => (${String(work)})(arguments[0])).then((value) => done({ value }), (error) => done({ error: String(error) }))`,
            args: [argument ?? null],
          })) as { readonly value: T; readonly error?: string }
          if (answer.error !== undefined) throw new Error(answer.error)
          return answer.value
        },
        async close() {
          await call('DELETE', session)
        },
      }
      return { page, said: [] }
    },
    async close() {
      for (const started of processes) started.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function retry<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === 50) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
