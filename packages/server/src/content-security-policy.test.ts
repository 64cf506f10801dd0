import { isAuthError } from '@token-bridge/core/errors'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { contentSecurityPolicy } from './content-security-policy.ts'
import { securityHeaders } from './security-headers.ts'

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
    ])
  })

  it.each([
    '*',
    'https://*',
    'https://*.example.com',
    "'unsafe-inline'",
    "'unsafe-eval'",
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
  ])('refuses %s', (entry) => {
    for (const field of ['remotes', 'connect', 'formAction']) {
      let thrown: unknown
      try {
        contentSecurityPolicy({ [field]: [entry] })
      } catch (error) {
        thrown = error
      }
      expect(isAuthError(thrown, 'ERR_CONFIG')).toBe(true)
    }
  })

  it('takes web sockets for connect only', () => {
    expect(() => contentSecurityPolicy({ remotes: ['wss://a.example'] })).toThrow(/remotes/)
    expect(contentSecurityPolicy({ connect: ['ws://localhost:5173'] })).toContain(
      'ws://localhost:5173',
    )
  })

  it('refuses a text where a list is due', () => {
    expect(() =>
      contentSecurityPolicy({ remotes: 'https://a.example' as unknown as string[] }),
    ).toThrow(/a list of origins/)
  })
})

describe('securityHeaders', () => {
  const app = new Hono()
    .use(securityHeaders({ remotes: ['https://cart.example.com'] }))
    .get('/', (c) => c.text('page'))
    .get('/own', (c) => c.text('page', 200, { 'Content-Security-Policy': "default-src 'none'" }))

  it('go with every page', async () => {
    const { headers } = await app.request('/')
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy': contentSecurityPolicy({ remotes: ['https://cart.example.com'] }),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    })
  })

  it('leave a stricter policy of a route alone', async () => {
    const { headers } = await app.request('/own')
    expect(headers.get('content-security-policy')).toBe("default-src 'none'")
  })
})
