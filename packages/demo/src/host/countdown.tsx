import type { ReactNode } from 'react'
import { useNow } from './use-now.ts'

export interface CountdownProps {
  /** Epoch milliseconds, or `null` when there is no token. */
  readonly expiresAt: number | null
  /** Epoch milliseconds at which the token arrived. */
  readonly since: number
}

const RADIUS = 52
const LENGTH = 2 * Math.PI * RADIUS

/** A ring that empties until the token ends. */
export function Countdown({ expiresAt, since }: CountdownProps): ReactNode {
  const now = useNow()
  const left = expiresAt === null ? 0 : Math.max(0, expiresAt - now)
  const share = expiresAt === null ? 0 : Math.min(1, left / Math.max(1, expiresAt - since))
  const seconds = Math.ceil(left / 1000)
  const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  return (
    <div className="countdown">
      <svg viewBox="0 0 120 120" aria-hidden="true">
        <circle className="track" cx="60" cy="60" r={RADIUS} />
        <circle
          className="rest"
          cx="60"
          cy="60"
          r={RADIUS}
          strokeDasharray={LENGTH}
          strokeDashoffset={LENGTH * (1 - share)}
        />
      </svg>
      <p>
        <strong role="timer" aria-label="Token expires in" data-testid="session-expiry">
          {expiresAt === null ? '–:––' : text}
        </strong>
        <span>{expiresAt === null ? 'no token' : 'until expiry'}</span>
      </p>
    </div>
  )
}
