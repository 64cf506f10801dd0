import { join } from 'node:path'
import { federation } from '@module-federation/vite'
import { sharing } from '@token-bridge/federation/config'
import { build } from 'vite'
import { paths } from './paths.ts'

// What it uses: a Vite remote loads all that it shares when it starts.
const { shareStrategy, shared } = sharing({
  root: paths.demo,
  role: 'remote',
  packages: ['react', 'react-dom', 'react-dom/client', 'zustand'],
})

export async function buildOrders(output: string): Promise<void> {
  await build({
    configFile: false,
    root: join(paths.source, 'remotes/orders'),
    base: './',
    logLevel: 'error',
    mode: 'production',
    resolve: {
      conditions: ['@token-bridge/source', 'module', 'browser', 'development|production'],
    },
    plugins: [
      federation({
        name: 'remote_orders',
        filename: 'remoteEntry.js',
        exposes: { './mount': './mount.tsx' },
        shareStrategy,
        shared: {
          ...shared,
          '@token-bridge/core': {
            ...shared['@token-bridge/core'],
            // It looks into the built package, which is not there in a fresh clone: the demo runs on the sources.
            suppressMissingImportWarning: true,
          },
        },
        dts: false,
        manifest: false,
      }),
    ],
    build: {
      outDir: output,
      emptyOutDir: true,
      target: 'esnext',
      modulePreload: false,
      minify: false,
      rolldownOptions: { input: join(paths.source, 'remotes/orders/mount.tsx') },
    },
  })
}
