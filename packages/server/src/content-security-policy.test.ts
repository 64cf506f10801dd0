import { isAuthError } from '@token-bridge/core/errors'
import { describe, expect, it } from 'vitest'
import {
  contentSecurityPolicy,
  type ContentSecurityPolicyOptions,
} from './content-security-policy.ts'

const NONCE = 'q1w2e3r4t5y6u7i8o9p0aA'
const HASH = `sha384-${'A'.repeat(64)}`

/** The message of the refusal, or an empty text where there is none. */
function refusal(options: object): string {
  try {
    contentSecurityPolicy(options)
    return ''
  } catch (error) {
    return isAuthError(error, 'ERR_CONFIG') ? error.message : 'another error'
  }
}

describe('contentSecurityPolicy', () => {
  it('allows nothing but what is listed', () => {
    expect(
      contentSecurityPolicy({
        remotes: ['https://cart.example.com', 'http://localhost:3001'],
        connect: ['https://api.example.com', 'wss://push.example.com', 'https://cart.example.com'],
        formAction: ['https://pay.example.com'],
      }).split('; '),
    ).toEqual([
      "default-src 'none'",
      "script-src 'self' https://cart.example.com http://localhost:3001",
      "connect-src 'self' https://api.example.com wss://push.example.com https://cart.example.com http://localhost:3001",
      "style-src 'self' https://cart.example.com http://localhost:3001",
      "img-src 'self' data: https://cart.example.com http://localhost:3001",
      "font-src 'self' https://cart.example.com http://localhost:3001",
      "manifest-src 'self'",
      "worker-src 'self'",
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'self' https://pay.example.com",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types default',
    ])
  })

  it('takes a nonce for scripts and styles, hashes for scripts, and says where to report', () => {
    const directives = contentSecurityPolicy({
      nonce: NONCE,
      hashes: [HASH],
      reportTo: '/api/violations',
    }).split('; ')
    expect(directives).toContain(`script-src 'self' 'nonce-${NONCE}' '${HASH}'`)
    expect(directives).toContain(`style-src 'self' 'nonce-${NONCE}'`)
    expect(directives.at(-1)).toBe('report-uri /api/violations')
  })

  it.each([
    [
      ['default', 'dompurify'],
      "require-trusted-types-for 'script'; trusted-types default dompurify",
    ],
    [[], "require-trusted-types-for 'script'; trusted-types 'none'"],
  ])('names the Trusted Types policies %j', (trustedTypes, directives) => {
    expect(contentSecurityPolicy({ trustedTypes }).endsWith(directives)).toBe(true)
  })

  it('leaves Trusted Types out where the host says so', () => {
    expect(contentSecurityPolicy({ trustedTypes: false })).not.toContain('trusted-types')
  })
})

describe('the refusals', () => {
  it.each([
    '*',
    'https://*',
    'https://*.example.com',
    "'unsafe-inline'",
    "'unsafe-eval'",
    "'strict-dynamic'",
    'https:',
    'data:',
    'https://a.example/path',
    'https://a.example/',
    'https://a;script-src',
    'https://a,b',
    "https://a'b",
    'https://a b',
    'http://a.example',
    'ws://a.example',
    'https://user@a.example',
    '',
    7,
  ])('meet %s as an origin', (entry) => {
    for (const option of ['remotes', 'connect', 'formAction']) {
      expect(refusal({ [option]: ['https://a.example', entry] })).toContain(
        `contentSecurityPolicy({ ${option} }), entry 1,`,
      )
    }
  })

  it.each([
    [{ remotes: ["'strict-dynamic'"] }, /does not stop a tampered remote entry/],
    [{ remotes: ['strict-dynamic'] }, /does not stop a tampered remote entry/],
    [{ hashes: ["'strict-dynamic'"] }, /does not stop a tampered remote entry/],
    [{ strictDynamic: true }, /does not stop a tampered remote entry/],
    [{ unsafeInline: true }, /whatever gets into the page's markup/],
    [{ connect: ["'unsafe-inline'"] }, /whatever gets into the page's markup/],
    [{ hashes: ["'unsafe-hashes'"] }, /which handler runs/],
    [{ remotes: ["'UNSAFE-EVAL'"] }, /turns text into code/],
    [{ unsafeEval: true }, /turns text into code/],
    [{ connect: ['*'] }, /wildcard/],
    [{ connect: ['wss:'] }, /scheme alone/],
    [{ trustedTypes: ['*'] }, /wildcard/],
    [{ trustedTypes: ['default', "'allow-duplicates'"] }, /second policy/],
  ])('explain %j', (options, why) => {
    expect(refusal(options)).toMatch(why)
  })

  it.each([
    [{ scriptSrc: ['https://a.example'] }, 'scriptSrc'],
    [{ nonce: 'short' }, 'nonce'],
    [{ nonce: 'q1w2e3r4t5y6u7i8o9p0a' }, 'nonce'],
    [{ nonce: `${NONCE}'; script-src *` }, 'nonce'],
    [{ nonce: 7 }, 'nonce'],
    [{ hashes: [`'${HASH}'`] }, 'hashes'],
    [{ hashes: ['sha384-AAAA'] }, 'hashes'],
    [{ hashes: ['md5-AAAA'] }, 'hashes'],
    [{ trustedTypes: ['a b'] }, 'trustedTypes'],
    [{ trustedTypes: true }, 'trustedTypes'],
    [{ reportTo: 'https://reports.example/x' }, 'reportTo'],
    [{ reportTo: '//reports.example' }, 'reportTo'],
    [{ reportTo: '/a; script-src *' }, 'reportTo'],
    [{ reportTo: '/a?b' }, 'reportTo'],
    [{ remotes: 'https://a.example' }, 'remotes'],
  ])('name the option of %j', (options, option) => {
    expect(refusal(options)).toContain(`contentSecurityPolicy({ ${option} })`)
  })

  it('do not quote what was given, which may be a secret', () => {
    const options = {
      remotes: ['canary-1'],
      nonce: 'canary-2',
    } satisfies ContentSecurityPolicyOptions
    expect(refusal(options)).not.toContain('canary')
    expect(refusal({ nonce: options.nonce })).not.toContain('canary')
  })

  it('take web sockets for connect only', () => {
    expect(refusal({ remotes: ['wss://a.example'] })).toContain('remotes')
    expect(contentSecurityPolicy({ connect: ['ws://localhost:5173'] })).toContain(
      'ws://localhost:5173',
    )
  })
})
