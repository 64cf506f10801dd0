import { useState, type ReactNode } from 'react'
import { useSelector } from 'react-redux'
import { currentHost } from './current-host.ts'
import type { HostState } from './store.ts'

type Leaving = 'no' | 'yes' | 'failed'

export function PageHeader(): ReactNode {
  const { signOut } = currentHost()
  const status = useSelector((state: HostState) => state.auth.status)
  const [leaving, setLeaving] = useState<Leaving>('no')
  const leave = (): void => {
    setLeaving('yes')
    signOut().catch(() => setLeaving('failed'))
  }
  return (
    <header className="top">
      <img src="/favicon.svg" alt="" width="40" height="40" />
      <div>
        <h1>Secure Token Bridge</h1>
        <p>One session, three remotes, three bundlers. The token stays in memory, read-only.</p>
        {leaving === 'failed' && (
          <p className="fault" role="alert" data-testid="sign-out-failed">
            The server could not be told: its session goes on. Reload the page and sign out again.
          </p>
        )}
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
          disabled={leaving === 'yes' || status === 'loading'}
          onClick={leave}
        >
          Sign out
        </button>
      )}
    </header>
  )
}
