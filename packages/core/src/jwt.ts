/**
 * Checks a JWT's signature and claims before the token enters, with jose. Kept out of the main entry: who does not check
 * signatures in the page does not pay for it.
 *
 * @module
 */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose'
import type { TokenVerifier } from './config.ts'
import { AuthError, TokenRejectedError } from './errors.ts'

/** Whose tokens are accepted, and by which keys. */
export interface JwtVerifierOptions {
  /** The provider's public keys, or … */
  readonly jwks?: JSONWebKeySet
  /** … where to fetch them (RFC 7517). One of the two. */
  readonly jwksUri?: string | URL
  /** Must equal `iss`. */
  readonly issuer: string
  /** Must be in `aud`. */
  readonly audience: string | string[]
  /** Signature algorithms to accept (RFC 8725 section 3.1). Default: the asymmetric ones. */
  readonly algorithms?: string[]
}

/**
 * Milliseconds by which `expiresAt` may lie after `exp`: the app's server counts it by its own clock, the provider wrote
 * the claim by its, in whole seconds. Half of the default skew buffer, so the token is given up before it ends.
 */
const CLOCK_DIFFERENCE = 30_000

const ASYMMETRIC = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
]

/**
 * A verifier for `createTokenBridge({ verify })`: signature, issuer, audience, expiry, and that the `expiresAt` beside
 * the token does not promise more than the token's own `exp`.
 *
 * RFC 9068 section 6 asks clients not to look into access tokens. Use this when your provider's tokens are JWTs by
 * contract and a forged sync answer is part of your threat model.
 *
 * @throws AuthError `ERR_CONFIG`. The verifier itself throws `TokenRejectedError` `ERR_TOKEN_SIGNATURE` or
 * `ERR_TOKEN_EXPIRED`, and `ERR_SYNC_NETWORK` when the keys cannot be fetched.
 */
export function jwtVerifier(options: JwtVerifierOptions): TokenVerifier {
  const { issuer, audience, algorithms = ASYMMETRIC } = options
  const keys = keySet(options)
  requireText('issuer', issuer)
  const audiences = Array.isArray(audience) ? audience : [audience]
  for (const one of audiences.length === 0 ? [undefined] : audiences) requireText('audience', one)
  const weak = algorithms.find((algorithm) => !ASYMMETRIC.includes(algorithm))
  if (weak !== undefined)
    throw misconfigured(
      `algorithms must be asymmetric; ${weak} is not one of ${ASYMMETRIC.join(', ')}`,
    )

  return async ({ accessToken, expiresAt }, { now }) => {
    const { payload } = await jwtVerify(accessToken, keys, {
      issuer,
      audience,
      algorithms,
      requiredClaims: ['exp'],
      currentDate: new Date(now),
    }).catch((cause: unknown) => {
      throw refusal(cause)
    })
    const exp = payload.exp as number
    if (!Number.isSafeInteger(exp) || expiresAt > exp * 1000 + CLOCK_DIFFERENCE) {
      throw new TokenRejectedError(
        'ERR_TOKEN_EXPIRED',
        "`expiresAt` lies after the token's own `exp`. The sync endpoint must not promise more than the token.",
        {
          phase: 'validate',
        },
      )
    }
  }
}

function keySet({ jwks, jwksUri }: JwtVerifierOptions): JWTVerifyGetKey {
  if ((jwks === undefined) === (jwksUri === undefined))
    throw misconfigured('give either jwks or jwksUri')
  if (jwks !== undefined) {
    try {
      return createLocalJWKSet(jwks)
    } catch {
      throw misconfigured('jwks must be a JSON Web Key Set: { keys: [...] }')
    }
  }
  if (!URL.canParse(String(jwksUri))) throw misconfigured('jwksUri must be an absolute URL')
  return createRemoteJWKSet(new URL(String(jwksUri)))
}

function requireText(field: string, value: unknown): void {
  if (typeof value !== 'string' || value === '')
    throw misconfigured(`${field} must be a string that is not empty, got a ${typeof value}`)
}

const misconfigured = (problem: string): AuthError =>
  new AuthError('ERR_CONFIG', `jwtVerifier: ${problem}.`, { phase: 'configure' })

/** What jose throws when the fault lies with the keys and not with the token. */
const KEY_FAULTS = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']

/** jose's messages name claims and algorithms, never the token, so its code may be told. */
function refusal(cause: unknown): AuthError {
  const code = cause instanceof errors.JOSEError ? cause.code : 'ERR_UNKNOWN'
  if (KEY_FAULTS.includes(code) || !(cause instanceof errors.JOSEError)) {
    return new AuthError(
      'ERR_SYNC_NETWORK',
      `The provider's keys could not be fetched (${code}).`,
      { phase: 'validate', retryable: true, cause },
    )
  }
  if (cause instanceof errors.JWTExpired) {
    return new TokenRejectedError(
      'ERR_TOKEN_EXPIRED',
      "The token's own `exp` is over, though `expiresAt` beside it is not.",
      { phase: 'validate', retryable: true },
    )
  }
  return new TokenRejectedError(
    'ERR_TOKEN_SIGNATURE',
    `The token is not what the provider issues for this app (${code}).`,
    { phase: 'validate' },
  )
}
