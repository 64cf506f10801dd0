/**
 * What browser and server say to each other on `POST /api/auth/sync`. No RxJS, no DOM: the server imports it too.
 *
 * @module
 */
import { AuthError } from './errors.ts'

/** Marks a request as the bridge's own. A cross-origin page cannot send it without a preflight (RFC 10017, CSRF defence). */
export const SYNC_HEADER = 'X-Token-Bridge'

/** The value that {@link SYNC_HEADER} carries: the version of this contract. */
export const SYNC_VERSION = '1'

/** What the browser asks for. */
export interface SyncRequest {
  /**
   * Epoch milliseconds: the `expiresAt` of the token that the page wants replaced. The server answers with a token
   * that expires later, refreshing only if it holds none: so tabs that rotate at the same time share one refresh.
   */
  readonly newerThan?: number
  /** A person used the page of late. Only this keeps a session from being idle; a sync alone does not. */
  readonly active?: boolean
}

/** What a source delivers: an access token and when it expires. */
export interface TokenPayload {
  readonly accessToken: string
  /** Epoch milliseconds, by the clock of whoever issued it. */
  readonly expiresAt: number
  /** Never kept and never handed on: the refresh token belongs to the server. */
  readonly refreshToken?: string
  /** Epoch milliseconds on the server when it answered; corrects a wrong clock in the browser. */
  readonly serverTime?: number
  /** Default `Bearer` (RFC 6750). */
  readonly tokenType?: string
  /** Space-separated (RFC 6749 section 3.3). */
  readonly scope?: string
}

/** Epoch milliseconds before this are 1973: whoever sends them means seconds. */
const SECONDS_BELOW = 1e11

const problem = (message: string): AuthError =>
  new AuthError('ERR_SYNC_PAYLOAD', `Sync contract broken: ${message}`, {
    phase: 'sync',
    retryable: true,
  })

const typeName = (value: unknown) =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'an array'
      : value === undefined
        ? 'nothing'
        : typeof value === 'object'
          ? 'an object'
          : `a ${typeof value}`

function time(field: string, value: unknown): number {
  if (typeof value !== 'number')
    throw problem(`"${field}" must be a number of epoch milliseconds, got ${typeName(value)}.`)
  if (!Number.isSafeInteger(value))
    throw problem(`"${field}" must be a whole number of epoch milliseconds.`)
  if (value > 0 && value < SECONDS_BELOW)
    throw problem(`"${field}" looks like seconds. Send epoch milliseconds (seconds × 1000).`)
  return value
}

function serverTimeOf(value: unknown): number {
  const serverTime = time('serverTime', value)
  // It sets the browser's clock: in 1970 every token would be valid for decades.
  if (serverTime <= 0) throw problem('"serverTime" must be a moment after 1970.')
  return serverTime
}

function text(field: string, value: unknown): string {
  if (typeof value !== 'string' || value === '')
    throw problem(
      `"${field}" must be a string that is not empty, got ${value === '' ? 'an empty one' : typeName(value)}.`,
    )
  return value
}

/**
 * Reads the JSON answer of the sync endpoint.
 *
 * @throws AuthError `ERR_SYNC_PAYLOAD`, which names the field and the type it had, never the value.
 */
export function parseSyncAnswer(answer: unknown): TokenPayload {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    throw problem(`the answer must be a JSON object, got ${typeName(answer)}.`)
  const { accessToken, expiresAt, serverTime, tokenType, scope } = answer as Record<string, unknown>
  return {
    accessToken: text('accessToken', accessToken),
    expiresAt: time('expiresAt', expiresAt),
    ...(serverTime !== undefined && { serverTime: serverTimeOf(serverTime) }),
    ...(tokenType !== undefined && { tokenType: text('tokenType', tokenType) }),
    ...(scope !== undefined && { scope: text('scope', scope) }),
  }
}

/**
 * Reads the JSON body of a sync request; an empty body asks for nothing in particular.
 *
 * @throws AuthError `ERR_SYNC_PAYLOAD`.
 */
export function parseSyncRequest(body: unknown): SyncRequest {
  if (body === undefined || body === null) return {}
  if (typeof body !== 'object' || Array.isArray(body))
    throw problem(`the request must be a JSON object, got ${typeName(body)}.`)
  const { newerThan, active } = body as Record<string, unknown>
  if (active !== undefined && typeof active !== 'boolean')
    throw problem(`"active" must be a boolean, got ${typeName(active)}.`)
  return {
    ...(newerThan !== undefined && { newerThan: time('newerThan', newerThan) }),
    ...(active !== undefined && { active }),
  }
}
