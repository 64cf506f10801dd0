import type { AuthFallbacks } from '@token-bridge/react'

/** What the React remotes show in place of their data. */
export const fallbacks: AuthFallbacks = {
  loading: (
    <p className="empty" role="status">
      Waiting for the session…
    </p>
  ),
  signedOut: (
    <p className="empty" role="status">
      Signed out. Nothing is kept here.
    </p>
  ),
  maintenance: (
    <p className="empty" role="status">
      Sign-in is being maintained. This continues by itself.
    </p>
  ),
  error: ({ code }: { readonly code: string }) => (
    <p className="empty" role="alert">
      No session ({code}).
    </p>
  ),
}
