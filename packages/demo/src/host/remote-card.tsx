import { loadRemote } from '@module-federation/runtime'
import type { AuthSnapshot } from '@token-bridge/core'
import { loadGatedRemote } from '@token-bridge/federation/runtime'
import { readOnlyStore } from '@token-bridge/redux'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useSelector } from 'react-redux'
import type { DemoRemote } from '../demo-config.ts'
import type { Mount } from '../remotes/shared/mount-context.ts'
import { currentHost } from './current-host.ts'
import type { HostState } from './store.ts'

type Phase =
  | { readonly name: 'waiting' | 'loading' | 'mounted' }
  | { readonly name: 'failed'; readonly message: string }

/** Loads a remote when the session is settled, gives it its own reader, and takes it off the page again. */
export function RemoteCard({ remote }: { readonly remote: DemoRemote }): ReactNode {
  const auth = useSelector((state: HostState) => state.auth)
  const slot = useRef<HTMLDivElement>(null)
  const [phase, setPhase] = useState<Phase>({ name: 'waiting' })

  useEffect(() => {
    const element = slot.current
    if (element === null) return undefined
    const { bridge, store, config } = currentHost()
    const life = new AbortController()
    const { signal } = life
    let unmount: (() => void) | undefined
    const load = async (): Promise<void> => {
      setPhase({ name: 'loading' })
      const module = await loadRemote<{ readonly mount: Mount }>(`${remote.container}/mount`)
      if (module === null) throw new Error('The remote exposes no mount.')
      signal.throwIfAborted()
      unmount = module.mount(element, {
        auth: bridge.reader(remote.name),
        store: readOnlyStore(store, { bridge, remote: remote.name }),
        apiOrigin: config.apiOrigin,
      })
    }
    loadGatedRemote(bridge, remote.name, load, { signal }).then(
      () => setPhase({ name: 'mounted' }),
      (error: unknown) => {
        if (signal.aborted) return
        const message = error instanceof Error ? error.message : 'It could not be loaded.'
        setPhase({ name: 'failed', message })
      },
    )
    return () => {
      life.abort()
      unmount?.()
    }
  }, [remote])

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
      {phase.name === 'failed' && (
        <p className="fault" role="alert" data-testid={`remote-${remote.name}-error`}>
          {phase.message}
        </p>
      )}
      {(phase.name === 'waiting' || phase.name === 'loading') && (
        <p className="empty" role="status" data-testid={`remote-${remote.name}-placeholder`}>
          {phase.name === 'loading' ? 'Loading…' : whyNotLoaded(auth)}
        </p>
      )}
      <div className="slot" ref={slot} />
    </article>
  )
}

/** Why the remote is not loaded yet, and what will change that. */
function whyNotLoaded({ mode, status, error }: AuthSnapshot): string {
  if (mode === 'cookie-only') return 'Cookie-only: not loaded until the bridge is back.'
  switch (status) {
    case 'signed-out':
      return 'Signed out: loaded after sign-in.'
    case 'maintenance':
      return 'Sign-in is being maintained: loaded when it is back.'
    case 'error':
      return `No session yet (${error?.code ?? 'unknown'}): loaded when there is one.`
    case 'loading':
    case 'ready':
      return 'Waiting for the session…'
  }
}
