import { isAuthError } from '@token-bridge/core/errors'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { LogFields } from './options.ts'
import {
  violationReports,
  type PolicyViolation,
  type ViolationReportsOptions,
} from './violation-reports.ts'

const lines: string[] = []
const fields: unknown[] = []
const line = (text: string, more?: LogFields) => {
  lines.push(text)
  fields.push(more)
}
const logger = { info: line, warn: line, error: line }
const seen: PolicyViolation[] = []
const onViolation = (violation: PolicyViolation) => void seen.push(violation)

beforeEach(() => {
  lines.length = 0
  fields.length = 0
  seen.length = 0
})

const make = (options: ViolationReportsOptions = {}) =>
  violationReports({ logger, onViolation, ...options })

const REPORTS = 'application/reports+json'
const CSP_REPORT = 'application/csp-report'

async function post(
  app: ReturnType<typeof violationReports>,
  body: unknown,
  type = REPORTS,
): Promise<Response> {
  return app.request('/', {
    method: 'POST',
    headers: { 'Content-Type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

const cspReport = (blockedURL: string, more: object = {}) => ({
  type: 'csp-violation',
  age: 1,
  url: 'https://shop.example.com/cart',
  user_agent: 'Test',
  body: {
    documentURL: 'https://shop.example.com/cart',
    blockedURL,
    effectiveDirective: 'connect-src',
    disposition: 'enforce',
    ...more,
  },
})

describe('violationReports', () => {
  it('reads the three kinds that the Reporting API brings, and no other', async () => {
    const app = make()
    const answer = await post(app, [
      cspReport('https://evil.example/x', {
        sourceFile: 'https://cart.example.com/a.js',
        lineNumber: 12,
        columnNumber: 3,
      }),
      {
        type: 'integrity-violation',
        url: 'https://shop.example.com/',
        body: {
          blockedURL: 'https://cart.example.com/a.js',
          destination: 'script',
          reportOnly: true,
        },
      },
      {
        type: 'connection-allowlist',
        url: 'https://shop.example.com/',
        body: { connection: 'https://evil.example/', disposition: 'enforce' },
      },
      { type: 'deprecation', url: 'https://shop.example.com/', body: { id: 'x' } },
      null,
      'text',
      { type: 'csp-violation', url: 'https://shop.example.com/' },
    ])
    expect(answer.status).toBe(204)
    const page = 'https://shop.example.com'
    expect(seen).toEqual([
      {
        policy: 'Content-Security-Policy',
        enforced: true,
        directive: 'connect-src',
        blocked: 'https://evil.example',
        page,
        source: 'https://cart.example.com',
        line: 12,
        column: 3,
        count: 1,
      },
      {
        policy: 'Integrity-Policy',
        enforced: false,
        directive: 'script',
        blocked: 'https://cart.example.com',
        page,
        count: 1,
      },
      {
        policy: 'Connection-Allowlist',
        enforced: true,
        directive: 'connection',
        blocked: 'https://evil.example',
        page,
        count: 1,
      },
    ])
    expect(lines).toEqual([
      '[violations] Content-Security-Policy blocked connect-src blocked=https://evil.example page=https://shop.example.com source=https://cart.example.com:12:3 count=1',
      '[violations] Integrity-Policy would block script blocked=https://cart.example.com page=https://shop.example.com count=1',
      '[violations] Connection-Allowlist blocked connection blocked=https://evil.example page=https://shop.example.com count=1',
    ])
  })

  it('reads what `report-uri` sends', async () => {
    const answer = await post(
      make(),
      {
        'csp-report': {
          'document-uri': 'https://shop.example.com/cart?a=b',
          'violated-directive': "script-src 'self'",
          'blocked-uri': 'inline',
          disposition: 'report',
        },
      },
      `${CSP_REPORT}; charset=utf-8`,
    )
    expect(answer.status).toBe(204)
    expect(seen).toEqual([
      {
        policy: 'Content-Security-Policy',
        enforced: false,
        directive: 'script-src',
        blocked: 'inline',
        page: 'https://shop.example.com',
        count: 1,
      },
    ])
  })

  it('holds nothing of a secret, wherever the report has it', async () => {
    const secret = 'canary7Yt0k3nAAAAAAAAAAAAAAAAAAA'
    const address = `https://${secret}:${secret}@evil.example/${secret}?t=${secret}#${secret}`
    const everywhere = {
      documentURL: address,
      referrer: address,
      effectiveDirective: secret,
      originalPolicy: secret,
      sample: secret,
      sourceFile: address,
      disposition: secret,
      lineNumber: secret,
      columnNumber: secret,
      destination: secret,
      connection: address,
      [secret]: secret,
    }
    const app = make()
    await post(app, [
      { ...cspReport(address, everywhere), user_agent: secret, url: address },
      cspReport(`https://${secret}.evil.example/`),
      cspReport(`https://${secret.slice(0, 16)}.${'a.'.repeat(9)}evil.example/`),
      cspReport(`data:text/plain,${secret}`),
      cspReport(`blob:https://shop.example.com/${secret}`),
      cspReport(secret),
      { type: 'integrity-violation', url: address, body: { ...everywhere, blockedURL: address } },
      { type: 'connection-allowlist', url: address, body: everywhere },
      { type: secret, url: address, body: everywhere },
    ])
    await post(
      app,
      {
        'csp-report': {
          'document-uri': address,
          'blocked-uri': address,
          'source-file': address,
          'script-sample': secret,
          'violated-directive': `${secret} ${secret}`,
        },
      },
      CSP_REPORT,
    )
    expect(seen).toHaveLength(9)
    const written = JSON.stringify([lines, fields, seen]).toLowerCase()
    expect(written).toContain('https://evil.example')
    expect(written).not.toContain(secret.slice(0, 12).toLowerCase())
  })

  it('writes one line whatever a report says', async () => {
    await post(make(), [
      cspReport('https://evil.example/', {
        effectiveDirective: 'script-src\n[auth] forged',
        sourceFile: 'https://a.example/\nforged',
      }),
    ])
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toMatch(/\n|forged/)
    expect(fields).toEqual([
      {
        event: 'violation',
        policy: 'Content-Security-Policy',
        enforced: 'true',
        directive: 'other',
        blocked: 'https://evil.example',
        page: 'https://shop.example.com',
        count: 1,
      },
    ])
  })

  it('counts repetitions, and logs the first, the tenth, the hundredth', async () => {
    const app = make({ limit: 1000 })
    await post(
      app,
      Array.from({ length: 100 }, () => cspReport('https://evil.example/')),
    )
    expect(seen.at(-1)?.count).toBe(100)
    expect(lines.map((text) => /count=(\d+)/.exec(text)?.[1])).toEqual(['1', '10', '100'])
  })

  it('keeps what fits into a minute, says how many did not, and goes on in the next', async () => {
    let time = 1_000_000
    const app = make({ limit: 3, now: () => time })
    const answer = await post(
      app,
      Array.from({ length: 5 }, () => cspReport('eval')),
    )
    expect(answer.status).toBe(429)
    expect(answer.headers.get('Retry-After')).toBe('60')
    expect(seen).toHaveLength(3)
    time += 59_999
    expect((await post(app, [cspReport('eval')])).status).toBe(429)
    time += 1
    expect((await post(app, [cspReport('eval')])).status).toBe(204)
    expect(seen).toHaveLength(4)
    expect(lines).toContain('[violations] 3 reports dropped: over 3 a minute')
  })

  it('does not grow with what strangers send', async () => {
    const app = make({ limit: 10_000 })
    for (let batch = 0; batch < 11; batch += 1) {
      const many = Array.from({ length: 100 }, (_, index) =>
        cspReport(`https://h${batch * 100 + index}.example/`),
      )
      await post(app, many)
    }
    await post(app, [cspReport('https://h0.example/')])
    // Forgotten, and counted anew.
    expect(seen.at(-1)?.count).toBe(1)
  })

  it.each([
    ['no JSON', '{', REPORTS, 400],
    ['no object', '7', REPORTS, 400],
    ['an empty list', '[]', REPORTS, 204],
    ['another type', '[]', 'application/json', 415],
    ['a type that pages of other origins may send', '[]', 'text/plain', 415],
    ['a name of Object.prototype as type', '[]', 'constructor', 415],
    [
      'too much',
      JSON.stringify([cspReport(`https://a.example/${'x'.repeat(70_000)}`)]),
      REPORTS,
      413,
    ],
    ['a csp-report without its field', '{}', CSP_REPORT, 204],
  ])('answers %s', async (_name, body, type, status) => {
    const answer = await post(make(), body, type)
    expect(answer.status).toBe(status)
    expect(await answer.text()).toBe('')
    expect(seen).toEqual([])
  })

  it('takes a POST and nothing else, and grants no other origin anything', async () => {
    const app = make()
    for (const method of ['GET', 'PUT', 'OPTIONS']) {
      const answer = await app.request('/', { method, headers: { Origin: 'https://evil.example' } })
      expect(answer.status).toBe(405)
      expect(answer.headers.get('Allow')).toBe('POST')
      expect([...answer.headers.keys()].join()).not.toContain('access-control')
    }
  })

  it('survives a callback that throws, and logs no more than its name', async () => {
    const app = make({
      onViolation() {
        throw new RangeError('canary')
      },
    })
    expect((await post(app, [cspReport('eval'), cspReport('inline')])).status).toBe(204)
    expect(
      lines.filter((text) => text === '[violations] onViolation failed: RangeError'),
    ).toHaveLength(2)
    expect(lines.join()).not.toContain('canary')
  })

  it('writes to the console where no logger is given', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    await post(violationReports(), [cspReport('eval')])
    expect(warn).toHaveBeenCalledTimes(1)
  })

  it.each<[string, object]>([
    ['limit', { limit: 0 }],
    ['limit', { limit: 1.5 }],
    ['onViolation', { onViolation: 'x' }],
    ['logger', { logger: {} }],
    ['now', { now: 5 }],
    ['onviolation', { onviolation: () => {} }],
  ])('refuses a wrong `%s`', (option, options) => {
    let thrown: unknown
    try {
      violationReports(options)
    } catch (error) {
      thrown = error
    }
    expect(isAuthError(thrown, 'ERR_CONFIG')).toBe(true)
    expect((thrown as Error).message).toContain(option)
  })
})
