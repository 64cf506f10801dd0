import { describeAnswer, isJson, isRedirect, mediaType, type Answer } from '../answer.ts'
import type { Finding } from '../finding.ts'

/** Who has no session gets 401 and a problem document: not a page, not a redirect, and not a token. */
export function checkSignedOut(answer: Answer): Finding | null {
  if (answer.status === 401 && isJson(answer)) return null
  return { check: 'sync-signed-out', evidence: describeAnswer(answer), ...diagnose(answer) }
}

function diagnose(answer: Answer): Pick<Finding, 'symptom' | 'cause' | 'mend'> {
  const { status } = answer
  if (isRedirect(answer))
    return {
      symptom:
        'Signed out, the sync endpoint redirects. fetch() cannot show a sign-in page, so the bridge reports ERR_SYNC_STATUS and tries again instead of learning that nobody is signed in.',
      cause:
        'A gateway or a session middleware before the endpoint sends everybody without a session to the sign-in page.',
      mend: 'Exempt the path from it, and let authRoutes() answer 401.',
    }
  if (status === 404 || status === 405)
    return {
      symptom: 'There is no sync endpoint, so no page ever gets a token.',
      cause: 'authRoutes() of @token-bridge/server is not mounted, or stands on another path.',
      mend: "Mount it: app.route('/api/auth', authRoutes(…)). On another path, tell the bridge with source: syncEndpoint(path), and this command with --sync.",
    }
  if (status === 403)
    return {
      symptom: 'The sync endpoint refuses a request that is in order.',
      cause:
        'The server knows the app by another origin than the one in this address, or a proxy drops the Origin, Sec-Fetch-* or X-Token-Bridge headers.',
      mend: 'Give the address as the browser shows it, set the same origin in authRoutes(), and let the proxy pass these headers.',
    }
  if (status >= 500)
    return {
      symptom: 'The sync endpoint fails before it has looked for a session.',
      cause: 'A fault in the server or in the gateway before it.',
      mend: "Look into the server's log.",
    }
  if (status === 200 && isJson(answer))
    return {
      symptom:
        'The sync endpoint answers 200 to a request without a session: anybody may get a token.',
      cause:
        'It does not look at the session cookie, or a cache before it answers with what somebody else got.',
      mend: 'Answer 401 without a session. Let no cache keep the answer (Cache-Control: no-store).',
    }
  if (mediaType(answer) === 'text/html')
    return {
      symptom:
        'Signed out, the sync endpoint answers with a page. The bridge reports ERR_SYNC_NOT_JSON or ERR_SYNC_STATUS.',
      cause: 'A single-page fallback or a sign-in page took the request.',
      mend: 'Route /api/auth/* to authRoutes() before the fallback, and answer 401 as application/problem+json.',
    }
  return {
    symptom:
      'Signed out, the sync endpoint does not answer 401 with JSON, so the bridge cannot tell "signed out" from a failure.',
    cause: 'Something else than authRoutes() answers, or it was changed on the way.',
    mend: 'Answer 401 as application/problem+json (RFC 9457).',
  }
}
