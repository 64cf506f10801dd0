/** The host's page: the tests drive it by `window.trustHost`. */
import { loadRemote, registerPlugins } from '@module-federation/runtime'
import { createTokenBridge, type BridgeEvent } from '@token-bridge/core'
import { authGatePlugin, loadGatedRemote, type RemoteTrust } from '@token-bridge/federation/runtime'
import { trustScripts } from '@token-bridge/federation/trusted-types'
import { produce } from 'immer'

interface Mounted {
  more(): Promise<string>
}
interface Remote {
  mount(element: HTMLElement): Mounted
}

/** What the tests call. */
export interface TrustHost {
  readonly events: BridgeEvent[]
  signIn(): void
  /** Loads and mounts a remote; resolves with what its element shows, or with the code of the error. */
  load(container: string): Promise<string>
  /** Loads a remote as whoever does not use `loadGatedRemote`. */
  loadBare(container: string): Promise<boolean>
  /** Loads the remote's second chunk. */
  more(container: string): Promise<string>
}

const trust = (await (await fetch('/trust.json')).json()) as RemoteTrust
trustScripts(Object.values(trust.remotes).map(({ entry }) => new URL(entry).origin))

const events: BridgeEvent[] = []
const payload = () => ({ accessToken: 'token', expiresAt: Date.now() + 3_600_000 })
const isSignedOut = location.hash === '#signed-out'
const bridge = createTokenBridge({
  source: async () => (isSignedOut ? null : payload()),
  origins: [location.origin],
  tabs: false,
  telemetry: { logger: { info() {}, warn() {}, error() {} } },
})
bridge.events$.subscribe((event) => events.push(event))
registerPlugins([
  authGatePlugin(bridge, {
    trust,
    fallback: ({ remote, error }) => ({
      mount(element: HTMLElement) {
        element.textContent = `${remote} is not available: ${error.code}`
      },
    }),
  }),
])

const mounted = new Map<string, Mounted>()
const host: TrustHost = {
  events,
  signIn: () => bridge.updateToken(payload()),
  async load(container) {
    const element = document.body.appendChild(document.createElement('div'))
    element.id = container
    try {
      await loadGatedRemote(bridge, container.replace('remote_', ''), async () => {
        const remote = await loadRemote<Remote>(`${container}/mount`)
        if (remote !== null) mounted.set(container, remote.mount(element))
      })
      return element.textContent
    } catch (error) {
      return (error as { code?: string }).code ?? String(error)
    }
  },
  loadBare: async (container) => (await loadRemote(`${container}/mount`)) !== null,
  async more(container) {
    const loading = mounted.get(container)?.more() ?? Promise.reject(new Error('not mounted'))
    return loading.catch((error: unknown) => `failed: ${String(error).slice(0, 60)}`)
  },
}
// The host uses its share of the scope itself.
Object.assign(window, { trustHost: host, produce })
