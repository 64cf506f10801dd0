import { registerGlobalPlugins, registerPlugins } from '@module-federation/runtime'
import { createTokenBridge, pollFlag } from '@token-bridge/core'
import { authGatePlugin, hostContainerPlugin } from '@token-bridge/federation/runtime'
import { readOnlyStore } from '@token-bridge/redux'
import { createRoot } from 'react-dom/client'
import { Provider } from 'react-redux'
import { HOST_NAME, REMOTE_VERSION } from '../build/container-names.ts'
import type { DemoConfig } from '../demo-config.ts'
import { App } from './app.tsx'
import { createEventLog } from './event-log.ts'
import { openHost, type Host } from './current-host.ts'
import { refusedRemote } from './refused-remote.ts'
import { createSignOut } from './sign-out.ts'
import { createHostStore } from './store.ts'

function createHost(config: DemoConfig): Host {
  const flag = pollFlag('/demo/flags.json', 'ENABLE_SECURE_TOKEN_BRIDGE', { interval: 3_000 })

  const bridge = createTokenBridge({
    enabled: flag,
    origins: [config.apiOrigin],
    skewBuffer: config.skewBuffer,
    rotation: { leadTime: config.leadTime, breaker: { cooldown: 10_000 } },
    telemetry: { logger: console },
  })
  const store = createHostStore(bridge)

  // Before the first remote: what a remote imports from the host is answered from memory.
  registerGlobalPlugins([
    hostContainerPlugin({
      name: HOST_NAME,
      modules: { './auth-bridge': () => ({ tokenBridge: bridge.reader('auth-bridge') }) },
    }),
  ])
  // From here on nothing of a remote runs that is not in the signed list of its build.
  registerPlugins([
    authGatePlugin(bridge, {
      trust: {
        keys: config.keys,
        remotes: Object.fromEntries(
          config.remotes.map(({ name, container, entry }) => [
            container,
            { entry, minVersion: REMOTE_VERSION, reader: name },
          ]),
        ),
      },
      fallback: refusedRemote,
    }),
  ])
  return {
    bridge,
    store,
    config,
    flag,
    log: createEventLog(bridge),
    signOut: createSignOut(bridge),
  }
}

/** Shows the host. */
export function start(config: DemoConfig): void {
  const element = document.querySelector('#app')
  if (element === null) throw new Error('The page has no #app.')
  const host = createHost(config)
  openHost(host)
  createRoot(element).render(
    // The host's components only read. What a provider holds, a remote can reach.
    <Provider store={readOnlyStore(host.store)}>
      <App />
    </Provider>,
  )
}
