import type { ModuleFederationRuntimePlugin } from '@module-federation/runtime'
import { AuthError } from '@token-bridge/core/errors'
import { createGate, type Fallback, type Gate, type GateBridge } from './gate.ts'
import { isTakenOver, takeOver } from './page-federation.ts'
import { sealInstance } from './seal-instance.ts'
import { checkTrust, refuse, type RemoteTrust } from './trusted-remotes.ts'

/** Whom the gate lets in, and what stands in for the others. */
export interface AuthGateOptions {
  readonly trust: RemoteTrust
  /**
   * Makes what `loadRemote` resolves with in place of a refused module, such as `{ mount }`. Without it `loadRemote`
   * rejects with the refusal. Not called for a remote that could not be reached.
   */
  readonly fallback?: Fallback
}

/**
 * Returns the Module Federation runtime plugin that decides which code runs in the host's page. Register it on the host's
 * instance before anything is loaded; it registers the remotes it knows itself, and puts itself into every other instance.
 *
 * For each remote that `trust` names it waits until the session is settled, fetches the signed list beside the entry,
 * verifies it, and loads the entry, and from then on every chunk and stylesheet, in a way that makes the browser check
 * the bytes it runs against the list. What `trust` does not name is not loaded. A refusal is reported to the bridge as
 * `remote-mount-failed` with the code of the error, and harms no other remote.
 *
 * @throws AuthError `ERR_CONFIG` that names the field, at construction.
 * @example
 * registerPlugins([
 *   authGatePlugin(bridge, {
 *     trust: { keys: [publicJwk], remotes: { remote_orders: { entry: 'https://orders.example.com/remoteEntry.js' } } },
 *     fallback: () => ({ mount: (element) => { element.textContent = 'Not available.' } }),
 *   }),
 * ])
 */
export function authGatePlugin(
  bridge: GateBridge,
  options: AuthGateOptions,
): ModuleFederationRuntimePlugin {
  const { trust, fallback } = options
  const remotes = checkTrust(trust)
  if (fallback !== undefined && typeof fallback !== 'function')
    throw refuse('fallback', 'a function')
  let gate: Gate | undefined
  const sealed = new WeakSet<object>()

  const plugin: ModuleFederationRuntimePlugin = {
    name: '@token-bridge/auth-gate',
    apply(instance) {
      if (sealed.has(instance)) return
      sealed.add(instance)
      const isHost = gate === undefined
      if (isHost && isTakenOver(plugin))
        throw new AuthError('ERR_CONFIG', 'authGatePlugin: this page has a gate already.', {
          phase: 'configure',
        })
      gate ??= createGate(bridge, { keys: trust.keys }, remotes, fallback, instance)
      sealInstance(instance, gate)
      if (!isHost) return
      instance.registerRemotes(remotes.map(({ name, entry }) => ({ name, entry })))
      takeOver(plugin)
    },
  }
  return plugin
}
