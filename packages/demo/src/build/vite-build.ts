import { join } from 'node:path'
import { federation } from '@module-federation/vite'
import { SHARE_STRATEGY, sharedSingletons } from '@token-bridge/federation/config'
import { build } from 'vite'
import { paths } from './paths.ts'

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
        shareStrategy: SHARE_STRATEGY,
        shared: sharedSingletons({
          role: 'remote',
          packages: ['react', 'react-dom', 'react-dom/client', 'zustand'],
        }),
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
