import type {
  AuthErrorCode,
  AuthFault,
  AuthSnapshot,
  AuthStatus,
  BridgeMode,
} from '@token-bridge/core'
import {
  AuthGate,
  AuthProvider,
  RemoteBoundary,
  useAuthFetch,
  useAuthSelector,
  useAuthStatus,
  useAuthToken,
  type AuthProviderProps,
  type GateState,
} from '@token-bridge/react'
import { expectTypeOf, it } from 'vitest'
import { setUp } from './react.test.support.tsx'

const { reader, bridge } = setUp()

it('hooks give what they say, with no annotation', () => {
  expectTypeOf(useAuthToken).returns.toEqualTypeOf<string | null>()
  expectTypeOf(useAuthStatus).returns.toEqualTypeOf<AuthStatus>()
  expectTypeOf(useAuthFetch).returns.toEqualTypeOf<typeof globalThis.fetch>()
  expectTypeOf(() => useAuthSelector((auth) => auth.mode)).returns.toEqualTypeOf<BridgeMode>()
  expectTypeOf(() => useAuthSelector((auth) => auth.error?.code, reader)).returns.toEqualTypeOf<
    AuthErrorCode | undefined
  >()
  // @ts-expect-error the snapshot never holds the token
  expectTypeOf((auth: AuthSnapshot) => auth.accessToken).not.toBeNever()
})

it('fallbacks know their state', () => {
  const provider = (
    <AuthProvider
      reader={reader}
      loading={(state) => state.status}
      error={({ status, code }) => `${status satisfies 'error' | 'revoked'} ${code}`}
      maintenance={({ retry, retryAfter }) => (
        <button onClick={retry}>{retryAfter satisfies number | null}</button>
      )}
      signedOut={null}
      revoked="text"
      cookieOnly={({ error }) => (error satisfies AuthFault | null)?.code}
    />
  )
  expectTypeOf(provider).not.toBeAny()
  // @ts-expect-error a signed-out state has no code
  void (<AuthGate signedOut={({ code }) => code} />)
  // @ts-expect-error there is no such state
  void (<AuthGate offline={null} />)
})

it('a provider needs a reader, and a gate does not', () => {
  // @ts-expect-error no reader
  void (<AuthProvider />)
  void (<AuthGate />)
  expectTypeOf<AuthProviderProps['reader']>().toEqualTypeOf(reader)
})

it('the states are told apart by their status', () => {
  expectTypeOf<GateState['status']>().toEqualTypeOf<
    'loading' | 'error' | 'revoked' | 'maintenance' | 'signed-out' | 'cookie-only'
  >()
  expectTypeOf<Extract<GateState, { status: 'maintenance' }>>().toHaveProperty('retry')
})

it('a boundary takes a function, and never the bridge', () => {
  const report = (remote: string, failure?: string) => bridge.reportMount(remote, failure)
  expectTypeOf(
    <RemoteBoundary remote="orders" report={report} fallback={({ code }) => code} />,
  ).not.toBeAny()
  // @ts-expect-error the bridge would be within a remote's reach
  void (<RemoteBoundary remote="orders" bridge={bridge} />)
  // @ts-expect-error the error itself is not handed out
  void (<RemoteBoundary remote="orders" report={report} fallback={({ error }) => error} />)
})
