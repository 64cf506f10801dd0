import { isAuthError } from '@token-bridge/core/errors'
import { describe, expect, it } from 'vitest'
import { authRoutes } from './auth-routes.ts'
import { readOptions, type AuthOptions } from './options.ts'

const valid: AuthOptions = {
  issuer: 'https://id.example.com',
  clientId: 'shop',
  clientSecret: 'a-secret-value',
  origin: 'https://app.example.com',
}

const refused = (change: Record<string, unknown>): string => {
  try {
    authRoutes({ ...valid, ...change })
  } catch (error) {
    expect(isAuthError(error, 'ERR_CONFIG')).toBe(true)
    return (error as Error).message
  }
  throw new Error('It was accepted.')
}

describe('options', () => {
  it('get defaults for what is left out', () => {
    expect(readOptions(valid)).toMatchObject({
      basePath: '/api/auth',
      scope: 'openid offline_access',
      resource: undefined,
      minimumLifetime: 90_000,
      sessionLifetime: 43_200_000,
      idleLifetime: undefined,
      rateLimit: { burst: 120, perSecond: 5 },
      audience: undefined,
      allowGet: false,
      logger: console,
    })
  })

  it.each([
    ['issuer', 'http://localhost:4000'],
    ['issuer', 'https://id.example.com/realms/shop'],
    ['origin', 'http://localhost:3000'],
    ['origin', 'http://127.0.0.1:3000'],
    ['origin', 'http://[::1]:3000'],
    ['basePath', '/auth'],
    ['encryptionKeys', ['k'.repeat(43), new Uint8Array(32)]],
    ['refreshTokenGrace', 0],
    ['refreshTokenGrace', 10_000],
    ['postLogoutRedirect', '/bye'],
    ['audience', 'shop-api'],
    ['idleLifetime', 1_800_000],
    ['idleLifetime', 12 * 3_600_000],
    ['rateLimit', false],
    ['rateLimit', { burst: 10, perSecond: 0.5 }],
    ['postLogoutRedirect', 'https://www.example.com/'],
  ])('take %s = %s', (field, value) => {
    expect(() => authRoutes({ ...valid, [field]: value })).not.toThrow()
  })

  it.each([
    ['issuer', undefined],
    ['issuer', 'id.example.com'],
    ['issuer', 'http://id.example.com'],
    ['issuer', 'https://user@id.example.com'],
    ['issuer', 'https://id.example.com/?x'],
    ['clientId', ''],
    ['clientSecret', ''],
    ['clientSecret', 7],
    ['origin', undefined],
    ['origin', 'https://app.example.com/'],
    ['origin', 'https://*.example.com'],
    ['origin', 'http://app.example.com'],
    ['origin', 'http://localhost.example.com'],
    ['basePath', 'auth'],
    ['basePath', '/auth/'],
    ['basePath', '/a/../b'],
    ['scope', 'profile'],
    ['resource', 'api'],
    ['resource', 'https://api.example.com/#x'],
    ['store', {}],
    ['encryptionKeys', []],
    // As an environment variable that is not set or empty leaves them.
    ['encryptionKeys', undefined],
    ['encryptionKeys', [undefined]],
    ['encryptionKeys', ''.split(',')],
    ['encryptionKeys', 'k'.repeat(43)],
    ['encryptionKeys', ['k'.repeat(42)]],
    ['encryptionKeys', [`${'k'.repeat(43)}=`]],
    ['encryptionKeys', [new Uint8Array(16)]],
    ['encryptionKeys', ['k'.repeat(43), undefined]],
    ['refreshTokenGrace', -1],
    ['refreshTokenGrace', 9_999],
    ['refreshTokenGrace', '30000'],
    ['refreshTokenGrace', Infinity],
    ['minimumLifetime', -1],
    ['minimumLifetime', Number.NaN],
    ['minimumLifetime', '90000'],
    ['sessionLifetime', 43_200],
    ['sessionLifetime', Infinity],
    ['audience', ''],
    ['audience', ['a']],
    ['idleLifetime', 1_800],
    ['idleLifetime', Infinity],
    ['idleLifetime', true],
    ['rateLimit', true],
    ['rateLimit', 5],
    ['rateLimit', { burst: 5 }],
    ['rateLimit', { burst: 0.5, perSecond: 1 }],
    ['rateLimit', { burst: 5, perSecond: 0 }],
    ['rateLimit', { burst: Infinity, perSecond: 1 }],
    ['rateLimit', { burst: 5, perSecond: 1, perMinute: 60 }],
    ['idleLifetime', 13 * 3_600_000],
    ['minimumLifetime', 13 * 3_600_000],
    ['postLogoutRedirect', 'http://www.example.com/'],
    ['postLogoutRedirect', 'javascript:alert(1)'],
    ['allowGet', 'yes'],
    ['logger', {}],
    ['fetch', {}],
    ['now', 5],
  ])('refuse %s = %s and name the field', (field, value) => {
    expect(refused({ [field]: value })).toMatch(
      new RegExp(`^authRoutes\\(\\{ ${field} \\}\\) must be `),
    )
  })

  it.each(['sesionLifetime', 'clientsecret', 'toString'])('refuse %s, which is none', (name) => {
    expect(refused({ [name]: 's3cr3t value' })).toContain(`There is no option "${name}"`)
    expect(refused({ [name]: 's3cr3t value' })).not.toContain('s3cr3t')
  })

  it('say how to mend a plain-http origin', () => {
    expect(refused({ origin: 'http://app.example.com' })).toContain('Serve the app over https')
  })

  it('never repeat a value, which may be a secret in the wrong field', () => {
    for (const field of ['issuer', 'origin', 'basePath', 'scope', 'minimumLifetime', 'store']) {
      expect(refused({ [field]: 's3cr3t value' })).not.toContain('s3cr3t')
    }
  })
})
