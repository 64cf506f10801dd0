/**
 * The `shared` map of a Module Federation build. Runs at build time, in Node, and reads nothing.
 *
 * @module
 */

/** What a bundler is told about one shared package. webpack, Rspack and `@module-federation/vite` take the same shape. */
export interface SharedSingleton {
  readonly singleton: true
  /** `false`: the build carries no copy of its own, the host's is the only one. */
  readonly import?: false
}

/** Which packages to share, and in which role. */
export interface SharedSingletonsOptions {
  /** Default `host`. A remote carries no copy of `@token-bridge/core`. */
  readonly role?: 'host' | 'remote'
  /**
   * The frameworks to share. Default: {@link FRAMEWORKS}. Name the ones that the app has installed when these are not
   * all: `@module-federation/vite` resolves every name.
   */
  readonly packages?: readonly string[]
}

/** What the frameworks of host and remotes need to be one of. `react-dom/client` is a key of its own: without it a Vite remote gets a second React. */
export const FRAMEWORKS: readonly string[] = Object.freeze([
  'react',
  'react-dom',
  'react-dom/client',
  'react-redux',
  'rxjs',
  'zustand',
])

/**
 * What to give `shareStrategy`. With `version-first`, the default of Module Federation, the first shared import loads
 * the entry of every registered remote, and one that fails takes the host down with it.
 */
export const SHARE_STRATEGY = 'loaded-first'

/**
 * Returns the `shared` map for `ModuleFederationPlugin` (webpack, Rspack) or `federation()` (Vite).
 *
 * Of our packages only `@token-bridge/core` is in it: a reader is a plain object that needs no module identity, and the
 * adapters are functions of it.
 *
 * @example
 * new ModuleFederationPlugin({
 *   name: 'host_app',
 *   shareStrategy: SHARE_STRATEGY,
 *   shared: sharedSingletons(),
 * })
 */
export function sharedSingletons(
  options: SharedSingletonsOptions = {},
): Record<string, SharedSingleton> {
  const { role = 'host', packages = FRAMEWORKS } = options
  if (role !== 'host' && role !== 'remote')
    throw new TypeError(`sharedSingletons: \`role\` is 'host' or 'remote', got ${String(role)}.`)
  const shared: Record<string, SharedSingleton> = {}
  for (const name of packages) shared[name] = { singleton: true }
  shared['@token-bridge/core'] =
    role === 'remote' ? { singleton: true, import: false } : { singleton: true }
  return shared
}
