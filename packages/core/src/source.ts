import { AuthError } from './errors.ts'
import {
  parseSyncAnswer,
  SYNC_HEADER,
  SYNC_VERSION,
  type SyncRequest,
  type TokenPayload,
} from './wire.ts'

/** What a source is asked. */
export interface TokenRequest {
  /** Aborted on reset, on a mode change and at the rotation timeout. */
  readonly signal: AbortSignal
  /** Why the bridge asks: `hydrate`, `schedule`, `expired`, `probe`, `unauthorized`, `host`, … */
  readonly reason: string
  /** Epoch milliseconds: the answer must expire later than this; absent when any valid token will do. */
  readonly newerThan?: number
  /** The bridge's `fetch`, taken before any remote could replace the page's. */
  readonly fetch: typeof globalThis.fetch
}

/**
 * Where access tokens come from. Resolves with a payload, or with `null` when the server says that nobody is signed in.
 * Every rejection means "later".
 */
export type TokenSource = (request: TokenRequest) => Promise<TokenPayload | null>

/** How the sync endpoint is asked. */
export interface SyncEndpointOptions {
  /**
   * Default `POST`. `GET` is for endpoints that exist already; it gives up the CSRF protection of the own header, and a
   * `GET` answer without `Cache-Control: no-store` can be read back from the HTTP cache by any script.
   */
  readonly method?: 'POST' | 'GET'
  /**
   * Tells whether a person used the page of late, for servers that end idle sessions. Only a `POST` can say so. Default:
   * nothing is said, and the session becomes idle.
   */
  readonly isActive?: () => boolean
}

/**
 * A source that asks the host's own server, which knows the session by its HttpOnly cookie.
 *
 * 401 means signed out. Everything else that is not a JSON token is an error with a code that says what to mend:
 * `ERR_SYNC_NETWORK`, `ERR_SYNC_STATUS`, `ERR_SYNC_NOT_JSON`, `ERR_SYNC_PAYLOAD`.
 *
 * @param url - default `/api/auth/sync`, on the host's own origin so that the SameSite=Strict cookie is sent.
 */
export function syncEndpoint(
  url: string = '/api/auth/sync',
  options: SyncEndpointOptions = {},
): TokenSource {
  const { method = 'POST', isActive } = options
  const name = `${method} ${url}`

  return async ({ signal, newerThan, fetch }) => {
    const question: SyncRequest = {
      ...(newerThan !== undefined && { newerThan }),
      ...(isActive?.() === true && { active: true }),
    }
    const response = await fetch(url, {
      method,
      signal,
      credentials: 'include',
      cache: 'no-store',
      redirect: 'manual',
      headers:
        method === 'POST'
          ? {
              accept: 'application/json',
              'content-type': 'application/json',
              [SYNC_HEADER]: SYNC_VERSION,
            }
          : { accept: 'application/json' },
      ...(method === 'POST' && { body: JSON.stringify(question) }),
    }).catch((cause: unknown) => {
      throw new AuthError(
        'ERR_SYNC_NETWORK',
        `${name} could not be reached. Check that the server runs, that the address is right, and that the page's CSP lists it in connect-src.`,
        { phase: 'sync', retryable: true, cause },
      )
    })
    return readAnswer(response, name)
  }
}

async function readAnswer(response: Response, name: string): Promise<TokenPayload | null> {
  if (response.status === 401) return null
  if (!response.ok) throw statusError(response, name)
  const type = response.headers.get('content-type') ?? 'no content type'
  if (!/^application\/(.+\+)?json\b/i.test(type)) {
    throw new AuthError(
      'ERR_SYNC_NOT_JSON',
      `${name} answered ${type.split(';')[0]} instead of JSON. A single-page fallback or a sign-in page probably took the request: ` +
        'route it to authRoutes(), and answer 401 when nobody is signed in.',
      { phase: 'sync', retryable: true, status: response.status },
    )
  }
  const body = await response.text().catch((cause: unknown) => {
    throw new AuthError('ERR_SYNC_NETWORK', `${name} broke off in the middle of its answer.`, {
      phase: 'sync',
      retryable: true,
      cause,
    })
  })
  const payload = parseSyncAnswer(parseJson(body, name))
  const serverTime = payload.serverTime ?? dateOf(response.headers)
  return serverTime === undefined ? payload : { ...payload, serverTime }
}

/**
 * When the server answered, from `Date` (RFC 9110 section 6.6.1), for endpoints that put no `serverTime` into the body.
 * Whole seconds, so up to one too early, which the skew buffer has room for. An answer out of a cache carries an old one.
 */
function dateOf(headers: Headers): number | undefined {
  const date = Date.parse(headers.get('date') ?? '')
  return Number.isNaN(date) || headers.has('age') ? undefined : date
}

function parseJson(body: string, name: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    // Without the SyntaxError as cause: its message quotes the body, and the body holds a token.
    throw new AuthError('ERR_SYNC_PAYLOAD', `${name} promised JSON and sent something else.`, {
      phase: 'sync',
      retryable: true,
    })
  }
}

function statusError(response: Response, name: string): AuthError {
  const { status } = response
  const redirected = response.type === 'opaqueredirect' || (status >= 300 && status < 400)
  const advice = redirected
    ? 'with a redirect. It must answer 401 when nobody is signed in; a fetch cannot follow a redirect to a sign-in page.'
    : status === 404 || status === 405
      ? `${status}: there is no sync endpoint. Mount authRoutes() of @token-bridge/server there, or give the bridge \`source: syncEndpoint(url)\`.`
      : status === 403
        ? '403: it refused the request. Its own origin, the X-Token-Bridge header and Sec-Fetch-Site: same-origin are required.'
        : `${status}. The session is kept and the bridge tries again.`
  const retryAfter = parseRetryAfter(response.headers)
  return new AuthError('ERR_SYNC_STATUS', `${name} answered ${advice}`, {
    phase: 'sync',
    retryable: true,
    status,
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

/** RFC 9110 section 10.2.3: seconds, or a date, which is read against the server's own `Date` where it sent one. */
function parseRetryAfter(headers: Headers): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - (dateOf(headers) ?? Date.now()))
}
