import { configError } from './config-error.ts'
import { isWebOrigin } from './web-origin.ts'

/** All entries are origins: `https://cart.example.com`, plain http only on this machine. */
export interface ContentSecurityPolicyOptions {
  /** Where remotes are loaded from: script, style, image, font and fetch. */
  readonly remotes?: readonly string[]
  /** Further origins that may be fetched from, such as APIs; `wss:` is allowed. */
  readonly connect?: readonly string[]
  /** Further origins that forms may be sent to. Signing in does not need it: that is a link, not a form. */
  readonly formAction?: readonly string[]
}

/**
 * The value of a `Content-Security-Policy` header for the host's pages (CSP Level 3). Nothing is allowed but what is
 * listed; there is no way to ask for `unsafe-inline`, `unsafe-eval` or a wildcard.
 *
 * @throws AuthError `ERR_CONFIG` for an entry that is not an origin.
 * @example
 * contentSecurityPolicy({ remotes: ['https://cart.example.com'], connect: ['https://api.example.com'] })
 */
export function contentSecurityPolicy(options: ContentSecurityPolicyOptions = {}): string {
  const remotes = origins('remotes', options.remotes, ['https'])
  const connect = origins('connect', options.connect, ['https', 'wss'])
  const formAction = origins('formAction', options.formAction, ['https'])
  const directives: Readonly<Record<string, readonly string[]>> = {
    'default-src': ["'none'"],
    'script-src': ["'self'", ...remotes],
    'connect-src': ["'self'", ...connect, ...remotes],
    'style-src': ["'self'", ...remotes],
    'img-src': ["'self'", 'data:', ...remotes],
    'font-src': ["'self'", ...remotes],
    'manifest-src': ["'self'"],
    'worker-src': ["'self'"],
    'object-src': ["'none'"],
    'base-uri': ["'none'"],
    'form-action': ["'self'", ...formAction],
    'frame-ancestors': ["'none'"],
  }
  return Object.entries(directives)
    .map(([name, sources]) => [name, ...new Set(sources)].join(' '))
    .join('; ')
}

function origins(
  field: keyof ContentSecurityPolicyOptions,
  value: unknown,
  schemes: readonly ('https' | 'wss')[],
): readonly string[] {
  if (value === undefined) return []
  const name = `contentSecurityPolicy({ ${field} })`
  const fix =
    'Write the scheme, the host and the port and nothing else, e.g. "https://cart.example.com"; wildcards, keywords and paths are refused.'
  if (!Array.isArray(value)) throw configError(name, 'a list of origins', value, fix)
  return value.map((entry: unknown, index) => {
    if (isWebOrigin(entry, schemes)) return entry
    throw configError(
      `${name}, entry ${index},`,
      `an origin (${schemes.join(' or ')}; plain only on localhost)`,
      entry,
      fix,
    )
  })
}
