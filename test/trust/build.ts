/** Builds the host and its three remotes into the folder that it is given, each once. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ModuleFederationPlugin as RspackFederation } from '@module-federation/enhanced/rspack'
import { ModuleFederationPlugin as WebpackFederation } from '@module-federation/enhanced/webpack'
import { federation as viteFederation } from '@module-federation/vite'
import { rspack, type Configuration } from '@rspack/core'
import { build as viteBuild } from 'vite'
import webpack, { type Configuration as WebpackConfiguration } from 'webpack'

const output = process.argv[2] ?? ''
const here = fileURLToPath(new URL('.', import.meta.url))
const remote = join(here, 'remote')

const federation = (bundler: string) => ({
  name: `remote_${bundler}`,
  filename: 'remoteEntry.js',
  exposes: { './mount': './mount.js' },
  shared: { immer: { singleton: true } },
  shareStrategy: 'loaded-first' as const,
  dts: false as const,
  manifest: false as const,
})

const containerConfig = (bundler: string) => ({
  name: bundler,
  mode: 'production' as const,
  context: remote,
  devtool: false as const,
  target: ['web', 'es2022'] as ['web', 'es2022'],
  entry: {},
  optimization: { minimize: false },
  experiments: { css: true },
  output: {
    path: join(output, bundler),
    publicPath: 'auto',
    uniqueName: `remote_${bundler}`,
    chunkFilename: 'chunk-[name].js',
    crossOriginLoading: 'anonymous' as const,
  },
})

interface Stats {
  hasErrors(): boolean
  toString(options: object): string
}
type Run = (done: (error: Error | null, stats?: Stats) => void) => void

const finished = (run: Run): Promise<void> =>
  new Promise((resolve, reject) => {
    run((error, stats) => {
      if (error !== null) reject(error)
      else if (stats?.hasErrors()) reject(new Error(stats.toString({ preset: 'errors-only' })))
      else resolve()
    })
  })

const withRspack = (config: Configuration) => finished((done) => void rspack(config, done))

await withRspack({
  ...containerConfig('rspack'),
  experiments: {},
  module: { rules: [{ test: /\.css$/, type: 'css' }] },
  plugins: [
    new rspack.DefinePlugin({ BUNDLER: '"rspack"' }),
    new RspackFederation({
      ...federation('rspack'),
      library: { type: 'global', name: 'remote_rspack' },
    }),
  ],
})

await withRspack({
  name: 'host',
  mode: 'production',
  context: here,
  devtool: false,
  target: ['web', 'es2022'],
  entry: { main: './host/host.ts' },
  optimization: { minimize: false },
  resolve: {
    extensions: ['.ts', '.js'],
    conditionNames: ['@token-bridge/source', 'import', 'module', 'browser', 'default'],
  },
  module: {
    rules: [
      {
        test: /\.ts$/,
        loader: 'builtin:swc-loader',
        options: { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } },
        type: 'javascript/auto',
      },
    ],
  },
  output: { path: join(output, 'host'), publicPath: '/', uniqueName: 'host' },
  plugins: [
    new RspackFederation({
      name: 'host',
      shareStrategy: 'loaded-first',
      shared: { immer: { singleton: true, eager: true } },
      dts: false,
      manifest: false,
    }),
  ],
})

await finished(
  (done) =>
    void webpack(
      {
        ...containerConfig('webpack'),
        plugins: [
          new webpack.DefinePlugin({ BUNDLER: '"webpack"' }),
          new WebpackFederation(federation('webpack')),
        ],
      } as WebpackConfiguration,
      (error, stats) => done(error, stats),
    ),
)

await viteBuild({
  configFile: false,
  root: remote,
  base: './',
  logLevel: 'error',
  mode: 'production',
  define: { BUNDLER: '"vite"' },
  plugins: [viteFederation(federation('vite'))],
  build: {
    outDir: join(output, 'vite'),
    emptyOutDir: true,
    target: 'esnext',
    modulePreload: false,
    minify: false,
    rolldownOptions: { input: join(remote, 'mount.js') },
  },
})
