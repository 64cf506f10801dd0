import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { federation, type ModuleFederationOptions } from '@module-federation/vite'
import { sharing, type Sharing } from '@token-bridge/federation/config'
import type { InlineConfig } from 'vite'

export type Mode = 'development' | 'production'

/** A project that has installed everything. */
export const root = fileURLToPath(new URL('../../packages/demo', import.meta.url))
const folder = fileURLToPath(new URL('remote', import.meta.url))

export const REMOTE: Sharing = sharing({ root, role: 'remote' })

/** Never requested: the host answers from memory. */
export const HOST_ADDRESS = 'http://localhost:9/remoteEntry.js'

/** What the plugins of all bundlers are told. */
export const remoteOptions = (name: string, shares: Sharing) => ({
  name: `remote_${name}`,
  filename: 'remoteEntry.js',
  exposes: { './mount': './mount.ts', './plain': './plain.ts', './imports': './imports.ts' },
  dts: false as const,
  manifest: false as const,
  ...shares,
})

/** A remote of Vite, to build or to serve. */
export function viteConfig(
  name: string,
  mode: Mode,
  shares: Sharing,
  outDir: string,
): InlineConfig {
  // Vite takes the mode of React from here.
  process.env['NODE_ENV'] = mode
  const options: ModuleFederationOptions = {
    ...remoteOptions(name, shares),
    remotes: { host_app: { type: 'module', name: 'host_app', entry: HOST_ADDRESS } },
  }
  return {
    configFile: false,
    root: folder,
    base: './',
    logLevel: 'error',
    mode,
    define: { BUNDLER: JSON.stringify(name) },
    resolve: {
      conditions: ['@token-bridge/source', 'module', 'browser', 'development|production'],
    },
    plugins: [federation(options)],
    build: {
      outDir,
      emptyOutDir: true,
      target: 'esnext',
      modulePreload: false,
      minify: false,
      rolldownOptions: { input: join(folder, 'mount.ts') },
    },
  }
}
