import type { AuthSnapshot, TokenReader } from '@token-bridge/core'
import { isAuthError } from '@token-bridge/core/errors'
import { useState, type ReactNode } from 'react'
import {
  gateState,
  hasToken,
  type CookieOnlyState,
  type ErrorState,
  type GateState,
  type LoadingState,
  type MaintenanceState,
  type Retry,
  type RevokedState,
  type SignedOutState,
} from './gate-state.ts'
import { useAuthReader, useAuthSelector } from './hooks.ts'
import { Kept } from './kept.tsx'
import { Notice } from './notice.tsx'
import { ReaderContext } from './reader-context.ts'
import { useRestorations } from './restorations.ts'

/** What stands in place of the children: a node, or a function of the state that makes one. */
export type Fallback<State extends GateState> = ReactNode | ((state: State) => ReactNode)

/** What stands in place of the children while there is no token. Each has an accessible default. */
export interface AuthFallbacks {
  readonly loading?: Fallback<LoadingState>
  /** Also for a revoked reader, unless `revoked` is given. */
  readonly error?: Fallback<ErrorState | RevokedState>
  readonly maintenance?: Fallback<MaintenanceState>
  readonly signedOut?: Fallback<SignedOutState>
  readonly revoked?: Fallback<RevokedState>
  /** Default: the children, which need no token where `useAuthFetch()` sends the cookie. */
  readonly cookieOnly?: Fallback<CookieOnlyState>
}

/** What a gate renders, and by which reader. */
export interface AuthGateProps extends AuthFallbacks {
  /** Used instead of the one that `<AuthProvider>` gives, by the gate and by the hooks of what it renders. */
  readonly reader?: TokenReader | undefined
  readonly children?: ReactNode
}

/**
 * Shows its children while there is a valid token, and says what is the matter while there is none.
 *
 * Children that were shown are kept while the same session has no token for a while: they are hidden, and come back with all
 * that was typed into them. When the session ends, the reader is revoked or the page comes out of the back/forward cache they
 * are removed.
 *
 * It renders states and never throws a promise. The defaults are live regions that take no focus; the one of maintenance
 * has a button that asks for a try now. A rotation does not render it again.
 *
 * @throws AuthError `ERR_CONFIG` outside a provider, when no reader is given.
 * @example
 * <AuthGate signedOut={<SignIn />} maintenance={({ retry }) => <Outage onRetry={retry} />}>
 *   <Orders />
 * </AuthGate>
 */
export function AuthGate({ reader, children, ...fallbacks }: AuthGateProps): ReactNode {
  const found = useAuthReader(reader)
  const snapshot = useAuthSelector(closedBy, found)
  const retry = useRetry(found, snapshot)
  const state = snapshot === null ? null : gateState(snapshot, retry)
  const own = state === null ? undefined : rendered(state, fallbacks)
  // There are no tokens to wait for: the gate is open, unless the app has something else to show.
  const closed = state?.status === 'cookie-only' && own === undefined ? null : state
  const isKept = useKept(found, closed)
  return (
    <ReaderContext.Provider value={found}>
      {own === undefined ? <Notice state={closed} /> : own}
      {isKept && <Kept isHidden={closed !== null}>{children}</Kept>}
    </ReaderContext.Provider>
  )
}

/**
 * Whether the children are there: shown while the gate is open, and kept by one that has closed on the session which it was
 * opened in. A page that was restored asks whose session it is, so it keeps nothing of the one before.
 */
function useKept(reader: TokenReader, closed: GateState | null): boolean {
  const restorations = useRestorations()
  const [opened, setOpened] = useState<{
    readonly reader: TokenReader
    readonly restorations: number
  } | null>(null)
  const isSame = opened?.reader === reader
  if (closed === null) {
    // Not when the page was restored: who is told of that first, the gate or the bridge, is not for the gate to know.
    if (!isSame) setOpened({ reader, restorations })
    return true
  }
  const isKept = isSame && opened.restorations === restorations && isPassing(closed)
  if (opened !== null && !isKept) setOpened(null)
  return isKept
}

/** Nobody has said that the session is over. */
const isPassing = ({ status }: GateState): boolean =>
  status === 'loading' || status === 'error' || status === 'maintenance'

/** The snapshot that keeps the gate closed; `null` for all of those that open it. */
const closedBy = (snapshot: AuthSnapshot): AuthSnapshot | null =>
  hasToken(snapshot) ? null : snapshot

/** The app's own fallback for a state; `undefined` when it has none. `null` is one: it shows nothing. */
function rendered(state: GateState, fallbacks: AuthFallbacks): ReactNode {
  switch (state.status) {
    case 'loading':
      return fill(fallbacks.loading, state)
    case 'error':
      return fill(fallbacks.error, state)
    case 'revoked':
      return fill(fallbacks.revoked === undefined ? fallbacks.error : fallbacks.revoked, state)
    case 'maintenance':
      return fill(fallbacks.maintenance, state)
    case 'signed-out':
      return fill(fallbacks.signedOut, state)
    case 'cookie-only':
      return fill(fallbacks.cookieOnly, state)
  }
}

const fill = <State extends GateState>(fallback: Fallback<State>, state: State): ReactNode =>
  typeof fallback === 'function' ? fallback(state) : fallback

/** A reader cannot rotate. What it can do is ask for a token: that wakes the bridge, whose breaker then decides. */
function useRetry(reader: TokenReader, snapshot: AuthSnapshot | null): Retry {
  const [asked, setAsked] = useState<{
    readonly snapshot: AuthSnapshot
    readonly retryAfter: number
  } | null>(null)
  return {
    // Each failure brings a snapshot of its own, so what was said of the one before is over with it.
    retryAfter: asked?.snapshot === snapshot ? (asked?.retryAfter ?? null) : null,
    retry() {
      const before = reader.snapshot()
      reader.ready().catch((error: unknown) => {
        if (isAuthError(error, 'ERR_MAINTENANCE'))
          setAsked({ snapshot: before, retryAfter: error.retryAfter ?? 0 })
      })
    },
  }
}
