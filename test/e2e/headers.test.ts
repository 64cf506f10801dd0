import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import {
  securityHeaders,
  violationReports,
  type NonceVariables,
  type PolicyViolation,
} from '@token-bridge/server'
import { Hono } from 'hono'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startDemo, type Demo } from '../../packages/demo/src/demo.ts'
import { launchBrowser } from './browser.ts'
import { openDemo, REMOTES } from './demo-page.ts'
import { selfSigned, type Credentials } from './self-signed.ts'

let browser: Browser
let context: BrowserContext
let credentials: Credentials
let remote: Site
let stranger: Site
let guarded: Host
let open: Host

beforeAll(async () => {
  // Reports are sent at once, and to a server with a certificate of our own.
  browser = await launchBrowser({
    args: ['--short-reporting-delay', '--ignore-certificate-errors'],
  })
  credentials = selfSigned()
  const script = 'document.title += " script"'
  remote = await serve((app) => app.get('/remote.js', (c) => javascript(c.body(script))))
  stranger = await serve((app) =>
    app
      .get('/script.js', (c) => javascript(c.body('document.title += " stranger"')))
      .get('/frame', (c) => c.html(`<iframe src="${c.req.query('page') ?? ''}"></iframe>`))
      .get('*', (c) => c.text('stranger', 200, { 'Access-Control-Allow-Origin': '*' })),
  )
  guarded = await serveHost(true)
  open = await serveHost(false)
})
afterAll(async () => {
  await browser?.close()
  for (const site of [remote, stranger, guarded, open]) site?.close()
})
beforeEach(async () => {
  context = await browser.newContext({ ignoreHTTPSErrors: true })
  guarded.violations.length = 0
  stranger.requests.length = 0
})
afterEach(async () => {
  await context.close()
})

interface Site {
  readonly origin: string
  /** Paths, oldest first. */
  readonly requests: string[]
  close(): void
}

interface Host extends Site {
  readonly violations: PolicyViolation[]
}

async function serve(
  addRoutes: (app: Hono<{ Variables: NonceVariables }>) => unknown,
): Promise<Site> {
  const requests: string[] = []
  const app = new Hono<{ Variables: NonceVariables }>()
  app.use(async (c, next) => {
    requests.push(c.req.path)
    await next()
  })
  addRoutes(app)
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  const server: Server = createServer(credentials, (request, response) => {
    void listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    requests,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function javascript(response: Response): Response {
  response.headers.set('Content-Type', 'text/javascript')
  response.headers.set('Access-Control-Allow-Origin', '*')
  return response
}

const hashOf = (script: string): string =>
  `sha384-${createHash('sha384').update(script).digest('base64')}`

/** What the page itself tries, by a click each: what a tool injects into a page escapes some of its policies. */
const ATTACKS = (strangerOrigin: string): string => `
  trustedTypes?.createPolicy('default', { createScriptURL: () => null })
  const attacks = {
    evaluate: () => eval('1 + 1'),
    send: async () => (await fetch('${strangerOrigin}/collect')).status,
    markup: () => { document.body.insertAdjacentHTML('beforeend', '<b>b</b>') },
    load: () => { document.createElement('script').src = '${strangerOrigin}/script.js' },
    policy: () => { trustedTypes.createPolicy('mine', {}) },
    leave: () => { location.href = '${strangerOrigin}/leave' },
    image: () => new Promise((resolve, reject) => {
      const image = Object.assign(new Image(), { onload: resolve, onerror: () => reject(new Error()) })
      image.src = '/dot.svg'
    }),
  }
  for (const [name, attack] of Object.entries(attacks)) {
    const button = document.body.appendChild(document.createElement('button'))
    button.id = name
    button.onclick = async () => {
      try { await attack(); button.textContent = 'done' }
      catch (error) { button.textContent = 'stopped: ' + error.name }
    }
  }`

async function serveHost(hasProfile: boolean): Promise<Host> {
  const violations: PolicyViolation[] = []
  const attacks = ATTACKS(stranger.origin)
  const ownScript = `<script src="/attacks.js" integrity="${hashOf(attacks)}" crossorigin></script>`
  const remoteScript = (hash: string, origin: string, path: string) =>
    `<script src="${origin}${path}" ${hash} crossorigin></script>`
  const good = `integrity="${hashOf('document.title += " script"')}"`
  const markup: Readonly<Record<string, string>> = {
    quiet: remoteScript(good, remote.origin, '/remote.js'),
    inline: '<script>document.title += " script"</script>',
    stranger: remoteScript(
      `integrity="${hashOf('document.title += " stranger"')}"`,
      stranger.origin,
      '/script.js',
    ),
    unpinned: remoteScript('', remote.origin, '/remote.js'),
    tampered: remoteScript(`integrity="${hashOf('another')}"`, remote.origin, '/remote.js'),
  }
  const logger = { info() {}, warn() {}, error() {} }
  const site = await serve((app) => {
    if (hasProfile)
      app.use(
        securityHeaders({
          remotes: [remote.origin],
          nonce: true,
          integrity: 'enforce',
          reportTo: '/violations',
        }),
      )
    return app
      .route(
        '/violations',
        violationReports({ logger, onViolation: (violation) => void violations.push(violation) }),
      )
      .get('/attacks.js', (c) => javascript(c.body(attacks)))
      .get('/dot.svg', (c) =>
        c.body('<svg xmlns="http://www.w3.org/2000/svg"/>', 200, {
          'Content-Type': 'image/svg+xml',
        }),
      )
      .get('/:page', (c) =>
        c.html(
          `<!doctype html><title>page</title><link rel="icon" href="data:,"><body>
           <script nonce="${c.get('nonce')}">document.title += " nonce"</script>
           ${ownScript}${markup[c.req.param('page')] ?? ''}`,
        ),
      )
  })
  return { ...site, violations }
}

/** The page's title after everything in its markup has run or been stopped. */
async function titleOf(host: Host, path: string): Promise<string> {
  const page = await context.newPage()
  await page.goto(`${host.origin}/${path}`)
  return page.title()
}

/** A page whose own script has begun an attack. */
async function pageThatTries(host: Host, attack: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${host.origin}/quiet`)
  await page.locator(`#${attack}`).click()
  return page
}

/** What became of it. */
async function outcomeOf(host: Host, attack: string): Promise<string> {
  const page = await pageThatTries(host, attack)
  await page.locator(`#${attack}:not(:empty)`).waitFor()
  return (await page.locator(`#${attack}`).textContent()) ?? ''
}

async function reported(violation: Partial<PolicyViolation>): Promise<void> {
  await expect
    .poll(() => guarded.violations, { timeout: 10_000 })
    .toContainEqual(expect.objectContaining({ enforced: true, page: guarded.origin, ...violation }))
}

const CSP = 'Content-Security-Policy'

describe('a page under the whole profile', () => {
  it('runs what has its nonce or its hash, and reports nothing', async () => {
    expect(await titleOf(guarded, 'quiet')).toBe('page nonce script')
    expect(await outcomeOf(guarded, 'image')).toBe('done')
    // Longer than the browser waits with reports.
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(guarded.violations).toEqual([])
  })

  it.each<[string, string, Partial<PolicyViolation>]>([
    ['inline', ' script', { policy: CSP, directive: 'script-src-elem', blocked: 'inline' }],
    ['stranger', ' stranger', { policy: CSP, directive: 'script-src-elem' }],
    ['unpinned', ' script', { policy: 'Integrity-Policy', directive: 'script' }],
  ])('stops the %s script in its markup, and reports it', async (path, mark, violation) => {
    expect(await titleOf(guarded, path)).toBe('page nonce')
    await reported(violation)
    expect(stranger.requests).toEqual([])
    expect(await titleOf(open, path)).toBe(`page nonce${mark}`)
  })

  it('stops a remote whose bytes are not those of its hash', async () => {
    expect(await titleOf(guarded, 'tampered')).toBe('page nonce')
  })

  it.each<[string, string, Partial<PolicyViolation>]>([
    ['evaluate', 'stopped: EvalError', { policy: CSP, blocked: 'trusted-types-sink' }],
    ['send', 'stopped: TypeError', { policy: CSP, directive: 'connect-src' }],
    ['markup', 'stopped: TypeError', { policy: CSP, blocked: 'trusted-types-sink' }],
    ['load', 'stopped: TypeError', { policy: CSP, directive: 'require-trusted-types-for' }],
    ['policy', 'stopped: TypeError', { policy: CSP, blocked: 'trusted-types-policy' }],
  ])(
    'stops its own script when it tries to %s, and reports it',
    async (attack, outcome, violation) => {
      expect(await outcomeOf(guarded, attack)).toBe(outcome)
      await reported(violation)
      expect(stranger.requests).toEqual([])
      expect(await outcomeOf(open, attack)).toBe('done')
    },
  )

  it('does not lead the browser to an origin that is not listed, which a Content-Security-Policy alone cannot stop', async () => {
    await pageThatTries(guarded, 'leave')
    await reported({ policy: 'Connection-Allowlist', blocked: stranger.origin })
    expect(stranger.requests).not.toContain('/leave')
    await pageThatTries(open, 'leave')
    await expect.poll(() => stranger.requests).toContain('/leave')
  })

  it('is not shown in a frame of a sibling origin, and reports it', async () => {
    const page = await context.newPage()
    const frameOf = async (host: Host) => {
      await page.goto(`${stranger.origin}/frame?page=${host.origin}/quiet`)
      return page.frames()[1]?.title()
    }
    expect(await frameOf(guarded)).not.toContain('page')
    await reported({ policy: CSP, directive: 'frame-ancestors' })
    expect(await frameOf(open)).toContain('page')
  })
})

describe('the demo', () => {
  let demo: Demo
  beforeAll(async () => {
    demo = await startDemo({ quiet: true })
  })
  afterAll(async () => {
    await demo?.stop()
  })

  it('runs with three remotes of three bundlers under the whole profile, from sign-in to sign-out, and offends nothing', async () => {
    const host = await openDemo(browser, demo)
    try {
      const headers = (await host.page.reload())?.headers() ?? {}
      expect(headers['content-security-policy']).toMatch(
        /script-src [^;]*'nonce-.*require-trusted-types-for 'script'; trusted-types default/,
      )
      expect(headers['integrity-policy']).toContain('blocked-destinations=(script)')
      expect(headers['connection-allowlist']).toContain('(response-origin "')
      await host.signIn()
      await Promise.all(REMOTES.map((name) => host.shows(`remote-${name}-last-answer`, /^200$/)))
      await host.page.getByTestId('sign-out').click()
      await host.shows('session-status', 'signed-out')
      const complaints = host.console.filter(
        ({ type, text }) =>
          ['error', 'warning', 'pageerror'].includes(type) && !/401 \(Unauthorized\)/.test(text),
      )
      expect(complaints).toEqual([])
      expect(demo.host.violations).toEqual([])

      // The silence above says something only if a violation breaks it.
      await host.page.evaluate(() => {
        document.body.append(
          Object.assign(document.createElement('iframe'), { src: 'https://frame.example' }),
        )
      })
      await expect
        .poll(() => demo.host.violations.map(({ directive, blocked }) => `${directive} ${blocked}`))
        .toEqual(['frame-src https://frame.example'])
    } finally {
      await host.close()
    }
  })
})
