import { isAuthError } from '@token-bridge/core/errors'
import { afterEach, describe, expect, it } from 'vitest'
import {
  GOOD_POLICY,
  problem,
  SECRET,
  startHost,
  type Host,
  type HostAnswer,
  type HostFaults,
} from '../host.test.fixture.ts'
import { doctor } from './doctor.ts'

const hosts: Host[] = []
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close()
})

async function begin(faults: HostFaults = {}): Promise<Host> {
  const started = await startHost(faults)
  hosts.push(started)
  return started
}

const examine = async (faults: HostFaults) => doctor((await begin(faults)).origin)

const withHeaders =
  (headers: HostAnswer['headers']) =>
  (_request: unknown, good: HostAnswer): HostAnswer => ({
    ...good,
    headers: { ...good.headers, ...headers },
  })

const policy = (value: string): HostFaults => ({
  page: withHeaders({ 'content-security-policy': value }),
})

const withoutHeader =
  (name: string): NonNullable<HostFaults['sync']> =>
  (_request, good) => {
    const { [name]: _dropped, ...headers } = good.headers
    return { ...good, headers }
  }

const html = { 'content-type': 'text/html' }
const noPolicy = { status: 200, headers: html, body: '<!doctype html>' }
const everySyncAnswer = (answer: HostAnswer): HostFaults => ({ sync: () => answer })
const isProper = ({ method, headers }: Parameters<NonNullable<HostFaults['sync']>>[0]) =>
  method === 'POST' &&
  headers['x-token-bridge'] === '1' &&
  headers['sec-fetch-site'] === 'same-origin'

describe('doctor on a good host', () => {
  it('finds nothing, and says what it looked at', async () => {
    const { origin } = await begin()

    expect(await doctor(origin)).toEqual({
      page: `${origin}/`,
      sync: `${origin}/api/auth/sync`,
      findings: [],
      passed: [
        'sync-signed-out',
        'sync-header',
        'sync-cross-site',
        'sync-get',
        'sync-no-store',
        'sync-nosniff',
        'sync-cors',
        'csp',
        'csp-inline',
        'csp-eval',
        'csp-wildcard',
        'csp-connect',
      ],
      skipped: [],
    })
  })

  it('asks six times, without a cookie', async () => {
    const { origin, requests } = await begin()
    await doctor(`${origin}/shop?item=1`)

    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /shop?item=1',
      'POST /api/auth/sync',
      'POST /api/auth/sync',
      'POST /api/auth/sync',
      'GET /api/auth/sync',
      'OPTIONS /api/auth/sync',
    ])
    expect(requests.some(({ headers }) => 'cookie' in headers)).toBe(false)
  })

  it('is the page of the bridge in its first request, and another page in each further one', async () => {
    const { origin, requests } = await begin()
    await doctor(origin)
    const [, proper, bare, foreign, get, preflight] = requests.map(({ headers }) => headers)
    const own = { origin, 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'empty' }

    expect(proper).toMatchObject({ ...own, 'x-token-bridge': '1' })
    expect(bare).toMatchObject(own)
    expect(bare).not.toHaveProperty('x-token-bridge')
    expect(foreign).toMatchObject({
      origin: 'https://other-site.invalid',
      'sec-fetch-site': 'cross-site',
      'x-token-bridge': '1',
    })
    expect(get).toMatchObject({ ...own, 'x-token-bridge': '1' })
    expect(preflight).toMatchObject({
      origin: 'https://other-site.invalid',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-token-bridge',
    })
  })

  it('asks another path when told to', async () => {
    const { origin, requests } = await begin()
    const { sync, findings } = await doctor(origin, { syncPath: '/auth' })

    expect(sync).toBe(`${origin}/auth`)
    expect(requests[1]?.url).toBe('/auth')
    expect(findings.map(({ check }) => check)).toEqual(['sync-signed-out'])
  })

  it('follows a redirect on the same host', async () => {
    const { origin } = await begin({
      page: ({ url }, good) =>
        url === '/' ? { status: 302, headers: { location: '/app' } } : good,
    })

    expect(await doctor(origin)).toMatchObject({ page: `${origin}/app`, findings: [] })
  })

  it.each([
    [
      'a policy in the page itself',
      undefined,
      `<meta http-equiv="Content-Security-Policy" content="${GOOD_POLICY}">`,
    ],
    [
      "'unsafe-inline' that a nonce switches off",
      "script-src 'self' 'nonce-abc' 'unsafe-inline'; connect-src 'self'",
      '',
    ],
    [
      "hosts and schemes that 'strict-dynamic' switches off",
      "script-src 'strict-dynamic' 'nonce-abc' 'unsafe-inline' https: http:; connect-src 'self'",
      '',
    ],
    ['default-src in the place of the others', "default-src 'self'", ''],
    [
      'a loose policy beside a strict one',
      `default-src * 'unsafe-inline' 'unsafe-eval', ${GOOD_POLICY}`,
      '',
    ],
    ["'wasm-unsafe-eval'", "script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'", ''],
    ['blob: scripts', "script-src 'self' blob:; connect-src 'self'", ''],
  ])('has nothing against %s', async (_what, value, markup) => {
    const headers = value === undefined ? html : { ...html, 'content-security-policy': value }
    const { findings } = await examine({
      page: () => ({ status: 200, headers, body: `<!doctype html><head>${markup}</head>` }),
    })

    expect(findings).toEqual([])
  })
})

describe('doctor on a host with one fault', () => {
  it.each<readonly [check: string, fault: string, faults: HostFaults, evidence: string]>([
    [
      'sync-signed-out',
      'a redirect to the sign-in page',
      everySyncAnswer({
        status: 302,
        headers: { location: `https://idp.example/login?state=${SECRET}` },
      }),
      '302 to https://idp.example/login, no content type',
    ],
    [
      'sync-signed-out',
      'a page',
      everySyncAnswer({ status: 200, headers: html, body: SECRET }),
      '200, text/html',
    ],
    [
      'sync-signed-out',
      'a page with 401',
      everySyncAnswer({ status: 401, headers: html, body: SECRET }),
      '401, text/html',
    ],
    [
      'sync-signed-out',
      'no endpoint',
      everySyncAnswer({ status: 404, headers: {} }),
      '404, no content type',
    ],
    [
      'sync-signed-out',
      'a 403 for everybody',
      everySyncAnswer(problem(403)),
      '403, application/problem+json',
    ],
    ['sync-signed-out', 'a fault', everySyncAnswer(problem(500)), '500, application/problem+json'],
    [
      'sync-signed-out',
      'text',
      everySyncAnswer({ status: 401, headers: { 'content-type': 'text/plain' } }),
      '401, text/plain',
    ],
    [
      'sync-signed-out',
      'a token for nobody',
      { sync: (request, good) => (isProper(request) ? { ...problem(200), body: SECRET } : good) },
      '200, application/problem+json',
    ],
    [
      'sync-header',
      'no look at the header',
      {
        sync: (request, good) =>
          request.headers['x-token-bridge'] === undefined && request.method === 'POST'
            ? problem(401)
            : good,
      },
      'POST without the header: 401, application/problem+json',
    ],
    [
      'sync-cross-site',
      'no look at the origin',
      {
        sync: (request, good) =>
          request.method === 'POST' && request.headers['sec-fetch-site'] === 'cross-site'
            ? problem(401)
            : good,
      },
      'POST with another Origin and Sec-Fetch-Site: cross-site: 401, application/problem+json',
    ],
    [
      'sync-get',
      'GET',
      { sync: (request, good) => (request.method === 'GET' ? problem(401) : good) },
      'GET: 401, application/problem+json',
    ],
    [
      'sync-get',
      'a page for GET',
      {
        sync: (request, good) =>
          request.method === 'GET' ? { status: 200, headers: html, body: SECRET } : good,
      },
      'GET: 200, text/html',
    ],
    [
      'sync-no-store',
      'no Cache-Control',
      { sync: withoutHeader('cache-control') },
      'Cache-Control: (none)',
    ],
    [
      'sync-no-store',
      'another Cache-Control',
      { sync: withHeaders({ 'cache-control': 'private, no-store-ish, max-age=0' }) },
      'Cache-Control: private, no-store-ish, max-age=0',
    ],
    [
      'sync-nosniff',
      'no nosniff',
      { sync: withoutHeader('x-content-type-options') },
      'X-Content-Type-Options: (none)',
    ],
    [
      'sync-cors',
      'CORS for the request',
      {
        sync: (request, good) =>
          request.headers['sec-fetch-site'] === 'cross-site' && request.method === 'POST'
            ? withHeaders({
                'access-control-allow-origin': request.headers.origin,
                'access-control-allow-credentials': 'true',
              })(request, good)
            : good,
      },
      'To a request of another site: Access-Control-Allow-Origin: https://other-site.invalid, Access-Control-Allow-Credentials: true',
    ],
    [
      'sync-cors',
      'CORS for the preflight',
      {
        sync: (request, good) =>
          request.method === 'OPTIONS'
            ? { status: 204, headers: { 'access-control-allow-origin': '*' } }
            : good,
      },
      'To a request of another site: Access-Control-Allow-Origin: *',
    ],
    ['csp', 'no policy', { page: () => noPolicy }, 'Content-Security-Policy: (none)'],
    [
      'csp',
      'a policy that only reports',
      {
        page: () => ({
          ...noPolicy,
          headers: { ...html, 'content-security-policy-report-only': GOOD_POLICY },
        }),
      },
      'Content-Security-Policy: (none), Content-Security-Policy-Report-Only: present',
    ],
    [
      'csp-inline',
      'inline scripts',
      policy("script-src 'self' 'UNSAFE-INLINE'; connect-src 'self'"),
      "script-src 'self' 'UNSAFE-INLINE'",
    ],
    [
      'csp-inline',
      'inline scripts by way of default-src',
      policy("default-src 'self' 'unsafe-inline'"),
      "default-src 'self' 'unsafe-inline'",
    ],
    [
      'csp-inline',
      'inline event handlers',
      policy("script-src 'self'; script-src-attr 'unsafe-inline'; connect-src 'self'"),
      "script-src-attr 'unsafe-inline'",
    ],
    [
      'csp-eval',
      'eval',
      policy("script-src 'self' 'unsafe-eval'; connect-src 'self'"),
      "script-src 'self' 'unsafe-eval'",
    ],
    [
      'csp-wildcard',
      'any host',
      policy("script-src 'self' *; connect-src 'self'"),
      "script-src 'self' *",
    ],
    [
      'csp-wildcard',
      'any https host',
      policy("script-src https:; connect-src 'self'"),
      'script-src https:',
    ],
    [
      'csp-wildcard',
      'data: scripts',
      policy("script-src data:; connect-src 'self'"),
      'script-src data:',
    ],
    [
      'csp-wildcard',
      'any subdomain',
      policy("script-src https://*.cdn.example; connect-src 'self'"),
      'script-src https://*.cdn.example',
    ],
    [
      'csp-wildcard',
      'a wildcard for elements only',
      policy("script-src 'self'; script-src-elem *; connect-src 'self'"),
      'script-src-elem *',
    ],
    [
      'csp-wildcard',
      'no word of scripts',
      policy("connect-src 'self'; img-src 'self'"),
      'Neither script-src nor default-src',
    ],
    [
      'csp-connect',
      'no word of connections',
      policy("script-src 'self'"),
      'Neither connect-src nor default-src',
    ],
    [
      'csp-connect',
      'connections to anywhere',
      policy("script-src 'self'; connect-src 'self' https:"),
      "connect-src 'self' https:",
    ],
    [
      'csp-connect',
      'connections to nowhere',
      policy("default-src 'none'; script-src 'self'"),
      "default-src 'none'",
    ],
  ])('finds %s and nothing else: %s', async (check, _fault, faults, evidence) => {
    const report = await examine(faults)

    expect(report.findings.map((finding) => finding.check)).toEqual([check])
    expect(report.findings[0]?.evidence).toBe(evidence)
    expect(report.passed).not.toContain(check)
    for (const text of Object.values(report.findings[0] ?? {})) expect(text).not.toBe('')
    expect(JSON.stringify(report)).not.toContain(SECRET)
  })

  it('does not judge how an endpoint refuses when there is none', async () => {
    const { skipped } = await examine(everySyncAnswer({ status: 404, headers: {} }))

    expect(skipped).toEqual([
      'sync-header',
      'sync-cross-site',
      'sync-get',
      'sync-no-store',
      'sync-nosniff',
    ])
  })

  it('does not judge what an endpoint refuses when it refuses everything', async () => {
    const { skipped, passed } = await examine(everySyncAnswer(problem(403)))

    expect(skipped).toEqual(['sync-header', 'sync-cross-site', 'sync-get'])
    expect(passed).toContain('sync-no-store')
  })

  it('does not judge what a policy says when there is none', async () => {
    const { skipped } = await examine({ page: () => noPolicy })

    expect(skipped).toEqual(['csp-inline', 'csp-eval', 'csp-wildcard', 'csp-connect'])
  })

  it('finds everything at once where everything is wrong', async () => {
    const open = { 'access-control-allow-origin': '*', 'content-type': 'application/json' }
    const { findings } = await examine({
      ...policy("script-src * 'unsafe-inline' 'unsafe-eval'"),
      sync: () => ({ status: 200, headers: open, body: JSON.stringify({ accessToken: SECRET }) }),
    })

    expect(findings.map(({ check }) => check)).toEqual([
      'sync-signed-out',
      'sync-header',
      'sync-cross-site',
      'sync-get',
      'sync-no-store',
      'sync-nosniff',
      'sync-cors',
      'csp-inline',
      'csp-eval',
      'csp-wildcard',
      'csp-connect',
    ])
    expect(JSON.stringify(findings)).not.toContain(SECRET)
  })
})

describe('doctor that cannot run', () => {
  const failure = (url: string, options = {}): Promise<unknown> =>
    doctor(url, options).then(
      () => 'ran',
      (error: unknown) => (isAuthError(error) ? error : String(error)),
    )
  const failureOf = async (faults: HostFaults, options = {}) =>
    failure((await begin(faults)).origin, options)

  it.each(['shop', '', '/path', 'ftp://shop.example', 'javascript:alert(1)'])(
    'refuses the address "%s"',
    async (address) => {
      expect(await failure(address)).toMatchObject({ code: 'ERR_CONFIG' })
    },
  )

  it.each([`user:${SECRET}`, `:${SECRET}`, SECRET])(
    'refuses an address with the credentials %s, and does not repeat them',
    async (credentials) => {
      const error = await failure(`https://${credentials}@shop.example/`)

      expect(error).toMatchObject({ code: 'ERR_CONFIG' })
      expect(String(error)).not.toContain(SECRET)
    },
  )

  it('says that nobody listens, without the query of the address', async () => {
    const { origin, close } = await startHost()
    await close()
    const error = await failure(`${origin}/shop?code=${SECRET}`)

    expect(error).toMatchObject({
      code: 'ERR_SYNC_NETWORK',
      message: `${origin}/shop could not be reached (ECONNREFUSED).`,
    })
  })

  it('says that there is no such host', async () => {
    expect(await failure('http://nobody.invalid/')).toMatchObject({
      code: 'ERR_SYNC_NETWORK',
      message: expect.stringMatching(/could not be reached \(E[A-Z_]+\)\.$/) as string,
    })
  })

  it('says that the host does not answer in time', async () => {
    const started = performance.now()
    expect(await failureOf({ page: () => null }, { timeout: 50 })).toMatchObject({
      code: 'ERR_SYNC_NETWORK',
      message: expect.stringContaining('did not answer within 50 ms') as string,
    })
    expect(performance.now() - started).toBeLessThan(1_500)
  })

  it('says that the endpoint does not answer in time', async () => {
    expect(await failureOf({ sync: () => null }, { timeout: 50 })).toMatchObject({
      message: expect.stringContaining('/api/auth/sync did not answer within 50 ms') as string,
    })
  })

  it.each([429, 503])('says that the endpoint is busy when it answers %s', async (status) => {
    expect(await failureOf(everySyncAnswer(problem(status)))).toMatchObject({
      code: 'ERR_SYNC_STATUS',
      status,
      retryable: true,
    })
  })

  it('says that the page is busy', async () => {
    expect(await failureOf({ page: () => problem(503) })).toMatchObject({
      message: expect.stringContaining('busy or down') as string,
    })
  })

  it.each<readonly [string, HostAnswer, string]>([
    ['a missing page', { status: 404, headers: html }, 'answered 404, text/html'],
    ['no page', { ...problem(200) }, 'answered 200, application/problem+json'],
    [
      'a redirect to another host',
      { status: 302, headers: { location: `https://idp.example/?state=${SECRET}` } },
      'redirects to https://idp.example.',
    ],
    [
      'a redirect to another port',
      { status: 302, headers: { location: 'http://127.0.0.1:9/' } },
      'redirects to http://127.0.0.1:9.',
    ],
    [
      'a redirect to nowhere',
      { status: 302, headers: { location: 'http://' } },
      'redirects to nowhere',
    ],
    ['a circle', { status: 302, headers: { location: '/' } }, 'redirects more than 5 times'],
    ['a redirect without a target', { status: 302, headers: {} }, 'answered 302, no content type'],
  ])('asks for another page when it gets %s', async (_what, answer, message) => {
    const error = await failureOf({ page: () => answer })

    expect(error).toMatchObject({ code: 'ERR_SYNC_STATUS' })
    expect(String(error)).toContain(message)
    expect(String(error)).not.toContain(SECRET)
  })

  it.each(['https://auth.example/sync', '//auth.example/sync', 'http://'])(
    'refuses the sync endpoint %s, which is on another host',
    async (syncPath) => {
      const { origin, requests } = await begin()

      expect(await failure(origin, { syncPath })).toMatchObject({ code: 'ERR_CONFIG' })
      expect(requests).toHaveLength(1)
    },
  )
})
