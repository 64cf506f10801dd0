import type { AuthSnapshot, AuthStatus, TokenReader } from '@token-bridge/core'
import { AuthError } from '@token-bridge/core/errors'
import { initialSnapshot } from '@token-bridge/core/state'
import { useContext, useMemo, useSyncExternalStore } from 'react'
import { ReaderContext } from './reader-context.ts'

/**
 * The reader of this remote.
 *
 * @param reader - used instead of the one that `<AuthProvider>` gives.
 * @throws AuthError `ERR_CONFIG` outside a provider, when no reader is given.
 */
export function useAuthReader(reader?: TokenReader): TokenReader {
  const provided = useContext(ReaderContext)
  const found = reader ?? provided
  // `undefined`, too: a remote without types whose host passed no `auth`.
  if (found === null || found === undefined) {
    throw new AuthError(
      'ERR_CONFIG',
      'No token reader here. Wrap the remote in <AuthProvider reader={auth}>, with the `auth` that the host passes to mount(el, { auth }), or pass the reader to the hook.',
      { phase: 'configure' },
    )
  }
  return found
}

/**
 * The token when it is valid now, else `null`. Renders again on each rotation, and when the token ends.
 *
 * Put it into a request, not into state, an effect's closure or a log: `useAuthFetch()` does that by itself.
 *
 * @param reader - used instead of the one that `<AuthProvider>` gives.
 * @throws AuthError `ERR_CONFIG` outside a provider, when no reader is given.
 */
export function useAuthToken(reader?: TokenReader): string | null {
  const { subscribe, current } = useAuthReader(reader)
  return useSyncExternalStore(subscribe, () => current()?.accessToken ?? null, noToken)
}

/**
 * The bridge's status. Does not render again on a rotation.
 *
 * @param reader - used instead of the one that `<AuthProvider>` gives.
 * @throws AuthError `ERR_CONFIG` outside a provider, when no reader is given.
 */
export function useAuthStatus(reader?: TokenReader): AuthStatus {
  return useAuthSelector(statusOf, reader)
}

/**
 * Something of the token-free snapshot, such as its mode or its error. Renders again when the selected value is another
 * one, compared by `Object.is`: select a part of the snapshot, not an object made for the purpose.
 *
 * @param reader - used instead of the one that `<AuthProvider>` gives.
 * @throws AuthError `ERR_CONFIG` outside a provider, when no reader is given.
 * @example
 * const isCookieOnly = useAuthSelector((auth) => auth.mode === 'cookie-only')
 */
export function useAuthSelector<Selected>(
  selector: (snapshot: AuthSnapshot) => Selected,
  reader?: TokenReader,
): Selected {
  const { subscribe, snapshot } = useAuthReader(reader)
  // React asks more than once and wants the same answer, also of a selector that makes an object.
  const select = useMemo(() => onceFor(selector), [selector])
  return useSyncExternalStore(
    subscribe,
    () => select(snapshot()),
    () => select(initialSnapshot),
  )
}

/**
 * `fetch` that waits for a valid token and signs requests to the allowed origins. It is one function for the reader's
 * life, and never causes a render.
 *
 * @param reader - used instead of the one that `<AuthProvider>` gives.
 * @throws AuthError `ERR_CONFIG` outside a provider, when no reader is given.
 */
export function useAuthFetch(reader?: TokenReader): typeof globalThis.fetch {
  return useAuthReader(reader).fetch
}

// A server has no token: what it renders is the loading state.
const noToken = (): null => null
const statusOf = ({ status }: AuthSnapshot): AuthStatus => status

/** Selects once for each snapshot. */
function onceFor<Selected>(
  selector: (snapshot: AuthSnapshot) => Selected,
): (snapshot: AuthSnapshot) => Selected {
  let last: { readonly snapshot: AuthSnapshot; readonly selected: Selected } | null = null
  return (snapshot) => {
    if (last?.snapshot !== snapshot) last = { snapshot, selected: selector(snapshot) }
    return last.selected
  }
}
