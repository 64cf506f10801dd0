import { isAuthError } from '@token-bridge/core/errors'
import { parseSyncRequest, type SyncRequest, type TokenPayload } from '@token-bridge/core/wire'
import type { Context, Handler } from 'hono'
import type { HostCookie } from './host-cookie.ts'
import type { LivingSessions } from './living-sessions.ts'
import type { Settings } from './options.ts'
import { OWN_HEADERS } from './own-headers.ts'
import { problem, type Problem, type SignedOutReason } from './problem.ts'
import type { RateLimiter } from './rate-limit.ts'
import { readBody } from './read-body.ts'
import { requestGuard } from './request-guard.ts'
import type { SessionRefresher } from './session-refresher.ts'
import type { EndReason, Session } from './sessions.ts'
import { tooMany } from './too-many.ts'

/** Milliseconds: a token that lives longer than this is better than none while the provider is away. */
const LAST_USE = 5_000

/** Milliseconds after which to ask again when the provider did not say. */
const RETRY_AFTER = 5_000

const ANSWER_HEADERS = { ...OWN_HEADERS, 'Content-Type': 'application/json' }

/**
 * `POST /sync`: the browser's cookie for a valid access token. See `requestGuard` for who may ask, and core's `wire`
 * for what is said. 401 means signed out; 503 with `Retry-After` means later, and the session is kept.
 */
export function sync(
  settings: Pick<Settings, 'origin' | 'minimumLifetime' | 'now'>,
  parts: {
    readonly sessions: LivingSessions
    readonly limiter: RateLimiter
    readonly refresher: SessionRefresher
    readonly cookie: HostCookie
  },
): Handler {
  const { origin, minimumLifetime, now } = settings
  const { sessions, limiter, refresher, cookie } = parts

  function answer(c: Context, session: Session): Response {
    const { accessToken, expiresAt, tokenType, scope } = session
    const payload: TokenPayload = {
      accessToken,
      expiresAt,
      serverTime: now(),
      tokenType,
      ...(scope !== undefined && { scope }),
    }
    return c.body(JSON.stringify(payload), 200, ANSWER_HEADERS)
  }

  return async (c) => {
    const refusal = requestGuard(c.req.raw, origin)
    if (refusal !== undefined)
      return problem(c, { status: 403, title: 'Request refused', detail: refusal })
    const id = cookie.read(c)
    const wait = id === undefined ? 0 : limiter.take(id)
    if (wait > 0) return tooMany(c, wait)
    const question = await readQuestion(c)
    if ('status' in question) return problem(c, question)
    if (id === undefined) return signedOut(c, 'no-session')

    const key = await sessions.keyOf(id)
    const satisfies = (lifetime: number) => (session: Session) =>
      isFresh(session, question, now() + lifetime)
    const outcome = await refresher.freshen(key, satisfies(minimumLifetime), satisfies(0))
    if ('session' in outcome) {
      limiter.keep(id)
      sessions.remember(id, key)
      // Before the answer, which may end with nobody signed in.
      if (question.active === true) await sessions.seen(key, outcome.session)
    }
    switch (outcome.status) {
      case 'current':
        return answer(c, outcome.session)
      case 'unavailable':
        return satisfies(LAST_USE)(outcome.session)
          ? answer(c, outcome.session)
          : later(c, outcome.retryAfter)
      case 'unrefreshable':
        if (satisfies(LAST_USE)(outcome.session)) return answer(c, outcome.session)
        if (await sessions.end(key)) cookie.clear(c)
        return signedOut(c, 'session-expired')
      case 'ended':
        cookie.clear(c)
        return signedOut(c, 'session-expired')
      case 'interrupted':
        cookie.clear(c)
        return signedOut(c, 'refresh-interrupted')
      case 'gone':
        // The cookie stays: this answer may arrive after a new sign-in has set another one, and would clear that.
        return signedOut(c, reasonOf(await sessions.whyGone(key)))
    }
  }
}

/** Whether a session's token lives beyond `until` (epoch milliseconds) and is newer than the one to be replaced. */
function isFresh(session: Session, { newerThan }: SyncRequest, until: number): boolean {
  return session.expiresAt > until && (newerThan === undefined || session.expiresAt > newerThan)
}

async function readQuestion(c: Context): Promise<SyncRequest | Problem> {
  const body = await readBody(c)
  if (typeof body !== 'string') return body
  if (body === '') return {}
  if (!/^application\/json\s*(?:;|$)/i.test(c.req.header('content-type') ?? ''))
    return { status: 415, title: 'Unsupported type', detail: 'The body must be application/json.' }
  try {
    return parseSyncRequest(JSON.parse(body))
  } catch (error) {
    return {
      status: 400,
      title: 'Bad request',
      detail: isAuthError(error) ? error.message : 'The body is neither empty nor JSON.',
    }
  }
}

/** A new sign-in is no reason to give: whoever asks with the old cookie has the new one by now, or was signed out. */
function reasonOf(why: EndReason | undefined): SignedOutReason {
  return why === undefined || why === 'session-replaced' ? 'session-expired' : why
}

function signedOut(c: Context, reason: SignedOutReason): Response {
  return problem(c, { status: 401, title: 'Signed out', reason })
}

function later(c: Context, retryAfter: number = RETRY_AFTER): Response {
  return problem(
    c,
    {
      status: 503,
      title: 'The identity provider cannot be reached',
      detail: 'The session is kept.',
    },
    { 'Retry-After': String(Math.ceil(retryAfter / 1000)) },
  )
}
