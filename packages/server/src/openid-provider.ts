import * as openid from 'openid-client'
import { createAliveClock } from './alive-clock.ts'
import type { LoginTransaction } from './login-transactions.ts'
import type { Settings } from './options.ts'
import { providerFailure } from './provider-failure.ts'
import { isLoopback } from './web-origin.ts'

/** Seconds for one request to the provider: less than the 10 that the bridge waits for a sync. */
export const TIMEOUT = 8

/** Milliseconds that a token is taken to live when the provider does not say. We may not look inside it (RFC 9068 section 6). */
const ASSUMED_LIFETIME = 300_000

/** What the provider granted. Times are epoch milliseconds. */
export interface Grant {
  readonly accessToken: string
  /** Counted from the moment the request was sent, so never later than the truth. */
  readonly expiresAt: number
  readonly tokenType: string
  readonly scope?: string
  readonly refreshToken?: string
  readonly idToken?: string
  /** `sub` and `sid` of the ID token, known from the sign-in. */
  readonly subject?: string
  readonly providerSession?: string
}

/** The OpenID provider, as far as we need it. Rejections are read with `providerFailure`. */
export interface OpenidProvider {
  /** Where to send the browser to sign in (OpenID Connect Core 1.0 section 3.1, RFC 7636, RFC 8707). */
  authorizationUrl(login: LoginTransaction): Promise<URL>
  /**
   * Checks the answer that the browser brought (state, RFC 9207 `iss`), redeems its code, and checks the ID token (nonce,
   * issuer, audience, signature by TLS).
   */
  redeem(answer: URLSearchParams, login: LoginTransaction): Promise<Grant>
  refresh(refreshToken: string): Promise<Grant>
  /** Resolves when the provider's addresses are known, so that the next request goes straight to it. */
  ready(): Promise<void>
  /**
   * Whether a refresh token can still be used (RFC 7662); `undefined` where the provider does not say. Rejects when it
   * does not answer.
   */
  isActive(refreshToken: string): Promise<boolean | undefined>
  /** Revokes a refresh token (RFC 7009); does nothing where the provider cannot. */
  revoke(refreshToken: string): Promise<void>
  /** Where to send the browser to sign out (OpenID Connect RP-Initiated Logout 1.0), if the provider has such a place. */
  endSessionUrl(idToken: string | undefined): Promise<string | undefined>
}

/** What the provider says of itself (OpenID Connect Discovery 1.0). */
export interface ProviderMetadata {
  metadata(): Promise<Pick<openid.ServerMetadata, 'issuer' | 'jwks_uri'>>
}

/** Talks to the provider; the only place that knows `openid-client`. Discovery waits for the first need and is retried until it works. */
export function openidProvider(settings: Settings): OpenidProvider & ProviderMetadata {
  const { issuer, clientId, clientSecret, origin, basePath, scope, resource, now } = settings
  const redirectUri = `${origin}${basePath}/callback`
  const target = resource === undefined ? {} : { resource }
  const clock = createAliveClock()
  let discovered: Promise<openid.Configuration> | undefined

  /** With a timeout that counts from when the request could be sent: the library's own counts while the process stands still. */
  async function patientFetch(url: string, init: RequestInit): Promise<Response> {
    const timeout = new AbortController()
    const callOff = clock.after(TIMEOUT * 1_000, () =>
      timeout.abort(new DOMException('The provider took too long.', 'TimeoutError')),
    )
    try {
      const response = await settings.fetch(url, { ...init, signal: timeout.signal })
      if (response.body === null) return response
      const { status, statusText, headers } = response
      return new Response(await response.arrayBuffer(), { status, statusText, headers })
    } finally {
      callOff()
    }
  }

  function discover(): Promise<openid.Configuration> {
    return openid.discovery(issuer, clientId, undefined, clientAuthentication(clientSecret), {
      timeout: TIMEOUT,
      [openid.customFetch]: (url, init) => patientFetch(url, init as RequestInit),
      execute: isLoopback(issuer) ? [openid.allowInsecureRequests] : [],
    })
  }

  function configuration(): Promise<openid.Configuration> {
    discovered ??= discover().catch((error: unknown) => {
      discovered = undefined
      throw error
    })
    return discovered
  }

  type Answer = openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers

  async function granted(
    request: (config: openid.Configuration) => Promise<Answer>,
    names: (answer: Answer) => Pick<Grant, 'subject' | 'providerSession'> = () => ({}),
  ): Promise<Grant> {
    const config = await configuration()
    const sentAt = now()
    const answer = await request(config)
    return {
      ...names(answer),
      accessToken: answer.access_token,
      expiresAt:
        sentAt +
        (answer.expires_in === undefined ? ASSUMED_LIFETIME : Math.floor(answer.expires_in * 1000)),
      // The library hands it out in lower case.
      tokenType: answer.token_type === 'bearer' ? 'Bearer' : answer.token_type,
      ...(answer.scope !== undefined && { scope: answer.scope }),
      ...(answer.refresh_token !== undefined && { refreshToken: answer.refresh_token }),
      ...(answer.id_token !== undefined && { idToken: answer.id_token }),
    }
  }

  return Object.freeze<OpenidProvider & ProviderMetadata>({
    async authorizationUrl({ state, nonce, codeVerifier }) {
      return openid.buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope,
        state,
        nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        ...target,
        ...(settings.audience !== undefined && { audience: settings.audience }),
      })
    },
    redeem: (answer, { state, nonce, codeVerifier }) =>
      granted(
        (config) =>
          openid.authorizationCodeGrant(
            config,
            // Our own address, not the request's: behind a proxy the Host header is somebody else's word.
            new URL(`${redirectUri}?${answer}`),
            { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: codeVerifier },
            target,
          ),
        namesOf,
      ),
    refresh: (refreshToken) =>
      granted((config) => openid.refreshTokenGrant(config, refreshToken, target)),
    async ready() {
      await configuration()
    },
    metadata: async () => (await configuration()).serverMetadata(),
    async isActive(refreshToken) {
      const config = await configuration()
      if (config.serverMetadata().introspection_endpoint === undefined) return undefined
      try {
        const answer = await openid.tokenIntrospection(config, refreshToken, {
          token_type_hint: 'refresh_token',
        })
        return answer.active
      } catch (error) {
        const { status = 0 } = providerFailure(error, now())
        // Our client may not ask.
        if (status >= 400 && status < 500 && status !== 429) return undefined
        throw error
      }
    },
    async revoke(refreshToken) {
      const config = await configuration()
      if (config.serverMetadata().revocation_endpoint === undefined) return
      await openid.tokenRevocation(config, refreshToken, { token_type_hint: 'refresh_token' })
    },
    async endSessionUrl(idToken) {
      const config = await configuration()
      if (config.serverMetadata().end_session_endpoint === undefined) return undefined
      return openid.buildEndSessionUrl(config, {
        ...(idToken !== undefined && { id_token_hint: idToken }),
        ...(settings.postLogoutRedirect !== undefined && {
          post_logout_redirect_uri: settings.postLogoutRedirect,
        }),
      }).href
    },
  })
}

/** Whom the ID token is about, in the provider's words. */
function namesOf(
  answer: openid.TokenEndpointResponseHelpers,
): Pick<Grant, 'subject' | 'providerSession'> {
  const claims = answer.claims()
  const sid = claims?.['sid']
  return {
    ...(claims !== undefined && { subject: claims.sub }),
    ...(typeof sid === 'string' && sid !== '' && { providerSession: sid }),
  }
}

/** HTTP Basic unless the provider says that it does not take it: RFC 6749 section 2.3.1 makes it the one that all must support. */
function clientAuthentication(secret: string | undefined): openid.ClientAuth {
  if (secret === undefined) return openid.None()
  const basic = openid.ClientSecretBasic(secret)
  const post = openid.ClientSecretPost(secret)
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported
    const takesBasic = methods === undefined || methods.includes('client_secret_basic')
    const authenticate = takesBasic ? basic : post
    authenticate(server, client, body, headers)
  }
}
