import type { ModuleFederationRuntimePlugin } from '@module-federation/runtime'
import type { RemoteEntryExports } from '@module-federation/runtime/types'

/** What the host exposes: for each name, such as `./auth-bridge`, a function that makes the module's exports. */
export type HostModules = Readonly<Record<string, () => Readonly<Record<string, unknown>>>>

/** What the host's own container offers. */
export interface HostContainerOptions {
  /** The host's federation name: the `host_app` of `import … from 'host_app/auth-bridge'`. */
  readonly name: string
  readonly modules: HostModules
}

const memoryContainers = new WeakSet<object>()

/** Tells whether this is what a {@link hostContainerPlugin} answers with: code of the host, which no list vouches for. */
export function isMemoryContainer(value: unknown): boolean {
  return typeof value === 'object' && value !== null && memoryContainers.has(value)
}

/**
 * Returns a Module Federation runtime plugin that answers imports of the host's own modules from memory.
 *
 * A host that lists `./auth-bridge` in `exposes` evaluates that module twice, once for itself and once for its
 * `remoteEntry.js`: two bridges. Here there is one instance, made on the first import and frozen, and the address that
 * a remote has written down for the host is never requested.
 *
 * Register it before the first remote is loaded, and for all instances: `registerGlobalPlugins([hostContainerPlugin(…)])`.
 *
 * @throws TypeError when the name is empty or a module is no function.
 * @example
 * registerGlobalPlugins([
 *   hostContainerPlugin({
 *     name: 'host_app',
 *     modules: { './auth-bridge': () => ({ tokenBridge: bridge.reader('auth-bridge') }) },
 *   }),
 * ])
 */
export function hostContainerPlugin(options: HostContainerOptions): ModuleFederationRuntimePlugin {
  const { name, modules } = options
  if (typeof name !== 'string' || name === '')
    throw new TypeError('hostContainerPlugin: `name` must be the federation name of the host.')
  const container = memoryContainer(name, modules)
  const address = `memory:${name}`

  // `@module-federation/vite` mangles `name` and leaves `entryGlobalName` as written; an alias is what webpack imports by.
  const isHost = (remote: { name: string; alias?: string; entryGlobalName?: string }): boolean =>
    remote.name === name || remote.alias === name || remote.entryGlobalName === name

  return {
    name: `@token-bridge/host-container/${name}`,
    beforeRegisterRemote(args) {
      // Also keeps the runtime from asking for a manifest, which it does before `loadEntry` for every address with `.json`.
      if (isHost(args.remote)) Object.assign(args.remote, { entry: address })
      return args
    },
    async loadEntry({ remoteInfo }) {
      return isHost(remoteInfo) ? container : undefined
    },
  }
}

function memoryContainer(name: string, modules: HostModules): RemoteEntryExports {
  const factories = new Map(Object.entries(modules))
  for (const [expose, factory] of factories) {
    if (typeof factory !== 'function')
      throw new TypeError(`hostContainerPlugin: \`modules['${expose}']\` must be a function.`)
  }
  const made = new Map<string, object>()

  const container = {
    init() {},
    async get(expose: string) {
      const factory = factories.get(expose)
      if (factory === undefined) {
        throw new Error(
          `"${name}" exposes no "${expose}". The host exposes: ${[...factories.keys()].join(', ') || 'nothing'}.`,
        )
      }
      let module = made.get(expose)
      if (module === undefined) {
        module = frozenModule(factory())
        made.set(expose, module)
      }
      const answer = module
      return () => answer
    },
  }
  // The published type has the promise on the other side of `get` than every container of webpack, Rspack and Vite.
  memoryContainers.add(container)
  return Object.freeze(container) as unknown as RemoteEntryExports
}

/** Looks like a module namespace to every bundler's interop. */
function frozenModule(exports: Readonly<Record<string, unknown>>): object {
  const namespace: object = Object.create(null)
  for (const [key, value] of Object.entries(exports))
    Object.defineProperty(namespace, key, { value, enumerable: true })
  Object.defineProperty(namespace, '__esModule', { value: true })
  Object.defineProperty(namespace, Symbol.toStringTag, { value: 'Module' })
  return Object.freeze(namespace)
}
