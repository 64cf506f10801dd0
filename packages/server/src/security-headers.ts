import type { MiddlewareHandler } from 'hono'
import { checkOptions } from './check-options.ts'
import { configError } from './config-error.ts'
import {
  contentSecurityPolicy,
  type ContentSecurityPolicyOptions,
} from './content-security-policy.ts'
import { createSecretId } from './secret-id.ts'
import { isWebOrigin } from './web-origin.ts'

/** What the profile allows beside the page's own origin, and where violations are reported. */
export interface SecurityHeadersOptions extends Omit<ContentSecurityPolicyOptions, 'nonce'> {
  /** Makes a nonce for each response, which the page's handler finds in `c.get('nonce')`. Default `false`. */
  readonly nonce?: boolean
  /**
   * Origins that the page may lead the browser to: the identity provider's, for signing out, and those of links.
   * Default none but the app's own. `'anywhere'` gives up `Connection-Allowlist`, which covers navigations too.
   */
  readonly navigate?: readonly string[] | 'anywhere'
  /**
   * `Integrity-Policy` for scripts. `'enforce'` blocks each script that says no hash of itself; bundlers do not write
   * hashes for federated chunks by themselves. Default: `'report'` where there is `reportTo`, else not sent.
   */
  readonly integrity?: 'enforce' | 'report'
  /** Blocks nothing and reports everything: for trying a policy. Needs `reportTo`. Default `false`. */
  readonly reportOnly?: boolean
}

/** What `securityHeaders({ nonce: true })` adds to the context: `new Hono<{ Variables: NonceVariables }>()`. */
export interface NonceVariables {
  readonly nonce: string
}

/** The name that `Reporting-Endpoints` and the headers that report by it have in common. */
const REPORT_GROUP = 'violations'

/** Devices. A permission that the user gave the host's origin would be every remote's. */
const PERMISSIONS =
  'camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), midi=(), serial=(), usb=()'

/**
 * Middleware that sends the security headers of the host's pages: the policy of {@link contentSecurityPolicy},
 * `Integrity-Policy`, `Connection-Allowlist`, an own browsing context group (COOP), own resources for own pages only
 * (CORP), no devices, no referrer, nosniff, and where to report. That is the whole profile where `reportTo` is given;
 * without it `Reporting-Endpoints` is left out, and `Integrity-Policy` unless `integrity` is `'enforce'`.
 *
 * A header that a route has set itself is left alone: the auth routes' own pages have a stricter policy.
 *
 * @throws AuthError `ERR_CONFIG`, at construction.
 * @example
 * app.use(securityHeaders({
 *   remotes: ['https://cart.example.com'],
 *   connect: ['https://api.example.com'],
 *   navigate: ['https://id.example.com'],
 *   reportTo: '/api/violations',
 * }))
 * app.route('/api/violations', violationReports())
 */
export function securityHeaders(
  options: SecurityHeadersOptions = {},
): MiddlewareHandler<{ Variables: NonceVariables }> {
  check(options)
  const { nonce = false, navigate = [], integrity, reportOnly = false, ...policy } = options
  const { reportTo } = policy
  const suffix = reportOnly ? '-Report-Only' : ''
  const contentPolicy = (value?: string) =>
    contentSecurityPolicy(value === undefined ? policy : { ...policy, nonce: value })
  const fixedPolicy = contentPolicy()

  const headers: Record<string, string> = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': PERMISSIONS,
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  }
  if (reportTo !== undefined) headers['Reporting-Endpoints'] = `${REPORT_GROUP}="${reportTo}"`
  if (navigate !== 'anywhere') {
    const connections = [policy.remotes, policy.connect, policy.formAction, navigate]
      .flatMap((entries) => entries ?? [])
      .map((origin) => ` "${origin}"`)
    const report = reportTo === undefined ? '' : `;report-to=${REPORT_GROUP}`
    // Signing in is a redirect from the app's own origin, which counts as a mismatch where redirects are not allowed.
    headers[`Connection-Allowlist${suffix}`] =
      `(response-origin${[...new Set(connections)].join('')});redirects=allow${report}`
  }
  if (integrity !== undefined || reportTo !== undefined) {
    const endpoints = reportTo === undefined ? '' : `, endpoints=(${REPORT_GROUP})`
    headers[`Integrity-Policy${integrity === 'enforce' ? suffix : '-Report-Only'}`] =
      `blocked-destinations=(script)${endpoints}`
  }

  return async (c, next) => {
    let contentHeader = fixedPolicy
    if (nonce) {
      const fresh = createSecretId()
      c.set('nonce', fresh)
      contentHeader = contentPolicy(fresh)
    }
    const all = Object.entries({ [`Content-Security-Policy${suffix}`]: contentHeader, ...headers })
    // Before the answer is made: to add one to a finished answer copies it, at three times the cost of the request.
    for (const [name, value] of all) c.header(name, value)
    await next()
    // A route that returned a Response of its own making has none of them.
    for (const [name, value] of all) {
      if (!c.res.headers.has(name)) c.header(name, value)
    }
  }
}

function check(options: SecurityHeadersOptions): void {
  // Names that are not known are refused, and explained, by `contentSecurityPolicy`, which gets all the rest.
  checkOptions('securityHeaders', options)
  const { nonce, navigate, integrity, reportOnly, reportTo } = options
  const refuse = (option: string, expected: string, value: unknown, fix: string): never => {
    throw configError(`securityHeaders({ ${option} })`, expected, value, fix)
  }
  if (nonce !== undefined && typeof nonce !== 'boolean')
    refuse(
      'nonce',
      'a boolean',
      nonce,
      'A nonce that is used for more than one response protects none: with `true` one is made for each, in c.get("nonce").',
    )
  const isList = Array.isArray(navigate) && navigate.every((entry) => isWebOrigin(entry))
  if (navigate !== undefined && navigate !== 'anywhere' && !isList)
    refuse(
      'navigate',
      'a list of origins, or "anywhere"',
      navigate,
      'Write the scheme, the host and the port and nothing else, e.g. "https://id.example.com"; wildcards are refused.',
    )
  if (integrity !== undefined && integrity !== 'enforce' && integrity !== 'report')
    refuse('integrity', '"enforce" or "report"', integrity, 'Leave it out to have it reported.')
  if (reportOnly !== undefined && typeof reportOnly !== 'boolean')
    refuse('reportOnly', 'a boolean', reportOnly, 'Leave it out to enforce the policy.')
  if (reportTo === undefined && (reportOnly === true || integrity === 'report'))
    refuse(
      'reportTo',
      'given with `reportOnly` and with `integrity: "report"`',
      reportTo,
      'A policy that blocks nothing and is reported nowhere does nothing: mount violationReports() and write its path.',
    )
}
