import {
  CompactSign,
  exportJWK,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
  type JSONWebKeySet,
  type JWK,
} from 'jose'
import { http, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AuthError } from './errors.ts'
import { everythingIn, HOUR, MINUTE, NOW, rejection, thrown } from './fixtures.test.support.ts'
import { jwtVerifier, type JwtVerifierOptions } from './jwt.ts'

const ISSUER = 'https://idp.test'
const AUDIENCE = 'https://api.test'
const EXP = NOW / 1000 + 300
const signal = new AbortController().signal
const issuerKeys = await generateKeyPair('ES256', { extractable: true })
const otherKeys = await generateKeyPair('ES256')
const publicKey: JWK = { ...(await exportJWK(issuerKeys.publicKey)), kid: 'one', alg: 'ES256' }
const jwks: JSONWebKeySet = { keys: [publicKey] }

const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'user-1', exp: EXP, iat: NOW / 1000 }
const issue = (overrides: object = {}, key = issuerKeys.privateKey): Promise<string> =>
  new SignJWT({ ...claims, ...overrides })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .sign(key)
const verifier = (overrides: Partial<JwtVerifierOptions> = {}) =>
  jwtVerifier({ jwks, issuer: ISSUER, audience: AUDIENCE, ...overrides })
const verify = async (
  accessToken: string,
  { expiresAt = EXP * 1000, now = NOW, with: check = verifier() } = {},
): Promise<void> => check({ accessToken, expiresAt }, { signal, now })
const refused = async (
  accessToken: string,
  options?: Parameters<typeof verify>[1],
): Promise<AuthError> => (await rejection(verify(accessToken, options))) as AuthError

describe('jwtVerifier', () => {
  it('lets a token pass that the provider issued for this app', async () => {
    await expect(verify(await issue())).resolves.toBeUndefined()
  })

  it('takes one of several audiences', async () => {
    const check = verifier({ audience: ['https://other.test', AUDIENCE] })
    await expect(verify(await issue(), { with: check })).resolves.toBeUndefined()
  })

  it.each<[string, () => string | Promise<string>]>([
    ['signed with another key', () => issue({}, otherKeys.privateKey)],
    ['of another issuer', () => issue({ iss: 'https://evil.test' })],
    ['for another audience', () => issue({ aud: 'https://other.test' })],
    ['without an issuer', () => issue({ iss: undefined })],
    ['without an expiry', () => issue({ exp: undefined })],
    ['that is not valid yet', () => issue({ nbf: NOW / 1000 + 60 })],
    ['that is not signed', () => new UnsecuredJWT(claims).encode()],
    ['signed with the public key as a shared secret', () => signedWithPublicKey()],
    ['whose payload was changed', async () => tamper(await issue())],
    ['that is opaque', () => 'opaque-c2VjcmV0LXNlbnRpbmVs'],
    ['that is empty', () => ''],
  ])('refuses a token %s, and tells nothing of it', async (_, make) => {
    const accessToken = await make()
    const error = await refused(accessToken)
    expect(error).toMatchObject({
      name: 'TokenRejectedError',
      code: 'ERR_TOKEN_SIGNATURE',
      phase: 'validate',
    })
    const report = everythingIn(error)
    for (const part of accessToken.split('.').filter((text) => text.length > 8))
      expect(report).not.toContain(part)
    expect(report).not.toContain('user-1')
  })

  it('calls an expired token expired', async () => {
    const accessToken = await issue({ exp: NOW / 1000 - 1 })
    const error = await refused(accessToken, { expiresAt: NOW + MINUTE })
    expect(error).toMatchObject({ name: 'TokenRejectedError', code: 'ERR_TOKEN_EXPIRED' })
    expect(everythingIn(error)).not.toContain(accessToken.split('.')[1])
  })

  // MSAL #3070: the machine's clock must not decide.
  it('goes by the time of the server that the bridge gives it', async () => {
    const accessToken = await issue()
    await expect(verify(accessToken, { now: NOW + 4 * MINUTE })).resolves.toBeUndefined()
    await expect(refused(accessToken, { now: NOW + HOUR })).resolves.toMatchObject({
      code: 'ERR_TOKEN_EXPIRED',
    })
  })

  it('lets `expiresAt` promise no more than the claim, give or take the clocks of two servers', async () => {
    const accessToken = await issue()
    await expect(verify(accessToken, { expiresAt: EXP * 1000 - HOUR })).resolves.toBeUndefined()
    await expect(verify(accessToken, { expiresAt: EXP * 1000 + 30_000 })).resolves.toBeUndefined()
    const error = await refused(accessToken, { expiresAt: EXP * 1000 + 30_001 })
    expect(error).toMatchObject({ name: 'TokenRejectedError', code: 'ERR_TOKEN_EXPIRED' })
    expect(error.message).toContain('`expiresAt`')
  })

  it('refuses an expiry of 1e999, which would outlast every promise', async () => {
    const text = JSON.stringify(claims).replace(`"exp":${EXP}`, '"exp":1e999')
    const accessToken = await new CompactSign(new TextEncoder().encode(text))
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .sign(issuerKeys.privateKey)
    await expect(refused(accessToken)).resolves.toMatchObject({ name: 'TokenRejectedError' })
  })

  it('accepts only the algorithms that it was given', async () => {
    const check = verifier({ algorithms: ['RS256'] })
    await expect(refused(await issue(), { with: check })).resolves.toMatchObject({
      code: 'ERR_TOKEN_SIGNATURE',
    })
  })

  it.each<[string, object, string]>([
    ['no keys', { jwks: undefined }, 'either jwks or jwksUri'],
    ['keys twice', { jwksUri: 'https://idp.test/jwks' }, 'either jwks or jwksUri'],
    ['keys that are none', { jwks: { keys: 'none' } }, 'JSON Web Key Set'],
    ['a relative address', { jwks: undefined, jwksUri: '/jwks' }, 'absolute URL'],
    ['no issuer', { issuer: undefined }, 'issuer must be'],
    ['an empty issuer', { issuer: '' }, 'issuer must be'],
    ['no audience', { audience: undefined }, 'audience must be'],
    ['an empty list of audiences', { audience: [] }, 'audience must be'],
    ['a shared secret algorithm', { algorithms: ['HS256'] }, 'asymmetric'],
    ['no signature at all', { algorithms: ['none'] }, 'asymmetric'],
  ])('refuses to be made with %s', (_, overrides, hint) => {
    const error = thrown(() => verifier(overrides)) as AuthError
    expect(error).toMatchObject({ code: 'ERR_CONFIG', phase: 'configure' })
    expect(error.message).toContain(hint)
  })

  describe('with keys to fetch', () => {
    const jwksUri = 'https://idp.test/jwks'
    const server = setupServer()
    beforeAll(() => server.listen({ onUnhandledFrame: 'error' }))
    afterEach(() => server.resetHandlers())
    afterAll(() => server.close())

    function serving(answer: () => Response) {
      const counts = { requests: 0 }
      server.use(
        http.get(jwksUri, () => {
          counts.requests += 1
          return answer()
        }),
      )
      const { jwks: _, ...options } = { jwks, jwksUri, issuer: ISSUER, audience: AUDIENCE }
      return { counts, check: jwtVerifier(options) }
    }

    it('fetches them once for many tokens', async () => {
      const { counts, check } = serving(() => HttpResponse.json(jwks))
      const accessToken = await issue()
      await Promise.all([
        verify(accessToken, { with: check }),
        verify(accessToken, { with: check }),
      ])
      await verify(accessToken, { with: check })
      expect(counts.requests).toBe(1)
    })

    it.each<[string, () => Response]>([
      ['an error', () => new HttpResponse(null, { status: 500 })],
      ['a page', () => HttpResponse.html('<h1>Sign in</h1>')],
      ['no key set', () => HttpResponse.json({ message: 'hello' })],
      ['nothing: the network is down', () => HttpResponse.error()],
    ])('says "later", not "forged", when the provider answers %s', async (_, answer) => {
      const { check } = serving(answer)
      const accessToken = await issue()
      const error = await refused(accessToken, { with: check })
      expect(error).toMatchObject({ name: 'AuthError', code: 'ERR_SYNC_NETWORK', retryable: true })
      expect(everythingIn(error)).not.toContain(accessToken.split('.')[2])
    })

    it('refuses a token of a key that the provider does not have, without a storm of requests', async () => {
      const { counts, check } = serving(() => HttpResponse.json({ keys: [] }))
      for (let round = 0; round < 5; round += 1) {
        await expect(refused(await issue(), { with: check })).resolves.toMatchObject({
          code: 'ERR_TOKEN_SIGNATURE',
        })
      }
      expect(counts.requests).toBe(1)
    })
  })
})

/** RFC 8725 section 2.1: the public key taken for an HMAC secret. */
function signedWithPublicKey(): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', kid: 'one' })
    .sign(new TextEncoder().encode(JSON.stringify(publicKey)))
}

function tamper(token: string): string {
  const [header, , signature] = token.split('.')
  const body = btoa(JSON.stringify({ ...claims, sub: 'admin' })).replace(/=+$/, '')
  return `${header}.${body}.${signature}`
}
