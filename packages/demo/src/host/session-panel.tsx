import { useSyncExternalStore, type ReactNode } from 'react'
import { useSelector } from 'react-redux'
import { Countdown } from './countdown.tsx'
import { currentHost } from './current-host.ts'
import { SessionControls } from './session-controls.tsx'
import type { HostState } from './store.ts'

/** The session as the host's store knows it. The store holds no token, and neither does this. */
export function SessionPanel(): ReactNode {
  const { bridge, log } = currentHost()
  const auth = useSelector((state: HostState) => state.auth)
  const entries = useSyncExternalStore(log.subscribe, log.entries)
  const rotated = entries.find(({ event }) => event.type === 'token-rotated')
  return (
    <section className="session" aria-labelledby="session-title">
      <Countdown expiresAt={auth.expiresAt} since={rotated?.event.at ?? 0} />
      <div className="state">
        <h2 id="session-title">
          Session{' '}
          <span className="pill" data-status={auth.status} data-testid="session-status">
            {auth.status}
          </span>
        </h2>
        <dl className="facts wide">
          <div>
            <dt>Generation</dt>
            <dd className="number flash" key={auth.generation} data-testid="session-generation">
              {auth.generation}
            </dd>
          </div>
          <div>
            <dt>Rotations</dt>
            <dd className="number" data-testid="session-rotations">
              {bridge.metrics.rotations}
            </dd>
          </div>
          <div>
            <dt>Mode</dt>
            <dd className="number" data-testid="session-mode">
              {auth.mode}
            </dd>
          </div>
        </dl>
        <p className="fault" role="status" data-testid="session-error">
          {auth.error === null ? '' : `${auth.error.code} · ${auth.error.message}`}
        </p>
      </div>
      <SessionControls />
    </section>
  )
}
