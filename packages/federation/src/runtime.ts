/**
 * What runs in the page, inside the Module Federation runtime.
 *
 * @module
 */
export { authGatePlugin, type AuthGateOptions } from './auth-gate-plugin.ts'
export type { Fallback, GateBridge, RefusedRemote } from './gate.ts'
export type { RemoteKeys } from './remote-list.ts'
export type { RemoteTrust, RemoteTrustRule } from './trusted-remotes.ts'
export {
  hostContainerPlugin,
  type HostContainerOptions,
  type HostModules,
} from './host-container.ts'
export { loadGatedRemote, type GatedLoadOptions } from './load-gated-remote.ts'
export {
  inspectShareScope,
  type ShareCopy,
  type ShareFault,
  type ShareFinding,
} from './inspect-share-scope.ts'
export {
  createStorageGuard,
  type StorageGuard,
  type StorageGuardBridge,
  type StorageGuardOptions,
} from './storage-guard/storage-guard.ts'
