import { useSyncExternalStore, type ReactNode } from 'react'
import { timeOfDay } from '../remotes/shared/format.ts'
import { describeEvent } from './describe-event.ts'
import { currentHost } from './current-host.ts'

/** What the bridge reported, newest first. */
export function ActivityLog(): ReactNode {
  const { log } = currentHost()
  const entries = useSyncExternalStore(log.subscribe, log.entries)
  return (
    <section className="activity" aria-labelledby="activity-title">
      <h2 id="activity-title">Events</h2>
      <p className="hint">
        From <code>bridge.events$</code>. No event, state or action ever holds the token.
      </p>
      <ol data-testid="event-log" aria-live="polite">
        {entries.length === 0 && <li className="empty">Nothing yet.</li>}
        {entries.map(({ id, event }) => (
          <li key={id} data-type={event.type}>
            <time>{timeOfDay(event.at)}</time>
            <span className="type">{event.type}</span>
            <span>{describeEvent(event)}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}
