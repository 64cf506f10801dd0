import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'

/** Why the provider did not do what it was asked. Nothing in it is secret: it is made for logs and decisions. */
export interface ProviderFailure {
  /**
   * - `refused`: the user or the provider said no to this authorization, or its answer cannot be believed.
   * - `unavailable`: it may work later: no answer, 429, 5xx, or it does not accept our client (which is mended there).
   */
  readonly kind: 'refused' | 'unavailable'
  /** An OAuth error code, or a code of the client library. */
  readonly code: string
  /** HTTP status of its answer, if there was one. */
  readonly status?: number
  /** Milliseconds that the provider asked for (RFC 9110 section 10.2.3). */
  readonly retryAfter?: number
}

/** Error codes of RFC 6749 sections 4.1.2.1 and 5.2 that speak of us or of the moment, not of this user's grant. */
const NOT_THE_GRANT = [
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'temporarily_unavailable',
  'server_error',
  'slow_down',
]

/** Milliseconds. However long the provider asks for, look again after this. */
const LONGEST_WAIT = 3_600_000

/** Reads what `openid-client` threw. */
export function providerFailure(error: unknown, now: number): ProviderFailure {
  if (error instanceof AuthorizationResponseError) return refusal(error.error)
  const response = responseOf(error)
  if (response !== undefined) {
    const isLater = response.status === 429 || response.status >= 500 || response.status === 408
    const retryAfter = readRetryAfter(response.headers, now)
    const { status } = response
    if (error instanceof ResponseBodyError && !isLater) return { ...refusal(error.error), status }
    return {
      kind: 'unavailable',
      code: `status ${status}`,
      status,
      ...(retryAfter !== undefined && { retryAfter }),
    }
  }
  // What is left arrived, but is no answer to our question: a wrong state, nonce, issuer or signature.
  if (error instanceof ClientError && !isTransport(error)) {
    return { kind: 'refused', code: safeCode(error.code) }
  }
  return {
    kind: 'unavailable',
    code: error instanceof ClientError ? safeCode(error.code) : 'no answer',
  }
}

function refusal(code: string): ProviderFailure {
  return {
    kind: NOT_THE_GRANT.includes(code) ? 'unavailable' : 'refused',
    code: safeCode(code),
  }
}

function responseOf(error: unknown): Response | undefined {
  if (error instanceof ResponseBodyError || error instanceof WWWAuthenticateChallengeError) {
    return error.response
  }
  return error instanceof Error && error.cause instanceof Response ? error.cause : undefined
}

function isTransport(error: ClientError): boolean {
  return ['OAUTH_TIMEOUT', 'OAUTH_ABORT', undefined].includes(error.code)
}

/** Codes of RFC 6749 and its kin, and of the client library. No digits: a token that sits where the code should be has some. */
const CODE = /^(?=.{1,48}$)(?:[a-z]+(?:_[a-z]+)*|[A-Z]+(?:_[A-Z]+)*)$/

/** The code comes from a query or an answer that anyone may have written; only what looks like a code goes on. */
function safeCode(code: string | undefined): string {
  return code !== undefined && CODE.test(code) ? code : 'unknown'
}

function readRetryAfter(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), LONGEST_WAIT)
}
