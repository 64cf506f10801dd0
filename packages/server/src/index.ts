/**
 * The server half of the bridge: an OpenID Connect session behind an HttpOnly cookie, and the headers of the host's pages.
 *
 * @module
 */
export { authRoutes } from './auth-routes.ts'
export { contentSecurityPolicy } from './content-security-policy.ts'
export { memoryStore } from './memory-store.ts'
export { securityHeaders } from './security-headers.ts'
export type { AuthLogger, AuthOptions } from './options.ts'
export type { ContentSecurityPolicyOptions } from './content-security-policy.ts'
export type { MemoryStoreOptions } from './memory-store.ts'
export type { SessionStore } from './session-store.ts'
