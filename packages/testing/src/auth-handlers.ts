import { AuthError, isAuthError } from '@token-bridge/core/errors'
import { parseSyncRequest, SYNC_HEADER, SYNC_VERSION } from '@token-bridge/core/wire'
import { http, HttpResponse, type HttpHandler } from 'msw/http'
import type { FakeAuthority } from './fake-authority.ts'

/** Where the handlers stand. */
export interface AuthHandlersOptions {
  /** Origin of the host, to which `/api/auth/…` is added. Default: the page's own; `http://localhost` where there is none. */
  readonly baseUrl?: string
}

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/**
 * MSW handlers that answer `POST /api/auth/sync` and `POST /api/auth/logout` for a fake authority, so that a test runs the
 * real `syncEndpoint()` too.
 *
 * They answer as `authRoutes()` of `@token-bridge/server` does. A request without the `X-Token-Bridge` header gets 403, a
 * body that breaks the wire contract 400. Signed out is 401; a failing authority shows as the status of its error, with
 * `Retry-After` where it asks to wait, or as a network failure when its error has none. Errors are
 * `application/problem+json` (RFC 9457).
 *
 * @example
 * const server = setupServer(...authHandlers(authority, { baseUrl: 'https://shop.example' }))
 */
export function authHandlers(
  authority: FakeAuthority,
  options: AuthHandlersOptions = {},
): HttpHandler[] {
  const page = typeof location === 'undefined' ? undefined : location.origin
  const base = (options.baseUrl ?? page ?? 'http://localhost').replace(/\/$/, '')

  return [
    http.post(`${base}/api/auth/sync`, async ({ request }) => {
      if (!isOurs(request)) return forbidden()
      try {
        const { newerThan } = parseSyncRequest(await readJson(request))
        const payload = await authority.source({
          signal: request.signal,
          reason: 'http',
          fetch: globalThis.fetch,
          ...(newerThan !== undefined && { newerThan }),
        })
        if (payload === null) return problem(401, 'Signed out')
        return HttpResponse.json(payload, { headers: HEADERS })
      } catch (error) {
        return failureAnswer(error)
      }
    }),
    http.post(`${base}/api/auth/logout`, ({ request }) => {
      if (!isOurs(request)) return forbidden()
      authority.signOut()
      return HttpResponse.json({}, { headers: HEADERS })
    }),
  ]
}

const isOurs = (request: Request): boolean => request.headers.get(SYNC_HEADER) === SYNC_VERSION

async function readJson(request: Request): Promise<unknown> {
  const body = await request.text()
  if (body === '') return undefined
  try {
    return JSON.parse(body)
  } catch {
    throw new AuthError('ERR_SYNC_PAYLOAD', 'The request is not JSON.', { phase: 'sync' })
  }
}

function failureAnswer(error: unknown): HttpResponse<object> | Response {
  if (isAuthError(error, 'ERR_SYNC_PAYLOAD')) return problem(error.status ?? 400, error.message)
  if (!isAuthError(error) || error.status === undefined) return HttpResponse.error()
  const { status, retryAfter, message } = error
  return problem(
    status,
    message,
    retryAfter === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfter / 1000)) },
  )
}

const forbidden = (): HttpResponse<object> =>
  problem(403, `The request does not carry ${SYNC_HEADER}: ${SYNC_VERSION}`)

function problem(
  status: number,
  title: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse<object> {
  return HttpResponse.json(
    { type: 'about:blank', status, title },
    { status, headers: { ...HEADERS, ...headers, 'content-type': 'application/problem+json' } },
  )
}
