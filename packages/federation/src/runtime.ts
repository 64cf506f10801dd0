/**
 * What runs in the page, inside the Module Federation runtime.
 *
 * @module
 */
export {
  hostContainerPlugin,
  type HostContainerOptions,
  type HostModules,
} from './host-container.ts'
export { loadGatedRemote, type GatedLoadOptions } from './load-gated-remote.ts'
