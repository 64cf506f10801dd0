import { configError } from './config-error.ts'
import { isWebOrigin } from './web-origin.ts'

/** All origins are written as `https://cart.example.com`, plain http only on this machine. */
export interface ContentSecurityPolicyOptions {
  /** Where remotes are loaded from: script, style, image, font and fetch. */
  readonly remotes?: readonly string[]
  /** Further origins that may be fetched from, such as APIs; `wss:` is allowed. */
  readonly connect?: readonly string[]
  /** Further origins that forms may be sent to. Signing in does not need it: that is a link, not a form. */
  readonly formAction?: readonly string[]
  /** For the inline scripts and styles of one response: at least 128 random bits in base64, never used again. */
  readonly nonce?: string
  /** Of inline scripts, or of files that carry the same hash in `integrity`: `sha384-…`, without quotes. */
  readonly hashes?: readonly string[]
  /**
   * The names of the Trusted Types policies that the page may create, each once. Default `['default']`, the one that
   * `trustScripts` of `@token-bridge/federation/trusted-types` makes: Module Federation assigns plain strings to
   * `script.src`. `false` leaves Trusted Types out.
   */
  readonly trustedTypes?: readonly string[] | false
  /** A path of the app's own, where `violationReports` is mounted. */
  readonly reportTo?: string
}

/**
 * The value of a `Content-Security-Policy` header for the host's pages (CSP Level 3). Nothing is allowed but what is
 * listed.
 *
 * What would undo the rest is refused, and the message says why: `strict-dynamic`, `unsafe-inline`, `unsafe-eval`,
 * wildcards, schemes alone, plain http, a nonce that can be guessed, Trusted Types with `*` or duplicates.
 *
 * @throws AuthError `ERR_CONFIG`, which names the option.
 * @example
 * contentSecurityPolicy({ remotes: ['https://cart.example.com'], connect: ['https://api.example.com'] })
 */
export function contentSecurityPolicy(options: ContentSecurityPolicyOptions = {}): string {
  refuseUnknown(options)
  const { nonce, reportTo } = options
  const remotes = origins('remotes', options.remotes, ['https'])
  const connect = origins('connect', options.connect, ['https', 'wss'])
  const formAction = origins('formAction', options.formAction, ['https'])
  const hashes = list('hashes', options.hashes, isHash, HASH, HASH_FIX)
  const policies =
    options.trustedTypes === false
      ? false
      : list('trustedTypes', options.trustedTypes ?? ['default'], isPolicyName, NAME, NAME_FIX)
  if (nonce !== undefined && !isNonce(nonce))
    throw configError(field('nonce'), NONCE, nonce, NONCE_FIX)
  if (reportTo !== undefined && !isOwnPath(reportTo))
    throw configError(field('reportTo'), OWN_PATH, reportTo, 'Write e.g. "/api/violations".')

  const inline = nonce === undefined ? [] : [`'nonce-${nonce}'`]
  const directives: Readonly<Record<string, readonly string[]>> = {
    'default-src': ["'none'"],
    'script-src': ["'self'", ...remotes, ...inline, ...hashes.map((hash) => `'${hash}'`)],
    'connect-src': ["'self'", ...connect, ...remotes],
    'style-src': ["'self'", ...remotes, ...inline],
    'img-src': ["'self'", 'data:', ...remotes],
    'font-src': ["'self'", ...remotes],
    'manifest-src': ["'self'"],
    'worker-src': ["'self'"],
    'object-src': ["'none'"],
    'base-uri': ["'none'"],
    'form-action': ["'self'", ...formAction],
    'frame-ancestors': ["'none'"],
    ...(policies !== false && {
      'require-trusted-types-for': ["'script'"],
      'trusted-types': policies.length === 0 ? ["'none'"] : policies,
    }),
    // `report-to` would silence it, and Chromium sends less by that: nothing from plain http, no frame-ancestors.
    ...(reportTo !== undefined && { 'report-uri': [reportTo] }),
  }
  return Object.entries(directives)
    .map(([name, sources]) => [name, ...new Set(sources)].join(' '))
    .join('; ')
}

type Option = keyof ContentSecurityPolicyOptions

const OPTIONS: Readonly<Record<Option, true>> = {
  remotes: true,
  connect: true,
  formAction: true,
  nonce: true,
  hashes: true,
  trustedTypes: true,
  reportTo: true,
}

/** Why a source that people ask for is not to be had. */
const REFUSED: Readonly<Record<string, string>> = {
  'strict-dynamic':
    "'strict-dynamic' does not stop a tampered remote entry: whatever a trusted script loads is trusted, from any origin, and the origins listed here are ignored. List each remote's origin in `remotes`; pin bytes with integrity attributes and Integrity-Policy.",
  'unsafe-inline':
    "'unsafe-inline' runs whatever gets into the page's markup. Give the inline script a `nonce` or list its hash in `hashes`.",
  'unsafe-eval':
    "'unsafe-eval' turns text into code. No production build of webpack, Rspack or Vite needs it; in development give webpack `devtool: 'source-map'`.",
  'unsafe-hashes':
    "'unsafe-hashes' lets markup choose which handler runs when. Add listeners from a script.",
  'allow-duplicates':
    "'allow-duplicates' lets any remote make a second policy of the same name, which trusts everything. Name each policy once.",
}

const WILDCARD =
  'A wildcard or a scheme alone lets in origins that somebody else can get. List each origin.'
const HASH = 'a hash of SHA-256, SHA-384 or SHA-512'
const HASH_FIX = 'Write it as in an integrity attribute, without quotes: "sha384-…".'
const NAME = 'the name of a Trusted Types policy'
const NAME_FIX = 'Write names such as "default"; wildcards and keywords are refused.'
const NONCE = 'at least 128 random bits in base64'
const NONCE_FIX =
  'Make a new one for each response, e.g. with `securityHeaders({ nonce: true })`: one that can be guessed or is used again lets injected scripts run.'
const OWN_PATH = "a path of the app's own, without a query"

const field = (option: string): string => `contentSecurityPolicy({ ${option} })`

/** An option that is not known is not ignored: whoever wrote it counts on it. */
function refuseUnknown(options: ContentSecurityPolicyOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(OPTIONS, name)) continue
    const why =
      explanation(name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)) ??
      `The options are ${Object.keys(OPTIONS).join(', ')}.`
    throw configError(field(name), 'left out', value, why)
  }
}

function explanation(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const keyword = value.toLowerCase().replaceAll("'", '')
  if (Object.hasOwn(REFUSED, keyword)) return REFUSED[keyword]
  return keyword.includes('*') || /^[a-z]+:$/.test(keyword) ? WILDCARD : undefined
}

/** Checks each entry, and explains a refusal where there is more to say than what is expected. */
function list(
  option: Option,
  value: unknown,
  is: (entry: unknown) => entry is string,
  expected: string,
  fix: string,
): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw configError(field(option), 'a list', value, fix)
  return value.map((entry: unknown, index) => {
    if (is(entry)) return entry
    throw configError(
      `${field(option)}, entry ${index},`,
      expected,
      entry,
      explanation(entry) ?? fix,
    )
  })
}

const origins = (
  option: Option,
  value: unknown,
  schemes: readonly ('https' | 'wss')[],
): readonly string[] =>
  list(
    option,
    value,
    (entry): entry is string => isWebOrigin(entry, schemes),
    `an origin (${schemes.join(' or ')}; plain only on localhost)`,
    'Write the scheme, the host and the port and nothing else, e.g. "https://cart.example.com".',
  )

const isText = (value: unknown): value is string => typeof value === 'string'
const isNonce = (value: unknown): value is string =>
  isText(value) && /^[\w+/-]{22,}={0,2}$/.test(value)
const isHash = (value: unknown): value is string =>
  isText(value) && /^sha(?:256-[\w+/-]{43}=?|384-[\w+/-]{64}|512-[\w+/-]{86}(?:==)?)$/.test(value)
/** The grammar of the `trusted-types` directive, without its keywords. */
const isPolicyName = (value: unknown): value is string =>
  isText(value) && /^[\w\-#=/@.%]+$/.test(value)
const isOwnPath = (value: unknown): value is string =>
  isText(value) && /^(?:\/[\w.~-]+)+$/.test(value)
