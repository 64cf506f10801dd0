import type { ModuleFederation, ModuleFederationRuntimePlugin } from '@module-federation/runtime'
import type { SecureTokenBridge } from '@token-bridge/core'
import { AuthError, isAuthError } from '@token-bridge/core/errors'
import { guardElements, type PinnedFailure } from './element-pins.ts'
import { isMemoryContainer } from './host-container.ts'
import { untilSettled } from './load-gated-remote.ts'
import { refusal } from './remote-list.ts'
import { fix, sealInstance, type Decisions } from './seal-instance.ts'
import { pinShares, type SharePins } from './share-pins.ts'
import { checkTrust, refuse, type RemoteTrust, type TrustedRemote } from './trusted-remotes.ts'
import { bypassed, createVerifiedLoader } from './verified-loader.ts'
import { whyNotTaken } from './why-not-taken.ts'

/** A remote that was kept out. */
export interface RefusedRemote {
  /** As events name it. */
  readonly remote: string
  /** What was asked for, such as `./mount`. */
  readonly expose: string
  readonly error: AuthError
}

/** Whom the gate lets in, and what stands in for the others. */
export interface AuthGateOptions {
  readonly trust: RemoteTrust
  /**
   * Makes what `loadRemote` resolves with in place of a refused module, such as `{ mount }`. Without it `loadRemote`
   * rejects with the refusal. Not called for a remote that could not be reached.
   */
  readonly fallback?: (refused: RefusedRemote) => unknown
}

/** What the gate asks of a bridge. */
export type GateBridge = Pick<SecureTokenBridge, 'snapshot' | 'snapshot$' | 'reportMount'>

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
      if (isHost && federationOf().__GLOBAL_PLUGIN__[0]?.name === plugin.name)
        throw new AuthError('ERR_CONFIG', 'authGatePlugin: this page has a gate already.', {
          phase: 'configure',
        })
      gate ??= createGate(bridge, { keys: trust.keys }, remotes, fallback, instance)
      sealInstance(instance, gate.decisions)
      if (!isHost) return
      instance.registerRemotes(remotes.map(({ name, entry }) => ({ name, entry })))
      takeOver(plugin)
    },
  }
  return plugin
}

/** Instances there are, and those that remotes will make for themselves: none is without the gate. */
function takeOver(plugin: ModuleFederationRuntimePlugin): void {
  const federation = federationOf()
  const plugins = federation.__GLOBAL_PLUGIN__
  const others = plugins.splice(0).filter((other) => other !== plugin)
  plugins.push(plugin, ...others)
  fix(plugins, '0')
  fix(federation, '__GLOBAL_PLUGIN__')
  fix(globalThis, '__FEDERATION__')
  for (const instance of federation.__INSTANCES__) instance.registerPlugins([plugin])
}

const federationOf = (): Federation =>
  (globalThis as unknown as { readonly __FEDERATION__: Federation }).__FEDERATION__

interface Federation {
  readonly __GLOBAL_PLUGIN__: ModuleFederationRuntimePlugin[]
  readonly __INSTANCES__: ModuleFederation[]
}

interface Gate {
  readonly decisions: Decisions
}

/** What the runtime says of the remote that an event is about. */
interface RemoteInfo {
  readonly name: string
  readonly entry?: string
}

function createGate(
  bridge: GateBridge,
  keys: { readonly keys: RemoteTrust['keys'] },
  remotes: readonly TrustedRemote[],
  fallback: AuthGateOptions['fallback'],
  host: ModuleFederation,
): Gate {
  const shares: SharePins = pinShares(host)
  const byEntry = new Map(remotes.map((remote) => [remote.entry, remote]))
  const byBase = new Map(remotes.map((remote) => [remote.base, remote]))
  /** Containers by remote; a refused one is asked for anew. */
  const containers = new Map<TrustedRemote, Promise<object>>()
  const verified = new WeakMap<object, TrustedRemote>()
  const running = new Set<TrustedRemote>()
  /** The last element of a remote that the browser did not take, and why. */
  const failures = new Map<TrustedRemote, Promise<AuthError>>()

  const report = (remote: string, error: AuthError): AuthError => {
    bridge.reportMount(remote, error.code)
    return error
  }

  const noteFailure = (failure: PinnedFailure): void => {
    const remote = byBase.get(failure.base)
    if (remote === undefined) return
    const isLate = running.has(remote)
    const reason = whyNotTaken(remote, failure).then((error) => {
      // Until the entry has run, whoever loads it reports.
      if (isLate && isRefusal(error)) report(remote.reader, error)
      return error
    })
    failures.set(remote, reason)
  }

  const pins = guardElements([...byBase.keys()], noteFailure)
  const loader = createVerifiedLoader(keys, pins, (remote) => {
    const failed = failures.get(remote)
    failures.delete(remote)
    return (
      failed ??
      Promise.resolve(refusal('ERR_REMOTE_UNREACHABLE', `"${remote.name}" did not answer in time.`))
    )
  })

  const load = async (remote: TrustedRemote): Promise<object> => {
    await untilSettled(bridge)
    try {
      const container = await loader.load(remote)
      verified.set(container, remote)
      running.add(remote)
      return container
    } catch (error) {
      containers.delete(remote)
      if (isRefusal(error)) report(remote.reader, error)
      throw error
    }
  }

  const known = ({ name, entry }: RemoteInfo): TrustedRemote => {
    const remote = byEntry.get(entry ?? '')
    if (remote !== undefined && isNamed(remote, name)) return remote
    throw report(
      name,
      refusal(
        'ERR_REMOTE_UNKNOWN',
        `No remote "${name}" at ${entry ?? 'no address'} is trusted: name it in \`trust.remotes\`.`,
      ),
    )
  }

  const checkContainer = (info: RemoteInfo, container: unknown): void => {
    if (isMemoryContainer(container)) return
    const remote = known(info)
    if (verified.get(container as object) === remote) return
    throw report(
      remote.reader,
      bypassed(remote, 'its container is not the one that was verified') as AuthError,
    )
  }

  interface LoadEvent {
    readonly remoteInfo: RemoteInfo
    readonly remoteEntryExports?: unknown
    readonly error?: unknown
  }
  interface LoadFailure {
    readonly error: unknown
    readonly expose?: string
    readonly from: 'build' | 'runtime'
    readonly lifecycle: string
    readonly remote?: RemoteInfo
  }

  const decisions: Decisions = {
    remote: {
      async afterMatchRemote(others, args: LoadEvent) {
        await others(args)
        // Before a manifest would be fetched. The host's own modules are answered for later.
        if (args.error === undefined && !isMemoryAddress(args.remoteInfo))
          failures.delete(known(args.remoteInfo))
      },
      async loadEntry(others, { remoteInfo, ...args }: LoadEvent) {
        const answer = isMemoryAddress(remoteInfo)
          ? await others({ remoteInfo, ...args })
          : undefined
        if (isMemoryContainer(answer)) return answer
        const remote = known(remoteInfo)
        const loading = containers.get(remote) ?? load(remote)
        containers.set(remote, loading)
        return loading
      },
      async errorLoadRemote(others, args: LoadFailure) {
        const answer = await others(args)
        const remote = byEntry.get(args.remote?.entry ?? '')
        if (remote === undefined) {
          if (isRefusal(args.error)) throw args.error
          return answer
        }
        const error = isRefusal(args.error) ? args.error : await failures.get(remote)
        failures.delete(remote)
        if (!isRefusal(error)) return undefined
        if (fallback === undefined || args.lifecycle !== 'onLoad') throw error
        const module = fallback({ remote: remote.reader, expose: args.expose ?? '.', error })
        return args.from === 'build' ? () => module : module
      },
      // A wrapper by another plugin would be handed out in place of what was verified.
      async onLoad(others, args: never) {
        await others(args)
      },
      async generatePreloadAssets() {
        return { cssAssets: [], jsAssetsWithoutEntry: [], entryAssets: [] }
      },
    },
    loader: {
      async fetch(_others, url: string) {
        throw refusal('ERR_REMOTE_UNKNOWN', `The manifest ${url} is not signed, and not loaded.`)
      },
      async loadEntryError() {},
      async afterLoadEntry(others, args: LoadEvent) {
        await others(args)
        if (args.error === undefined) checkContainer(args.remoteInfo, args.remoteEntryExports)
      },
      async getModuleFactory(others, args: never) {
        await others(args)
      },
    },
    shared: {
      resolveShare(others, args: never) {
        const request = others(args) as Parameters<SharePins['answer']>[0]
        shares.answer(request)
        return request
      },
    },
  }
  return { decisions }
}

/** An answer, and a "no": trying again does not help. */
const isRefusal = (error: unknown): error is AuthError =>
  isAuthError(error) && error.phase === 'load' && !error.retryable

const isMemoryAddress = ({ entry }: RemoteInfo): boolean => entry?.startsWith('memory:') === true

/** `@module-federation/vite` mangles the names of the remotes that a build names itself. */
const isNamed = (remote: TrustedRemote, name: string): boolean =>
  name === remote.name || name.startsWith(`__mfe_internal__${remote.name}__`)
