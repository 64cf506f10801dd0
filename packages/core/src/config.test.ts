import { BehaviorSubject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { resolveTelemetry } from './telemetry/options.ts'
import { resolveConfig, type BridgeConfig } from './config.ts'
import type { AuthError } from './errors.ts'
import { everythingIn, SECRET, thrown } from './fixtures.test.support.ts'

const refused = (config: unknown): AuthError =>
  thrown(() => resolveConfig(config as BridgeConfig)) as AuthError

describe('resolveConfig', () => {
  it('fills in the stated defaults', () => {
    expect(resolveConfig()).toEqual({
      source: undefined,
      enabled: true,
      legacy: undefined,
      origins: undefined,
      verify: undefined,
      skewBuffer: 60_000,
      leadTime: 30_000,
      jitter: 0.2,
      refresh: {
        timeout: 10_000,
        backoff: { initialDelay: 500, maxDelay: 30_000 },
        breaker: { threshold: 3, cooldown: 30_000 },
      },
      reauthenticate: undefined,
      telemetry: resolveTelemetry(undefined),
      tabs: { name: 'token-bridge' },
    })
    expect(resolveConfig({})).toEqual(resolveConfig())
  })

  it('keeps what it is given', () => {
    const source = async () => null
    const resolved = resolveConfig({
      source,
      legacy: source,
      enabled: false,
      verify: () => {},
      skewBuffer: 0,
      reauthenticate: () => {},
      telemetry: { logger: console },
      rotation: {
        leadTime: 1,
        jitter: 0,
        backoff: { initialDelay: 2, maxDelay: 3 },
        breaker: { threshold: 4, cooldown: 5 },
        timeout: 6,
      },
    })
    expect(resolved).toMatchObject({
      source,
      legacy: source,
      enabled: false,
      skewBuffer: 0,
      leadTime: 1,
      jitter: 0,
      refresh: {
        backoff: { initialDelay: 2, maxDelay: 3 },
        breaker: { threshold: 4, cooldown: 5 },
        timeout: 6,
      },
    })
    expect(resolved.telemetry.logger).toBe(console)
  })

  it.each([
    ['a boolean', false],
    ['a function', () => true],
    ['an RxJS stream', new BehaviorSubject(true)],
  ])('takes %s as the kill switch', (_, enabled) => {
    expect(resolveConfig({ enabled }).enabled).toBe(enabled)
  })

  it.each<[string, unknown]>([
    ['config', null],
    ['config', 'https://x.test'],
    ['config', []],
    ['source', '/api/auth/sync'],
    ['source', null],
    ['legacy', {}],
    ['verify', true],
    ['reauthenticate', '/login'],
    ['fetch', 'fetch'],
    ['environment', 5],
    ['enabled', 'false'],
    ['enabled', 1],
    ['enabled', null],
    ['enabled', {}],
    ['skewBuffer', '60000'],
    ['skewBuffer', Number.NaN],
    ['skewBuffer', Number.POSITIVE_INFINITY],
    ['skewBuffer', -1],
    ['rotation', 5],
    ['rotation', []],
    ['origins', 'https://api.test'],
    ['origins', new Set(['https://api.test'])],
    ['telemetry', console.log],
    ['telemetry', 5],
  ])('refuses a wrong `%s` (%j), naming it', (field, value) => {
    const error = refused(field === 'config' ? value : { [field]: value })
    expect(error).toMatchObject({ name: 'AuthError', code: 'ERR_CONFIG', phase: 'configure' })
    expect(error.message).toContain(`\`${field}\``)
  })

  it('knows every option that the type has', () => {
    const every: Required<BridgeConfig> = {
      source: async () => null,
      enabled: true,
      legacy: async () => null,
      origins: [],
      verify: () => {},
      skewBuffer: 0,
      rotation: {},
      tabs: false,
      reauthenticate: () => {},
      telemetry: {},
      fetch,
      environment: {},
    }
    for (const [name, value] of Object.entries(every)) {
      expect(() => resolveConfig({ [name]: value })).not.toThrow()
    }
    expect(refused({ any: 1 }).message).toBe(
      `createTokenBridge: there is no option \`any\`. Known: ${Object.keys(every).join(', ')}.`,
    )
  })

  it.each<[unknown, string]>([
    [5, '`config` must be an object, got a number.'],
    [
      { source: 5 },
      "`source` must be a function, such as syncEndpoint('/api/auth/sync'), got a number.",
    ],
    [
      { legacy: {} },
      '`legacy` must be a function, such as async () => ({ accessToken, expiresAt }), got an object.',
    ],
    [
      { verify: true },
      '`verify` must be a function, such as jwtVerifier({ jwksUri, issuer, audience }), got a boolean.',
    ],
    [
      { reauthenticate: '/login' },
      "`reauthenticate` must be a function, such as () => location.assign('/api/auth/login'), got a string.",
    ],
    [{ fetch: 1 }, '`fetch` must be a function, such as globalThis.fetch, got a number.'],
    [
      { enabled: null },
      '`enabled` must be a boolean, a function that returns one, or an observable of them, got null.',
    ],
    [{ origins: 'x' }, '`origins` must be an array of origins, got a string.'],
    [
      { origins: [5] },
      "`origins[0]` must be an origin such as 'https://api.example.com', got a number.",
    ],
    [
      { origins: ['*'] },
      '`origins[0]` must be an origin (scheme, host and port, no path, no wildcard)',
    ],
    [
      { origins: ['https://api.test/v1'] },
      "`origins[0]` must be an origin (scheme, host and port, no path, no wildcard); did you mean 'https://api.test'?",
    ],
    [{ environment: 5 }, '`environment` must be an object, got a number.'],
    [{ rotation: 5 }, '`rotation` must be an object, got a number.'],
    [{ rotation: { jitter: 'x' } }, '`rotation.jitter` must be a share from 0 to 1, got a string.'],
    [
      { rotation: { breaker: { threshold: 2.5 } } },
      '`rotation.breaker.threshold` must be a whole number, got a number.',
    ],
    [
      { rotation: { breaker: { threshold: 0 } } },
      '`rotation.breaker.threshold` must be at least 1, got 0.',
    ],
  ])('says of %j what it expected and what it got', (config, message) => {
    expect(refused(config)).toMatchObject({
      code: 'ERR_CONFIG',
      phase: 'configure',
      message: `createTokenBridge: ${message}`,
    })
  })

  it.each<[string, object]>([
    ['rotation.leadTime', { leadTime: -1 }],
    ['rotation.jitter', { jitter: 1.1 }],
    ['rotation.jitter', { jitter: -0.1 }],
    ['rotation.jitter', { jitter: '0.2' }],
    ['rotation.timeout', { timeout: 0 }],
    ['rotation.timeout', { timeout: Number.POSITIVE_INFINITY }],
    ['rotation.backoff', { backoff: 500 }],
    ['rotation.backoff.initialDelay', { backoff: { initialDelay: 0 } }],
    ['rotation.backoff.maxDelay', { backoff: { maxDelay: '1' } }],
    ['rotation.breaker', { breaker: 3 }],
    ['rotation.breaker.threshold', { breaker: { threshold: 0 } }],
    ['rotation.breaker.threshold', { breaker: { threshold: 2.5 } }],
    ['rotation.breaker.cooldown', { breaker: { cooldown: 0 } }],
  ])('refuses a wrong `%s` (%j)', (field, rotation) => {
    const { code, message } = refused({ rotation })
    expect(code).toBe('ERR_CONFIG')
    expect(message).toContain(`\`${field}\``)
  })

  it('does not call a share or a count a number of milliseconds', () => {
    expect(refused({ rotation: { jitter: 'x' } }).message).not.toContain('milliseconds')
    expect(refused({ rotation: { breaker: { threshold: 'x' } } }).message).not.toContain(
      'milliseconds',
    )
  })

  // Timers overflow at 2^31-1 ms and then fire at once: "no timeout" would time every request out.
  it.each<[string, object]>([
    ['rotation.timeout', { timeout: 2 ** 31 }],
    ['rotation.backoff.maxDelay', { backoff: { maxDelay: Number.MAX_SAFE_INTEGER } }],
  ])('refuses a `%s` that no timer can hold', (field, rotation) => {
    const { code, message } = refused({ rotation })
    expect(code).toBe('ERR_CONFIG')
    expect(message).toContain(`\`${field}\` must be at most 2147483647`)
  })

  it('names an option that does not exist, and those that do', () => {
    const { code, message } = refused({ skewbuffer: 5 })
    expect(code).toBe('ERR_CONFIG')
    expect(message).toMatch(/no option `skewbuffer`.*skewBuffer/)
  })

  it.each([undefined, 'info', 'warn', 'error'])(
    'refuses a logger without all three methods',
    (gone) => {
      const logger = gone === undefined ? null : { ...console, [gone]: undefined }
      expect(refused({ telemetry: { logger } }).message).toContain('`telemetry.logger`')
    },
  )

  it('takes origins in the form a browser writes them', () => {
    const origins = ['https://api.test', 'https://api.test:8443/', 'http://localhost:3000']
    expect(resolveConfig({ origins }).origins).toEqual([
      'https://api.test',
      'https://api.test:8443',
      'http://localhost:3000',
    ])
    expect(resolveConfig({ origins: [] }).origins).toEqual([])
  })

  it.each([
    ['https://api.test/v1', 'https://api.test'],
    ['https://API.test', 'https://api.test'],
    ['https://api.test:443', 'https://api.test'],
    ['https://user:pass@api.test', 'https://api.test'],
    ['https://api.test?x', 'https://api.test'],
  ])('refuses %s as an origin and says what was meant', (entry, meant) => {
    const { code, message } = refused({ origins: ['https://ok.test', entry] })
    expect(code).toBe('ERR_CONFIG')
    expect(message).toContain('`origins[1]`')
    expect(message).toContain(`did you mean '${meant}'`)
  })

  it.each([
    '*',
    'https://*',
    'api.test',
    '',
    'null',
    'data:text/plain,x',
    'file:///x',
    'about:blank',
  ])('refuses %j as an origin', (entry) => {
    expect(refused({ origins: [entry] })).toMatchObject({ code: 'ERR_CONFIG' })
  })

  it.each([[null], [5], [new URL('https://api.test')]])('refuses %s among the origins', (entry) => {
    expect(refused({ origins: [entry] }).message).toContain('`origins[0]`')
  })

  it('quotes no value: a token that was put in the wrong place does not show', () => {
    for (const field of ['source', 'legacy', 'verify', 'skewBuffer', 'rotation', 'origins']) {
      expect(everythingIn(refused({ [field]: SECRET }))).not.toContain(SECRET)
    }
    expect(everythingIn(refused({ origins: [SECRET] }))).not.toContain(SECRET)
  })
})
