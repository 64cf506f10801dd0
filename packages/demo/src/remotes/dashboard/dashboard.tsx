import type { TokenReader } from '@token-bridge/core'
import { AuthProvider } from '@token-bridge/react'
import { useSyncExternalStore, type ReactNode } from 'react'
import { useSelector } from 'react-redux'
import type { DashboardAnswer } from '../../api/data.ts'
import type { ApiPoll } from '../shared/api-poll.ts'
import { fallbacks } from '../shared/fallbacks.tsx'
import { count, money } from '../shared/format.ts'
import type { HostState } from '../shared/mount-context.ts'
import { RemotePanel } from '../shared/remote-panel.tsx'
import { ThreeWays } from './three-ways.tsx'

export interface DashboardProps {
  readonly auth: TokenReader
  readonly poll: ApiPoll<DashboardAnswer>
}

/** Reads the session from the host's Redux store, which it can read and not write. */
export function Dashboard({ auth, poll }: DashboardProps): ReactNode {
  const snapshot = useSelector((state: HostState) => state.auth)
  const { answers, count: calls, data } = useSyncExternalStore(poll.subscribe, poll.state)
  return (
    <RemotePanel
      name="dashboard"
      auth={snapshot}
      answers={answers}
      count={calls}
      onCall={() => void poll.call()}
    >
      <AuthProvider reader={auth} {...fallbacks}>
        {data === null ? <p className="empty">No data yet.</p> : <Figures {...data} />}
        <ThreeWays auth={auth} />
      </AuthProvider>
    </RemotePanel>
  )
}

function Figures({ revenue, visitors, conversion }: DashboardAnswer): ReactNode {
  return (
    <dl className="figures">
      <div>
        <dt>Revenue</dt>
        <dd>{money(revenue)}</dd>
      </div>
      <div>
        <dt>Visitors</dt>
        <dd>{count(visitors)}</dd>
      </div>
      <div>
        <dt>Conversion</dt>
        <dd>{conversion.toFixed(1)} %</dd>
      </div>
    </dl>
  )
}
