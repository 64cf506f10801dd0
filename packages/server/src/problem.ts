import type { Context } from 'hono'

/** What a problem document says (RFC 9457). */
export interface Problem {
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 500 | 503
  readonly title: string
  readonly detail?: string
  /** Extension member for 401: was there never a session, is it over, or did a server die while it refreshed it? */
  readonly reason?: 'no-session' | 'session-expired' | 'refresh-interrupted'
}

/**
 * Answers with `application/problem+json` (RFC 9457).
 *
 * @param headers - further headers of the answer.
 */
export function problem(
  c: Context,
  details: Problem,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return c.body(JSON.stringify({ type: 'about:blank', ...details }), details.status, {
    ...headers,
    'Content-Type': 'application/problem+json',
  })
}
