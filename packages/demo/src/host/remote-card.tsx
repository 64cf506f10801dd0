import { loadRemote } from '@module-federation/runtime'
import { readOnlyStore } from '@token-bridge/redux'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import type { DemoRemote } from '../demo-config.ts'
import type { Mount } from '../remotes/shared/mount-context.ts'
import { useHost } from './host-context.ts'

/** Loads a remote, gives it its own reader, and takes it off the page again. */
export function RemoteCard({ remote }: { readonly remote: DemoRemote }): ReactNode {
  const { bridge, store, config } = useHost()
  const slot = useRef<HTMLDivElement>(null)
  const [failure, setFailure] = useState<string | null>(null)

  useEffect(() => {
    const element = slot.current
    if (element === null) return undefined
    let isGone = false
    let unmount: (() => void) | undefined
    loadRemote<{ readonly mount: Mount }>(`${remote.container}/mount`)
      .then((module) => {
        if (module === null) throw new Error('The remote exposes no mount.')
        if (isGone) return
        unmount = module.mount(element, {
          auth: bridge.reader(remote.name),
          store: readOnlyStore(store),
          apiOrigin: config.apiOrigin,
        })
      })
      .catch((error: unknown) => {
        if (!isGone) setFailure(error instanceof Error ? error.message : 'It could not be loaded.')
      })
    return () => {
      isGone = true
      unmount?.()
    }
  }, [bridge, store, config, remote])

  const title = `remote-${remote.name}-title`
  return (
    <article className="card" aria-labelledby={title} data-testid={`remote-${remote.name}`}>
      <header>
        <h2 id={title}>{remote.name}</h2>
        <span className="bundler" data-bundler={remote.bundler}>
          {remote.bundler}
        </span>
        <p>
          {remote.framework} · <code>{new URL(remote.entry).host}</code>
        </p>
      </header>
      {failure !== null && (
        <p className="fault" role="alert" data-testid={`remote-${remote.name}-error`}>
          {failure}
        </p>
      )}
      <div className="slot" ref={slot} />
    </article>
  )
}
