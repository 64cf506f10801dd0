/**
 * The server half of the bridge: an OpenID Connect session behind an HttpOnly cookie, and the headers of the host's pages.
 *
 * @module
 */
export { authRoutes } from './auth-routes.ts'
export { contentSecurityPolicy } from './content-security-policy.ts'
export { memoryStore } from './memory-store.ts'
export { redisStore } from './redis-store.ts'
export { securityHeaders } from './security-headers.ts'
export { sqliteStore } from './sqlite-store.ts'
export { violationReports } from './violation-reports.ts'
export type { AuthRoutes } from './auth-routes.ts'
export type { AuthLogger, AuthOptions, LogFields, RateLimit } from './options.ts'
export type { ContentSecurityPolicyOptions } from './content-security-policy.ts'
export type { MemoryStoreOptions } from './memory-store.ts'
export type { RedisCall, RedisClient, RedisStoreOptions } from './redis-store.ts'
export type { Locked, SessionStore } from './session-store.ts'
export type { SqliteStore, SqliteStoreOptions } from './sqlite-store.ts'
export type { NonceVariables, SecurityHeadersOptions } from './security-headers.ts'
export type { PolicyViolation, ViolationReportsOptions } from './violation-reports.ts'
