/**
 * What a Module Federation build shares. Runs at build time, in Node: it reads the versions of the packages that are
 * installed.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { AuthError } from '@token-bridge/core/errors'

/** What a bundler is told about one shared package. webpack, Rspack, Rsbuild and `@module-federation/vite` take the same shape. */
export interface SharedSingleton {
  readonly singleton: true
  /** What this build was made for: the version that is installed, or a later one that is compatible with it. */
  readonly requiredVersion: string
  /** `false`: the build carries no copy of its own, the host's is the only one. */
  readonly import?: false
}

/** Which packages to share, and in which role. */
export interface SharedSingletonsOptions {
  /** Default `host`. A remote carries no copy of `@token-bridge/core`. */
  readonly role?: 'host' | 'remote'
  /**
   * What to share besides `@token-bridge/core`: names of packages, or entries of them, such as `react-dom/client`.
   * Default: those of {@link sharedSingletons} that are installed.
   */
  readonly packages?: readonly string[]
  /** The folder of the project, from which packages are found. Default: the working directory. */
  readonly root?: string
}

/** What the plugins of all bundlers take: spread it into their options. */
export interface Sharing {
  readonly shareStrategy: 'loaded-first'
  readonly shared: Record<string, SharedSingleton>
}

const CORE = '@token-bridge/core'

/** What host and remotes need to be one of, where they use it. */
const SHARED: readonly string[] = [
  'react',
  'react-dom',
  // A key of its own: without it a Vite remote brings a renderer, and with it a second React.
  'react-dom/client',
  'react-redux',
  '@reduxjs/toolkit',
  'rxjs',
  'zustand',
  '@token-bridge/react',
  '@token-bridge/redux',
  '@token-bridge/zustand',
]

/**
 * Returns the `shared` map and the strategy for `ModuleFederationPlugin` (webpack, Rspack, Rsbuild) or `federation()`
 * (Vite). With `version-first`, the default of Module Federation, the first shared import of the host waits for the
 * entries of all registered remotes: before anybody has signed in, and a remote that is refused takes the host with it.
 *
 * @throws AuthError `ERR_CONFIG` as {@link sharedSingletons} does.
 * @example
 * new ModuleFederationPlugin({ name: 'host_app', ...sharing() })
 * federation({ name: 'orders', exposes, ...sharing({ role: 'remote' }) })
 */
export function sharing(options: SharedSingletonsOptions = {}): Sharing {
  return { shareStrategy: 'loaded-first', shared: sharedSingletons(options) }
}

/**
 * Returns the `shared` map of a build: every package in it is a singleton, for the range that the installed version
 * stands for (19.3.1 is `^19.3.1`). Without `packages` these are, as far as they are installed: react, react-dom,
 * react-dom/client, react-redux, @reduxjs/toolkit, rxjs, zustand, and ours for them. `@token-bridge/core` is always in it;
 * only a remote that has not installed it goes without. Prefer {@link sharing}, which knows the strategy too.
 *
 * @throws AuthError `ERR_CONFIG`: an unknown role, a package that is named and not installed, a host without
 *   `@token-bridge/core`.
 */
export function sharedSingletons(
  options: SharedSingletonsOptions = {},
): Record<string, SharedSingleton> {
  const { role = 'host', packages, root = '.' } = options
  if (role !== 'host' && role !== 'remote') throw refuse('role', "'host' or 'remote'", role)
  if (packages !== undefined && !Array.isArray(packages))
    throw refuse('packages', 'a list of names', typeof packages)
  const folder = resolve(root)
  const versionOf = installedVersions(folder)

  const shared: Record<string, SharedSingleton> = {}
  for (const name of new Set([...(packages ?? SHARED), CORE])) {
    const version = versionOf(name)
    if (version !== undefined)
      shared[name] = {
        singleton: true,
        requiredVersion: `^${version}`,
        ...(name === CORE && role === 'remote' && { import: false }),
      }
    else if (packages?.includes(name) || (name === CORE && role === 'host'))
      throw refuse('packages', `installed; "${name}" is not, seen from ${folder}`)
  }
  return shared
}

/** Looks packages up as Node does, by the folder's own `node_modules` and those above it. */
function installedVersions(folder: string): (name: string) => string | undefined {
  const { resolve: find } = createRequire(join(folder, 'package.json'))
  return (name) => {
    const owner = /^(@[^/]+\/)?[^./@][^/]*/.exec(name)?.[0]
    if (owner === undefined) return undefined
    const manifests = [
      // Plug'n'Play has no folders to look into.
      () => find(`${owner}/package.json`),
      // The manifest need not be among the package's exports.
      ...(find.paths(owner) ?? []).map((modules) => () => join(modules, owner, 'package.json')),
    ]
    for (const manifest of manifests) {
      try {
        const { version } = JSON.parse(readFileSync(manifest(), 'utf8')) as { version?: string }
        return version
      } catch {
        // Not there: the next one.
      }
    }
    return undefined
  }
}

function refuse(field: string, expected: string, found?: string): AuthError {
  const got = found === undefined ? '' : `, got ${found}`
  return new AuthError('ERR_CONFIG', `sharedSingletons: \`${field}\` must be ${expected}${got}.`, {
    phase: 'configure',
  })
}
