import { isAuthError } from '@token-bridge/core/errors'
import { Hono, type Handler } from 'hono'
import { describe, expect, it } from 'vitest'
import { contentSecurityPolicy } from './content-security-policy.ts'
import { securityHeaders, type SecurityHeadersOptions } from './security-headers.ts'

const REMOTE = 'https://cart.example.com'

async function headersOf(options: SecurityHeadersOptions): Promise<Record<string, string>> {
  const app = new Hono().use(securityHeaders(options)).get('/', (c) => c.text('page'))
  return Object.fromEntries((await app.request('/')).headers)
}

describe('securityHeaders', () => {
  it('sends the whole profile with every page', async () => {
    const headers = await headersOf({
      remotes: [REMOTE],
      connect: ['https://api.example.com'],
      navigate: ['https://id.example.com', REMOTE],
      integrity: 'enforce',
      reportTo: '/api/violations',
    })
    expect(headers).toEqual({
      'content-type': 'text/plain; charset=UTF-8',
      'content-security-policy': contentSecurityPolicy({
        remotes: [REMOTE],
        connect: ['https://api.example.com'],
        reportTo: '/api/violations',
      }),
      'integrity-policy': 'blocked-destinations=(script), endpoints=(violations)',
      'connection-allowlist': `(response-origin "${REMOTE}" "https://api.example.com" "https://id.example.com");redirects=allow;report-to=violations`,
      'reporting-endpoints': 'violations="/api/violations"',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy':
        'camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), midi=(), serial=(), usb=()',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
  })

  const OWN = { 'Content-Security-Policy': "default-src 'none'" }

  it.each<[string, Handler]>([
    ['with its answer', (c) => c.text('page', 200, OWN)],
    [
      'before its answer',
      (c) => {
        c.header('Content-Security-Policy', "default-src 'none'")
        return c.text('page')
      },
    ],
    ['in a Response of its own', () => new Response('page', { headers: OWN })],
  ])(
    'leaves a stricter policy alone that a route sets %s, and adds the rest',
    async (_name, handler) => {
      const app = new Hono().use(securityHeaders({ remotes: [REMOTE] })).get('/own', handler)
      const { headers } = await app.request('/own')
      expect(headers.get('content-security-policy')).toBe("default-src 'none'")
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    },
  )

  it('goes with answers whose headers cannot be changed, and with failures', async () => {
    const app = new Hono()
      .use(securityHeaders())
      .get('/frozen', () => fetch('data:text/plain,page'))
      .get('/broken', () => {
        throw new Error('x')
      })
      .onError((_error, c) => c.text('broken', 500))
    for (const path of ['/frozen', '/broken', '/missing']) {
      const { headers } = await app.request(path)
      expect(headers.get('content-security-policy')).toBe(contentSecurityPolicy())
    }
  })

  it('makes another nonce for each response, and hands it to the page', async () => {
    const app = new Hono()
      .use(securityHeaders({ nonce: true }))
      .get('/', (c) => c.text(c.get('nonce')))
    const answers = await Promise.all(Array.from({ length: 50 }, async () => app.request('/')))
    const nonces = await Promise.all(answers.map((answer) => answer.text()))
    expect(new Set(nonces).size).toBe(50)
    for (const [index, answer] of answers.entries()) {
      const policy = answer.headers.get('content-security-policy')
      expect(policy).toBe(contentSecurityPolicy({ nonce: nonces[index] as string }))
    }
  })

  it('reports missing integrity where there is an endpoint, and sends nothing where there is none', async () => {
    const reported = await headersOf({ reportTo: '/violations' })
    expect(reported['integrity-policy-report-only']).toBe(
      'blocked-destinations=(script), endpoints=(violations)',
    )
    expect(reported).not.toHaveProperty('integrity-policy')
    expect(Object.keys(await headersOf({})).join()).not.toContain('integrity')
    expect((await headersOf({ integrity: 'enforce' }))['integrity-policy']).toBe(
      'blocked-destinations=(script)',
    )
  })

  it('sends no list of connections for a page that may lead anywhere', async () => {
    expect(await headersOf({ navigate: 'anywhere' })).not.toHaveProperty('connection-allowlist')
    expect((await headersOf({}))['connection-allowlist']).toBe('(response-origin);redirects=allow')
  })

  it('blocks nothing in report-only mode', async () => {
    const headers = await headersOf({
      reportOnly: true,
      integrity: 'enforce',
      reportTo: '/violations',
    })
    expect(Object.keys(headers)).toEqual(
      expect.arrayContaining([
        'content-security-policy-report-only',
        'integrity-policy-report-only',
        'connection-allowlist-report-only',
      ]),
    )
    for (const name of ['content-security-policy', 'integrity-policy', 'connection-allowlist'])
      expect(headers).not.toHaveProperty(name)
  })

  it.each<[string, object]>([
    ['nonce', { nonce: 'q1w2e3r4t5y6u7i8o9p0aA' }],
    ['navigate', { navigate: ['https://*.example.com'] }],
    ['navigate', { navigate: ['https://a.example" "https://evil.example'] }],
    ['navigate', { navigate: 'everywhere' }],
    ['integrity', { integrity: true }],
    ['reportOnly', { reportOnly: 1, reportTo: '/violations' }],
    ['reportTo', { reportOnly: true }],
    ['reportTo', { integrity: 'report' }],
    ['remotes', { remotes: ["'strict-dynamic'"] }],
  ])('refuses a wrong `%s` when it is made: %j', (option, options) => {
    let thrown: unknown
    try {
      securityHeaders(options)
    } catch (error) {
      thrown = error
    }
    expect(isAuthError(thrown, 'ERR_CONFIG')).toBe(true)
    expect((thrown as Error).message).toContain(`({ ${option} })`)
  })

  it.each([
    ['does not stop a tampered remote entry', { strictDynamic: true }],
    ['({ reportto }) must be left out', { reportto: '/violations' }],
    ['must be an object, got null', null],
    ['must be an object, got an array', []],
    ['must be an object, got a string', 'strict'],
  ])('refuses what is no set of options and says so: %s', (text, options) => {
    expect(() => securityHeaders(options as never)).toThrow(text)
  })
})
