import type { ReactNode } from 'react'
import type { CookieOnlyState, GateState, MaintenanceState } from './gate-state.ts'

type NoticeState = Exclude<GateState, CookieOnlyState>

/**
 * The accessible default of a gate's state: a live region, which keeps its element from one state to the next, because
 * screen readers tell of changes in a region that they know. A button stands beside it, not in it. Nothing takes the focus.
 */
export function Notice({ state }: { readonly state: NoticeState }): ReactNode {
  const isFault = state.status === 'error' || state.status === 'revoked'
  return (
    <>
      <p
        key={isFault ? 'alert' : 'status'}
        role={isFault ? 'alert' : 'status'}
        aria-live={isFault ? undefined : 'polite'}
        aria-busy={isBusy(state)}
      >
        {textOf(state)}
      </p>
      {state.status === 'maintenance' && (
        <button type="button" onClick={state.retry}>
          Try again
        </button>
      )}
    </>
  )
}

const isBusy = (state: NoticeState): boolean =>
  state.status === 'loading' || (state.status === 'maintenance' && state.retryAfter === 0)

function textOf(state: NoticeState): string {
  switch (state.status) {
    case 'loading':
      return 'Loading the session…'
    case 'signed-out':
      return 'You are signed out.'
    case 'error':
      return `The session could not be loaded (${state.code}).`
    case 'revoked':
      return `This part of the page was disconnected (${state.code}).`
    case 'maintenance':
      return `Sign-in is being maintained. ${nextTry(state)}`
  }
}

function nextTry({ retryAfter }: MaintenanceState): string {
  if (retryAfter === null) return 'This page continues by itself.'
  if (retryAfter === 0) return 'Trying again…'
  return `The next try comes by itself in ${Math.ceil(retryAfter / 1000)} s.`
}
