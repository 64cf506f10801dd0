import type { TokenReader } from '@token-bridge/core'
import { useAuthToken } from '@token-bridge/react'
import { createAuthSelectors } from '@token-bridge/redux'
import { tokenBridge } from 'host_app/auth-bridge'
import { useMemo, type ReactNode } from 'react'
import { useSelector } from 'react-redux'

/** The hook, the selector and the guide's import, side by side: they hold the same token at every moment. */
export function ThreeWays({ auth }: { readonly auth: TokenReader }): ReactNode {
  const { selectAuthToken } = useMemo(() => createAuthSelectors(auth), [auth])
  const byHook = useAuthToken()
  const bySelector = useSelector(selectAuthToken)
  const byImport = tokenBridge.current()?.accessToken ?? null
  if (byHook === null) return null
  const agrees = byHook === bySelector && byHook === byImport
  return (
    <p className="note" data-testid="remote-dashboard-auth-bridge" data-agrees={agrees}>
      {agrees ? '✓ one token by ' : '✗ different tokens by '}
      <code>useAuthToken()</code>, <code>useSelector(selectAuthToken)</code> and{' '}
      <code>host_app/auth-bridge</code>
    </p>
  )
}
