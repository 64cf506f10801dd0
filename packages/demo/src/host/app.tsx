import type { ReactNode } from 'react'
import { ActivityLog } from './activity-log.tsx'
import { currentHost } from './current-host.ts'
import { PageHeader } from './page-header.tsx'
import { RemoteCard } from './remote-card.tsx'
import { SessionPanel } from './session-panel.tsx'
import { TelemetryPanel } from './telemetry-panel.tsx'

export function App(): ReactNode {
  const { config } = currentHost()
  return (
    <>
      <PageHeader />
      <main>
        <SessionPanel />
        <section className="remotes" aria-label="Remotes">
          {config.remotes.map((remote) => (
            <RemoteCard key={remote.name} remote={remote} />
          ))}
        </section>
        <TelemetryPanel />
        <ActivityLog />
      </main>
    </>
  )
}
