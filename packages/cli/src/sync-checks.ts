import type { Finding } from './finding.ts'
import type { Answer, Probes } from './probe.ts'

const contentType = ({ headers }: Answer): string =>
  headers.get('content-type') ?? 'no content type'
const isJson = (answer: Answer): boolean => /^application\/(.+\+)?json\b/i.test(contentType(answer))
const isRefusal = ({ status }: Answer): boolean => status === 403

/** The endpoint is there, and says in JSON that nobody is signed in. */
export function syncAnswers({ sync }: Probes): Finding | null {
  if (sync.status === 401 && isJson(sync)) return null
  const isPage = sync.status === 200 || (sync.status >= 300 && sync.status < 400)
  return {
    check: 'sync-answers',
    symptom: 'The bridge stays in `error` or `maintenance`, or never says `signed-out`.',
    evidence: `POST without a session: ${sync.status}, ${contentType(sync)}; expected 401 in JSON.`,
    cause: isPage
      ? 'A single-page fallback, a sign-in page or a redirect takes the request.'
      : 'The endpoint is not mounted, refuses its own page, or fails.',
    mend: "Mount authRoutes() before the fallback: app.route('/api/auth', authRoutes({ … })), with `origin` as browsers see it.",
  }
}

/** Requests without the bridge's header, and requests of other sites, are refused. */
export function syncIsGuarded({ syncWithoutHeader, syncFromElsewhere }: Probes): Finding | null {
  const open = [
    ...(isRefusal(syncWithoutHeader)
      ? []
      : [`without X-Token-Bridge: ${syncWithoutHeader.status}`]),
    ...(isRefusal(syncFromElsewhere) ? [] : [`from another site: ${syncFromElsewhere.status}`]),
  ]
  if (open.length === 0) return null
  return {
    check: 'sync-is-guarded',
    symptom:
      'Another page of the site, or an extension, can ask for a token with the session cookie.',
    evidence: `Expected 403; got ${open.join(', ')}.`,
    cause:
      'SameSite=Strict alone guards the endpoint; sibling hosts are the same site (RFC 10017, CSRF defence).',
    mend: 'Require the header, Sec-Fetch-Site: same-origin and the exact Origin, as authRoutes() does.',
  }
}

/** No cache keeps a token, no other origin reads one, no browser takes one for something else. */
export function syncIsPrivate({ sync, syncFromElsewhere }: Probes): Finding | null {
  const wrong = [
    ...(/\bno-store\b/i.test(sync.headers.get('cache-control') ?? '')
      ? []
      : ['no Cache-Control: no-store']),
    ...(sync.headers.get('x-content-type-options') === 'nosniff'
      ? []
      : ['no X-Content-Type-Options: nosniff']),
    ...[sync, syncFromElsewhere].flatMap(({ headers }) => {
      const allowed = headers.get('access-control-allow-origin')
      return allowed === null ? [] : [`Access-Control-Allow-Origin: ${allowed}`]
    }),
  ]
  if (wrong.length === 0) return null
  return {
    check: 'sync-is-private',
    symptom: 'A token can be read back from a cache, or from another origin.',
    evidence: [...new Set(wrong)].join('; '),
    cause:
      'Answers with tokens need no-store (RFC 6749 section 5.1), and CORS middleware covers /api/auth as well.',
    mend: 'Send no-store and nosniff on every answer of the endpoint, and leave it out of CORS.',
  }
}
