import type { ReactNode } from 'react'
import type { GateState, MaintenanceState } from './gate-state.ts'

/**
 * The accessible default of a gate's state. The polite region is there from the beginning, empty while there is nothing to
 * say, because screen readers tell of changes in a region that they know; an alert they tell of when it appears. A button
 * stands beside the region, not in it. Nothing takes the focus.
 *
 * @param state - `null` while the gate is open.
 */
export function Notice({ state }: { readonly state: GateState | null }): ReactNode {
  const isFault = state?.status === 'error' || state?.status === 'revoked'
  const text = textOf(state)
  const isSilent = isFault || text === ''
  return (
    <>
      <p role="status" aria-live="polite" style={isSilent ? OUT_OF_FLOW : undefined}>
        {isSilent ? null : text}
      </p>
      {isFault && <p role="alert">{text}</p>}
      {state?.status === 'maintenance' && (
        <button type="button" onClick={state.retry}>
          Try again
        </button>
      )}
    </>
  )
}

/** An empty region takes no place: no margin, and no gap of a grid. */
const OUT_OF_FLOW = { position: 'absolute' } as const

function textOf(state: GateState | null): string {
  switch (state?.status) {
    case undefined:
    case 'cookie-only':
      return ''
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

/** No countdown: nobody would want each second of it read out. */
function nextTry({ retryAfter }: MaintenanceState): string {
  if (retryAfter === null) return 'This page continues by itself.'
  if (retryAfter === 0) return 'Trying again…'
  return 'It is too early for another try. This page continues by itself.'
}
