import type { Context, Handler } from 'hono'
import type { LogoutToken } from './logout-token.ts'
import type { AuthLogger } from './options.ts'
import { problem } from './problem.ts'
import { readBody } from './read-body.ts'
import type { SessionMarks } from './session-marks.ts'

/** Milliseconds between two log lines with the same code: anybody can send tokens that are refused. */
const REPORT_INTERVAL = 60_000

/**
 * `POST /backchannel-logout`: the provider says that a session, or every session of a user, is over (OpenID Connect
 * Back-Channel Logout 1.0). It comes without a browser, so without cookie and header; the signed token is all the proof.
 *
 * 200 when the sessions are over; 400 for everything else, as section 2.8 asks for.
 */
export function backchannelLogout(parts: {
  /** See {@link logoutTokenReader}. */
  readonly read: (token: string) => Promise<LogoutToken | string>
  readonly marks: SessionMarks
  readonly logger: AuthLogger
  readonly now: () => number
}): Handler {
  const { read, marks, logger, now } = parts
  // By code. There are some twenty: names of claims, and of failures of the library and of ours.
  const reportedAt = new Map<string, number>()

  function failed(c: Context, code: string): Response {
    if (now() - (reportedAt.get(code) ?? -Infinity) >= REPORT_INTERVAL) {
      reportedAt.set(code, now())
      logger.warn(`[auth] logout token refused: ${code}`, {
        event: 'backchannel-logout-refused',
        code,
      })
    }
    return problem(c, {
      status: 400,
      title: 'The sessions were not ended',
      detail: 'Send one valid logout_token, once, as a form.',
    })
  }

  return async (c) => {
    const body = await readBody(c)
    if (typeof body !== 'string') return problem(c, body)
    const token = tokenIn(c.req.header('content-type') ?? '', body)
    if (token === undefined) return failed(c, 'no_logout_token')
    const reading = await read(token)
    if (typeof reading === 'string') return failed(c, reading)
    if (!(await marks.end(reading, reading.id))) return failed(c, 'replayed')
    const whose = reading.providerSession === undefined ? 'user' : 'session'
    logger.info(`[auth] the provider ended the sessions of one ${whose}`, {
      event: 'backchannel-logout',
      whose,
    })
    return c.body(null, 200)
  }
}

/** The token, if the form names one and not more. */
function tokenIn(type: string, form: string): string | undefined {
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) return undefined
  const tokens = new URLSearchParams(form).getAll('logout_token')
  return tokens.length === 1 ? tokens[0] : undefined
}
