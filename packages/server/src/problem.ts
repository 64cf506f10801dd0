import type { Context } from 'hono'
import { OWN_HEADERS } from './own-headers.ts'

/** Why nobody is signed in. */
export type SignedOutReason =
  /** The browser sent no session cookie. */
  | 'no-session'
  /** The session's time is over, or the provider no longer knows its grant. */
  | 'session-expired'
  /** Someone ended it, in another tab or at the provider. */
  | 'session-ended'
  /** A server died while it refreshed the session, and what the provider answered is lost. */
  | 'refresh-interrupted'

/** What a problem document says (RFC 9457). */
export interface Problem {
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 431 | 500 | 503
  readonly title: string
  readonly detail?: string
  /** Extension member for 401. */
  readonly reason?: SignedOutReason
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
    ...OWN_HEADERS,
    ...headers,
    'Content-Type': 'application/problem+json',
  })
}
