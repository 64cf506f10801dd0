import type { ModuleFederation, ModuleFederationRuntimePlugin } from '@module-federation/runtime'
import { fix } from './seal-instance.ts'

/** What Module Federation keeps on the global object: one for all copies of its runtime. */
interface PageFederation {
  readonly __GLOBAL_PLUGIN__: ModuleFederationRuntimePlugin[]
  readonly __INSTANCES__: readonly ModuleFederation[]
}

// No literal: its published type differs between two copies of the runtime.
const KEY: string = '__FEDERATION__'

const pageFederation = (): PageFederation => Reflect.get(globalThis, KEY)

/** Tells whether a plugin of this name has taken over the page. */
export function isTakenOver({ name }: ModuleFederationRuntimePlugin): boolean {
  const { __GLOBAL_PLUGIN__: plugins } = pageFederation()
  return plugins[0]?.name === name
}

/**
 * Puts a plugin into every instance that there is, and first among those that instances to come will take: remotes make
 * instances of their own.
 */
export function takeOver(plugin: ModuleFederationRuntimePlugin): void {
  const federation = pageFederation()
  const { __GLOBAL_PLUGIN__: plugins, __INSTANCES__: instances } = federation
  const others = plugins.splice(0).filter((other) => other !== plugin)
  plugins.push(plugin, ...others)
  fix(plugins, '0')
  fix(federation, '__GLOBAL_PLUGIN__')
  fix(globalThis, KEY)
  for (const instance of instances) instance.registerPlugins([plugin])
}
