import { createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTPayload } from 'jose'
import type { OpenidProvider, ProviderMetadata } from './openid-provider.ts'
import type { Settings } from './options.ts'
import type { ProviderNames } from './session-marks.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/** Seconds between the token's birth and its arrival; providers send it at once. Longer ones are refused, whatever their `exp`. */
const OLDEST = 300

/** Seconds by which the provider's clock may differ from ours. */
const CLOCK_TOLERANCE = 30

/** Milliseconds for the provider's keys; a provider does not wait long for our answer. */
const TIMEOUT = 5_000

/** Signatures that only the holder of a private key can make: with `none` or a shared secret anyone could. */
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

/** Milliseconds between two requests for the keys: anybody can send a token that names a key which nobody knows. */
const COOLDOWN = 5_000

/** What a logout token says. */
export interface LogoutToken extends ProviderNames {
  /** `jti`: no other token of this provider has it. */
  readonly id: string
}

/**
 * Makes a function that validates logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.6): signature by the
 * provider's keys, `iss`, `aud`, `iat`, `exp`, `jti`, `events`, `sub` or `sid`, no `nonce`, and no other kind of token.
 * Encrypted ones are not taken.
 *
 * The function resolves with what the token says, or with a code that says why it was refused and holds nothing of it;
 * `keys`: the provider's could not be had.
 */
export function logoutTokenReader(
  settings: Pick<Settings, 'clientId' | 'fetch' | 'now'>,
  provider: Pick<OpenidProvider & ProviderMetadata, 'metadata'>,
): (token: string) => Promise<LogoutToken | string> {
  const { clientId, now } = settings
  let keys:
    { readonly uri: string; readonly get: ReturnType<typeof createRemoteJWKSet> } | undefined

  // Once, because it remembers the keys, and when it last asked for one that it did not find.
  function keySet(uri: string): ReturnType<typeof createRemoteJWKSet> {
    if (keys?.uri !== uri) {
      let askedAt = -Infinity
      const get = createRemoteJWKSet(new URL(uri), {
        timeoutDuration: TIMEOUT,
        // The library's own cooldown begins with a success.
        [customFetch]: async (url, init) => {
          if (now() - askedAt < COOLDOWN) throw new Error('The keys were asked for just now.')
          askedAt = now()
          return settings.fetch(url, init)
        },
      })
      keys = { uri, get }
    }
    return keys.get
  }

  async function verify(token: string): Promise<LogoutToken | string> {
    const { issuer, jwks_uri: jwksUri } = await provider.metadata()
    if (jwksUri === undefined) return 'no_jwks_uri'
    const { payload, protectedHeader } = await jwtVerify(token, keySet(jwksUri), {
      issuer,
      audience: clientId,
      algorithms: ASYMMETRIC,
      requiredClaims: ['iat', 'exp', 'jti'],
      maxTokenAge: OLDEST,
      clockTolerance: CLOCK_TOLERANCE,
      currentDate: new Date(now()),
    })
    const wrong = wrongClaim(payload, protectedHeader.typ)
    if (wrong !== undefined) return wrong
    const { sub: subject, sid, jti = '' } = payload
    const providerSession = typeof sid === 'string' ? sid : undefined
    return { subject, providerSession, id: jti }
  }

  return async (token) => {
    try {
      return await verify(token)
    } catch (error) {
      if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired)
        return error.claim
      // Its keys could not be had; the plain JOSEError is what came instead of them.
      const isTheToken =
        error instanceof errors.JOSEError &&
        error.constructor !== errors.JOSEError &&
        !(error instanceof errors.JWKSTimeout) &&
        !(error instanceof errors.JWKSInvalid)
      return isTheToken ? error.code : 'keys'
    }
  }
}

/** Names the first claim that makes it another kind of token, or none at all. */
function wrongClaim(
  { events, sub, sid, jti, nonce }: JWTPayload,
  typ?: string,
): string | undefined {
  // The type is recommended, not required; another one than these belongs to another kind of token (RFC 8725 section 3.11).
  const isTyped = typ === undefined || /^(?:application\/)?(?:logout\+)?jwt$/i.test(typ)
  if (!isTyped) return 'typ'
  if (!isObject(events) || !isObject(events[EVENT])) return 'events'
  if (nonce !== undefined) return 'nonce'
  if (typeof jti !== 'string' || jti === '') return 'jti'
  if (sub !== undefined && (typeof sub !== 'string' || sub === '')) return 'sub'
  if (sid !== undefined && (typeof sid !== 'string' || sid === '')) return 'sid'
  return sub === undefined && sid === undefined ? 'sub' : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
