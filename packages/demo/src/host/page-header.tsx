import { useState, type ReactNode } from 'react'
import { useSelector } from 'react-redux'
import { useHost } from './host-context.ts'
import { signOut } from './sign-out.ts'
import type { HostState } from './store.ts'

export function PageHeader(): ReactNode {
  const { bridge } = useHost()
  const status = useSelector((state: HostState) => state.auth.status)
  const [isLeaving, setLeaving] = useState(false)
  const leave = (): void => {
    setLeaving(true)
    signOut(bridge).catch(() => setLeaving(false))
  }
  return (
    <header className="top">
      <img src="/favicon.svg" alt="" width="40" height="40" />
      <div>
        <h1>Secure Token Bridge</h1>
        <p>One session, three remotes, three bundlers. The token stays in memory, read-only.</p>
      </div>
      {status === 'signed-out' ? (
        <a className="button" href="/api/auth/login?returnTo=/" data-testid="sign-in">
          Sign in
        </a>
      ) : (
        <button
          type="button"
          className="quiet"
          data-testid="sign-out"
          disabled={isLeaving || status === 'loading'}
          onClick={leave}
        >
          Sign out
        </button>
      )}
    </header>
  )
}
