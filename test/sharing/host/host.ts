/** The host's page: the tests drive it by `window.host`. */
import { loadRemote, registerGlobalPlugins, registerRemotes } from '@module-federation/runtime'
import { createTokenBridge } from '@token-bridge/core'
import {
  hostContainerPlugin,
  inspectShareScope,
  loadGatedRemote,
  type ShareFinding,
} from '@token-bridge/federation/runtime'
import { AuthProvider, useAuthToken } from '@token-bridge/react'
import { createElement, useState, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import type { Mount, Mounted, Panel } from '../remote/mount.ts'

/** What the tests call. */
export interface SharingHost {
  /** Loads what a remote exposes and mounts it with a reader of its own. Resolves with what its element shows. */
  mount(container: string, expose: string): Promise<string>
  /** Renders a remote's component in a tree of the host. Resolves with what it shows. */
  render(container: string, way: 'by a prop' | 'by the provider'): Promise<string>
  shown(container: string, expose: string): string
  /** What a mounted remote has got hold of. */
  report(container: string, expose: string): Record<string, unknown>
  /** Whether its hooks are the host's own. */
  sharesReact(container: string): boolean
  rotate(): Promise<void>
  revoke(container: string): void
  inspect(): readonly ShareFinding[]
}

interface Site {
  readonly container: string
  readonly entry: string
  readonly type: 'var' | 'module'
}

let issued = 0
const bridge = createTokenBridge({
  source: async () => ({ accessToken: `token-${++issued}`, expiresAt: Date.now() + 3_600_000 }),
  origins: [location.origin],
  tabs: false,
  telemetry: { logger: { info() {}, warn() {}, error() {} } },
})
registerGlobalPlugins([
  hostContainerPlugin({
    name: 'host_app',
    modules: { './auth-bridge': () => ({ tokenBridge: bridge.reader('auth-bridge') }) },
  }),
])
const sites = (await (await fetch('/sites.json')).json()) as readonly Site[]
registerRemotes(sites.map(({ container, entry, type }) => ({ name: container, entry, type })))

/** React renders later; a second React never does. */
async function rendered(element: HTMLElement): Promise<string> {
  for (let wait = 0; wait < 40 && element.textContent === ''; wait++)
    await new Promise((done) => setTimeout(done, 50))
  return element.textContent ?? ''
}

const mounted = new Map<string, { readonly element: HTMLElement; readonly remote: Mounted }>()
const at = (container: string, expose: string) => {
  const found = mounted.get(`${container}/${expose}`)
  if (found === undefined) throw new Error(`${container}/${expose} is not mounted.`)
  return found
}

const host: SharingHost = {
  async mount(container, expose) {
    const element = document.body.appendChild(document.createElement('div'))
    try {
      await loadGatedRemote(bridge, container, async () => {
        const module = await loadRemote<{ readonly mount: Mount }>(`${container}/${expose}`)
        if (module === null) throw new Error('It exposes no mount.')
        const remote = module.mount(element, { auth: bridge.reader(container) })
        mounted.set(`${container}/${expose}`, { element, remote })
      })
    } catch (error) {
      return `failed: ${error instanceof Error ? error.message : String(error)}`
    }
    return rendered(element)
  },
  async render(container, way) {
    const element = document.body.appendChild(document.createElement('div'))
    const module = await loadRemote<{ readonly Panel: typeof Panel }>(`${container}/mount`)
    if (module === null) throw new Error('It exposes no mount.')
    const reader = bridge.reader(container)
    createRoot(element).render(
      way === 'by a prop'
        ? createElement(module.Panel, { auth: reader })
        : createElement(AuthProvider, { reader }, createElement(module.Panel)),
    )
    return rendered(element)
  },
  shown: (container, expose) => at(container, expose).element.textContent ?? '',
  report: (container, expose) => at(container, expose).remote.report(),
  sharesReact: (container) => at(container, 'mount').remote.report()['useState'] === useState,
  async rotate() {
    await bridge.rotate()
  },
  revoke: (container) => bridge.revoke(container),
  inspect: () => inspectShareScope(),
}

/** The host uses its React itself, with the hooks that remotes use. */
function Host(): ReactNode {
  return createElement('p', { id: 'host' }, `host ${useAuthToken() ?? 'without a token'}`)
}
createRoot(document.body.appendChild(document.createElement('div'))).render(
  createElement(AuthProvider, { reader: bridge.reader('host') }, createElement(Host)),
)
Object.assign(globalThis, { host })
