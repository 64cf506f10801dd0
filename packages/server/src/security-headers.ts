import type { MiddlewareHandler } from 'hono'
import {
  contentSecurityPolicy,
  type ContentSecurityPolicyOptions,
} from './content-security-policy.ts'

/**
 * Middleware that sends the security headers of the host's pages: the policy of {@link contentSecurityPolicy}, nosniff,
 * no referrer, an own browsing context group (COOP), and no camera, microphone or location.
 *
 * A header that a route has set itself is left alone: the auth routes' own pages have a stricter policy.
 *
 * @throws AuthError `ERR_CONFIG`, at construction.
 * @example
 * app.use(securityHeaders({ remotes: ['https://cart.example.com'] }))
 */
export function securityHeaders(options: ContentSecurityPolicyOptions = {}): MiddlewareHandler {
  const headers: Readonly<Record<string, string>> = {
    'Content-Security-Policy': contentSecurityPolicy(options),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  }

  return async (c, next) => {
    await next()
    for (const [name, value] of Object.entries(headers)) {
      if (!c.res.headers.has(name)) c.header(name, value)
    }
  }
}
