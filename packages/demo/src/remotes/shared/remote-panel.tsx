import type { AuthSnapshot } from '@token-bridge/core/state'
import type { ReactNode } from 'react'
import type { Answer } from './api-poll.ts'
import { timeOfDay } from './format.ts'

export interface RemotePanelProps {
  readonly name: string
  readonly auth: AuthSnapshot
  readonly answers: readonly Answer[]
  readonly count: number
  readonly onCall: () => void
  readonly children: ReactNode
}

/** What every remote shows of its session and its calls, around what it is there for. */
export function RemotePanel(props: RemotePanelProps): ReactNode {
  const { name, auth, answers, count, onCall, children } = props
  const last = answers[0]
  const id = (part: string): string => `remote-${name}-${part}`
  return (
    <>
      <dl className="facts">
        <div>
          <dt>Status</dt>
          <dd>
            <span className="pill" data-status={auth.status} data-testid={id('status')}>
              {auth.status}
            </span>
          </dd>
        </div>
        <div>
          <dt>Generation</dt>
          <dd className="number flash" key={auth.generation} data-testid={id('generation')}>
            {auth.generation}
          </dd>
        </div>
        <div>
          <dt>Last answer</dt>
          <dd>
            <span
              className="number"
              data-ok={last?.ok}
              data-testid={id('last-answer')}
              data-status={last?.status}
            >
              {last?.status ?? '–'}
            </span>{' '}
            <small>{last === undefined ? '' : timeOfDay(last.at)}</small>
          </dd>
        </div>
      </dl>
      <div className="content" data-testid={id('data')}>
        {children}
      </div>
      <footer className="calls">
        <ol
          className="answers"
          aria-label="Last answers of the API, newest first"
          data-testid={id('answers')}
          data-count={count}
        >
          {answers.map((answer) => (
            <li key={answer.id} data-ok={answer.ok} data-status={answer.status}>
              {answer.status}
            </li>
          ))}
        </ol>
        <button
          type="button"
          className="quiet"
          data-testid={id('call')}
          disabled={auth.expiresAt === null}
          onClick={onCall}
        >
          Call API
        </button>
      </footer>
    </>
  )
}
