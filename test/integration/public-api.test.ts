import { describe, expect, it } from 'vitest'

/** Every runtime name that a package exports. A name that comes or goes is a public change: it shows here. */
const PUBLIC: Readonly<Record<string, readonly string[]>> = {
  '@token-bridge/cli': ['doctor', 'keygen'],
  '@token-bridge/core': [
    'AuthError',
    'SecureTokenBridge',
    'TokenRejectedError',
    'createTokenBridge',
    'initialSnapshot',
    'isAuthError',
    'openFeatureFlag',
    'pollFlag',
    'reduce',
    'syncEndpoint',
  ],
  '@token-bridge/core/errors': [
    'AuthError',
    'ReadOnlyStoreError',
    'TokenRejectedError',
    'isAuthError',
  ],
  '@token-bridge/core/jwt': ['jwtVerifier'],
  '@token-bridge/core/otel': ['openTelemetrySink'],
  '@token-bridge/core/selectors': ['createAuthSelectors'],
  '@token-bridge/core/state': ['initialSnapshot', 'reduce'],
  '@token-bridge/core/store-view': [
    'createMarks',
    'createRefusals',
    'createStoreView',
    'harmless',
    'isSnapshot',
  ],
  '@token-bridge/core/wire': ['SYNC_HEADER', 'SYNC_VERSION', 'parseSyncAnswer', 'parseSyncRequest'],
  '@token-bridge/redux': [
    'ReadOnlyStoreError',
    'authEnhancer',
    'authMiddleware',
    'authReducer',
    'authReset',
    'authSlice',
    'createAuthSelectors',
    'readOnlyStore',
    'statusChanged',
    'tokenRotated',
  ],
  '@token-bridge/zustand': [
    'ReadOnlyStoreError',
    'createAuthSelectors',
    'createAuthStore',
    'readOnlyStore',
    'withAuth',
  ],
  '@token-bridge/react': [
    'AuthGate',
    'AuthProvider',
    'RemoteBoundary',
    'useAuthFetch',
    'useAuthReader',
    'useAuthSelector',
    'useAuthStatus',
    'useAuthToken',
  ],
  '@token-bridge/federation/config': ['sharedSingletons', 'sharing'],
  '@token-bridge/federation/runtime': [
    'authGatePlugin',
    'createStorageGuard',
    'hostContainerPlugin',
    'inspectShareScope',
    'loadGatedRemote',
  ],
  '@token-bridge/federation/trusted-types': ['trustScripts'],
  '@token-bridge/server': [
    'authRoutes',
    'contentSecurityPolicy',
    'memoryStore',
    'redisStore',
    'securityHeaders',
    'sqliteStore',
    'violationReports',
  ],
  '@token-bridge/server/testing': ['sessionStoreContract'],
  '@token-bridge/testing': ['adapterContract', 'createFakeAuthority', 'createFakeReader'],
  '@token-bridge/testing/msw': ['authHandlers'],
}

describe('the public API', () => {
  it.each(Object.entries(PUBLIC))('of %s is what is written here', async (entry, names) => {
    const module = (await import(entry)) as Record<string, unknown>
    expect(Object.keys(module).toSorted()).toEqual(names)
  })
})
