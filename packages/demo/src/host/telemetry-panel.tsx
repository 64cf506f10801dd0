import type { ReactNode } from 'react'
import { currentHost } from './current-host.ts'
import { useNow } from './use-now.ts'

/** The bridge's own counters, as an operator would have them. */
export function TelemetryPanel(): ReactNode {
  const { bridge } = currentHost()
  // Some sink as time passes, with no event to tell it.
  useNow()
  const { metrics } = bridge
  const figures = [
    ['requests', 'Requests', String(metrics.requests)],
    ['joined-calls', 'Duplicates avoided', String(metrics.joinedCalls)],
    ['latency', 'Last refresh', latency(metrics.refreshLatency?.last)],
    ['unauthorized', '401s', String(metrics.unauthorized)],
    ['desync', 'Desync rate', `${(metrics.desyncRate * 100).toFixed(1)} %`],
    ['circuit', 'Circuit', metrics.circuitOpen ? 'open' : 'closed'],
    ['mounted', 'Remotes mounted', String(metrics.remotesMounted)],
  ] as const
  return (
    <section className="telemetry" aria-labelledby="telemetry-title">
      <h2 id="telemetry-title">Telemetry</h2>
      <dl>
        {figures.map(([id, name, value]) => (
          <div key={id}>
            <dt>{name}</dt>
            <dd data-testid={`telemetry-${id}`}>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

const latency = (milliseconds: number | undefined): string =>
  milliseconds === undefined ? '–' : `${Math.round(milliseconds)} ms`
