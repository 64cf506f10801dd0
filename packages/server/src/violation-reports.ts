import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { checkOptions } from './check-options.ts'
import { configError } from './config-error.ts'
import { isLogger, type AuthLogger } from './options.ts'

/** What a browser blocked, or would have, in words that cannot hold a secret: origins and names that standards define. */
export interface PolicyViolation {
  readonly policy: 'Content-Security-Policy' | 'Integrity-Policy' | 'Connection-Allowlist'
  /** `false`: the policy was in report-only mode. */
  readonly enforced: boolean
  /** The directive of a Content-Security-Policy, `script` or `style` of an Integrity-Policy, `connection` otherwise. */
  readonly directive: string
  /** An origin, or what CSP says instead: `inline`, `eval`, `trusted-types-sink`, `data`, …; `other` for the rest. */
  readonly blocked: string
  /** Origin of the page. */
  readonly page: string
  /** Origin of the script that did it, where the browser says so, and the place in it. */
  readonly source?: string
  readonly line?: number
  readonly column?: number
  /** How often this process was told of the same, this time included. */
  readonly count: number
}

/** Who hears of a violation, and how many are taken. */
export interface ViolationReportsOptions {
  /** Called for each report that is kept. What it throws is logged by name and harms nothing. */
  readonly onViolation?: (violation: PolicyViolation) => void
  /** Gets a line for the 1st, 10th, 100th … report of a kind. Default `console`. */
  readonly logger?: AuthLogger
  /** Reports that are kept in a minute; the rest is counted and dropped. Default 100. */
  readonly limit?: number
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/** Bytes: browsers send up to a hundred reports at once. */
const LARGEST_BODY = 65_536
const MINUTE = 60_000
/** Kinds of violation that are counted apart; then counting starts anew, because strangers choose the origins. */
const MOST_KINDS = 1000

/**
 * The endpoint that browsers send violations of the page's policies to, for the app to mount at the `reportTo` of
 * {@link securityHeaders}: `application/reports+json` (Reporting API) and `application/csp-report` (CSP Level 2).
 *
 * Anybody can write to it, so that what it says is a hint and never proof. Addresses are cut down to their origins, and
 * samples, policies and referrers are not read: a blocked request may have had a token in its path.
 *
 * @throws AuthError `ERR_CONFIG`, at construction.
 * @example
 * app.route('/api/violations', violationReports({
 *   onViolation: ({ directive, blocked }) => counter.add(1, { directive, blocked }),
 * }))
 */
export function violationReports(options: ViolationReportsOptions = {}): Hono {
  checkOptions('violationReports', options, ['onViolation', 'logger', 'limit', 'now'])
  const { onViolation, logger = console, limit = 100, now = Date.now } = options
  if (onViolation !== undefined && typeof onViolation !== 'function')
    throw configError(
      'violationReports({ onViolation })',
      'a function',
      onViolation,
      'Leave it out.',
    )
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw configError(
      'violationReports({ limit })',
      'a whole number from 1',
      limit,
      'Write e.g. 100.',
    )
  if (!isLogger(logger))
    throw configError(
      'violationReports({ logger })',
      'an object with the functions info, warn and error',
      logger,
      'Use `console`.',
    )
  if (typeof now !== 'function')
    throw configError('violationReports({ now })', 'a function', now, 'Leave it out.')
  const counts = new Map<string, number>()
  let windowEnd = 0
  let kept = 0
  let dropped = 0

  /** Whether one more report fits into this minute. */
  function admit(): boolean {
    if (now() >= windowEnd) {
      if (dropped > 0)
        logger.warn(`[violations] ${dropped} reports dropped: over ${limit} a minute`, {
          event: 'violations-dropped',
          dropped,
        })
      windowEnd = now() + MINUTE
      kept = 0
      dropped = 0
    }
    if (kept >= limit) {
      dropped += 1
      return false
    }
    kept += 1
    return true
  }

  function take(report: Omit<PolicyViolation, 'count'>): void {
    const { policy, enforced, directive, blocked, page, source, line, column } = report
    const key = JSON.stringify([policy, enforced, directive, blocked, page, source])
    if (counts.size >= MOST_KINDS && !counts.has(key)) counts.clear()
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (/^10*$/.test(String(count))) {
      const from = source === undefined ? '' : ` source=${source}:${line ?? 0}:${column ?? 0}`
      logger.warn(
        `[violations] ${policy} ${enforced ? 'blocked' : 'would block'} ${directive} blocked=${blocked} page=${page}${from} count=${count}`,
        { event: 'violation', policy, enforced: String(enforced), directive, blocked, page, count },
      )
    }
    try {
      onViolation?.(Object.freeze({ ...report, count }))
    } catch (error) {
      const name = error instanceof Error ? error.name : typeof error
      logger.error(`[violations] onViolation failed: ${name}`, { event: 'violation-lost', name })
    }
  }

  const routes = new Hono()
  routes.use(bodyLimit({ maxSize: LARGEST_BODY, onError: (c) => c.body(null, 413) }))
  routes.post('/', async (c) => {
    const type = c.req.header('Content-Type')?.split(';')[0]?.trim().toLowerCase()
    const read = type === undefined || !Object.hasOwn(FORMATS, type) ? undefined : FORMATS[type]
    // A page of another origin cannot send these types without a preflight, which is never granted.
    if (read === undefined) return c.body(null, 415)
    const body: unknown = await c.req.json().catch(() => undefined)
    if (typeof body !== 'object' || body === null) return c.body(null, 400)
    const reports = read(body)
    const admitted = reports.filter(() => admit())
    for (const report of admitted) take(report)
    if (admitted.length < reports.length)
      return c.body(null, 429, { 'Retry-After': String(Math.ceil((windowEnd - now()) / 1000)) })
    return c.body(null, 204)
  })
  routes.all('/', (c) => c.body(null, 405, { Allow: 'POST' }))
  return routes
}

type Report = Omit<PolicyViolation, 'count'>
type Fields = Readonly<Record<string, unknown>>

const FORMATS: Readonly<Record<string, (body: object) => Report[]>> = {
  'application/reports+json': (body) =>
    (Array.isArray(body) ? body : [body]).flatMap((entry) => readReport(entry) ?? []),
  'application/csp-report': (body) => readCspReport((body as Fields)['csp-report']),
}

/** Reporting API section 3.2. Reports of other kinds, and what is no report, are `undefined`. */
function readReport(entry: unknown): Report | undefined {
  if (!isFields(entry) || !isFields(entry['body'])) return undefined
  const { type, url, body } = entry
  const page = originOf(url)
  switch (type) {
    case 'csp-violation':
      return {
        policy: 'Content-Security-Policy',
        enforced: body['disposition'] !== 'report',
        directive: directiveOf(body['effectiveDirective']),
        blocked: blockedBy(body['blockedURL']),
        page,
        ...placeOf(body['sourceFile'], body['lineNumber'], body['columnNumber']),
      }
    case 'integrity-violation':
      return {
        policy: 'Integrity-Policy',
        enforced: body['reportOnly'] !== true,
        directive: body['destination'] === 'style' ? 'style' : 'script',
        blocked: blockedBy(body['blockedURL']),
        page,
      }
    case 'connection-allowlist':
      return {
        policy: 'Connection-Allowlist',
        enforced: body['disposition'] !== 'report',
        directive: 'connection',
        blocked: blockedBy(body['connection']),
        page,
      }
    default:
      return undefined
  }
}

/** CSP Level 3 section 5.3, the deprecated serialization that `report-uri` sends. */
function readCspReport(body: unknown): Report[] {
  if (!isFields(body)) return []
  return [
    {
      policy: 'Content-Security-Policy',
      enforced: body['disposition'] !== 'report',
      directive: directiveOf(body['effective-directive'] ?? body['violated-directive']),
      blocked: blockedBy(body['blocked-uri']),
      page: originOf(body['document-uri']),
      ...placeOf(body['source-file'], body['line-number'], body['column-number']),
    },
  ]
}

/** What CSP Level 3 names, and what a report may therefore say. Anything else is `other`. */
const DIRECTIVES: ReadonlySet<string> = new Set(
  `base-uri child-src connect-src default-src fenced-frame-src font-src form-action frame-ancestors frame-src img-src
   manifest-src media-src object-src require-trusted-types-for sandbox script-src script-src-attr script-src-elem
   style-src style-src-attr style-src-elem trusted-types webrtc worker-src`.split(/\s+/),
)
const KEYWORDS: ReadonlySet<string> = new Set(
  `inline eval wasm-eval trusted-types-policy trusted-types-sink self data blob filesystem about webrtc`.split(
    ' ',
  ),
)

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

function directiveOf(value: unknown): string {
  // Older browsers put the directive's sources behind its name.
  const name = typeof value === 'string' ? (value.split(' ', 1)[0] ?? '') : ''
  return DIRECTIVES.has(name) ? name : 'other'
}

function blockedBy(value: unknown): string {
  return typeof value === 'string' && KEYWORDS.has(value) ? value : originOf(value)
}

function placeOf(file: unknown, line: unknown, column: unknown): Partial<Report> {
  const source = originOf(file)
  if (source === 'other') return {}
  return {
    source,
    ...(isPosition(line) && { line }),
    ...(isPosition(column) && { column }),
  }
}

const isPosition = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 1e7

/** Characters of a part of a host name. A longer one may be data on its way out. */
const LONGEST_LABEL = 24

/** The origin of an address, in a form that holds no secret: no path, no query, no credentials, no overlong host name. */
function originOf(value: unknown): string {
  if (typeof value !== 'string' || !URL.canParse(value)) return 'other'
  const { protocol, hostname, origin } = new URL(value)
  if (!['https:', 'http:', 'wss:', 'ws:'].includes(protocol)) return 'other'
  const labels = hostname.split('.')
  const isPlain = labels.length <= 8 && labels.every((label) => label.length <= LONGEST_LABEL)
  // An IPv6 address is one label of up to 41 characters.
  return isPlain || hostname.startsWith('[') ? origin : 'other'
}
