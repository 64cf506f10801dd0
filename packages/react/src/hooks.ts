import type { AuthSnapshot, AuthStatus, TokenReader } from '@token-bridge/core'
import { initialSnapshot } from '@token-bridge/core/state'
import { useContext, useSyncExternalStore } from 'react'
import { ReaderContext } from './reader-context.ts'

/**
 * The reader of this remote.
 *
 * @param reader - used instead of the one that `<AuthProvider>` gives.
 * @throws Error outside a provider, when no reader is given.
 */
export function useAuthReader(reader?: TokenReader): TokenReader {
  const provided = useContext(ReaderContext)
  const found = reader ?? provided
  if (found === null) {
    throw new Error(
      'No token reader here. Wrap the remote in <AuthProvider reader={auth}>, with the `auth` that the host passes to mount(el, { auth }), or pass the reader to the hook.',
    )
  }
  return found
}

/** The token when it is valid now, else `null`. Renders again on each rotation, and when the token ends. */
export function useAuthToken(reader?: TokenReader): string | null {
  const { subscribe, current } = useAuthReader(reader)
  return useSyncExternalStore(subscribe, () => current()?.accessToken ?? null, noToken)
}

/** The bridge's status. Does not render again on a rotation. */
export function useAuthStatus(reader?: TokenReader): AuthStatus {
  const { subscribe, snapshot } = useAuthReader(reader)
  return useSyncExternalStore(subscribe, () => snapshot().status, loading)
}

/** `fetch` that waits for a valid token and signs requests to the allowed origins. Never causes a render. */
export function useAuthFetch(reader?: TokenReader): typeof globalThis.fetch {
  return useAuthReader(reader).fetch
}

/** The whole snapshot, for the gate, which has to know the mode and the error too. */
export function useAuthSnapshot(reader?: TokenReader): AuthSnapshot {
  const { subscribe, snapshot } = useAuthReader(reader)
  return useSyncExternalStore(subscribe, snapshot, serverSnapshot)
}

// A server has no token: what it renders is the loading state.
const noToken = (): null => null
const loading = (): AuthStatus => 'loading'
const serverSnapshot = (): AuthSnapshot => initialSnapshot
