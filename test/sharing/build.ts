/** Builds hosts and remotes into the folder that it is given: by each bundler, for development and production. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ModuleFederationPlugin as RspackFederation } from '@module-federation/enhanced/rspack'
import { ModuleFederationPlugin as WebpackFederation } from '@module-federation/enhanced/webpack'
import { rspack, type Configuration } from '@rspack/core'
import { sharing, type Sharing } from '@token-bridge/federation/config'
import { build as viteBuild } from 'vite'
import webpack, { type Configuration as WebpackConfiguration } from 'webpack'
import {
  HOST_ADDRESS,
  REMOTE,
  remoteOptions,
  root,
  viteConfig,
  type Mode,
} from './remote-config.ts'

const output = process.argv[2] ?? ''
const here = fileURLToPath(new URL('.', import.meta.url))
const loader = join(root, 'src/build/oxc-loader.cts')

const HOST = sharing({ root })
/** What people write who do not know that `react-dom/client` is a key of its own. */
const WITHOUT_CLIENT = { root, packages: ['react', 'react-dom'] }

const packed = (name: string, mode: Mode) => ({
  name,
  mode,
  devtool: false as const,
  target: ['web', 'es2022'] as ['web', 'es2022'],
  optimization: { minimize: false },
  resolve: {
    extensions: ['.ts', '.tsx', '.js'],
    conditionNames: ['@token-bridge/source', 'import', 'module', 'browser', 'default'],
  },
  output: {
    path: join(output, name),
    chunkFilename: 'chunk-[name].js',
    crossOriginLoading: 'anonymous' as const,
  },
})
const packedRemote = (name: string, mode: Mode) => {
  const config = packed(name, mode)
  return {
    ...config,
    context: join(here, 'remote'),
    entry: {},
    output: { ...config.output, publicPath: 'auto', uniqueName: `remote_${name}` },
  }
}
const script = (name: string) => ({
  library: { type: 'global', name: `remote_${name}` },
  // Without it a host's module is looked for where the library goes, in a global.
  remoteType: 'script' as const,
  remotes: { host_app: `host_app@${HOST_ADDRESS}` },
})

const rules = [
  {
    test: /\.tsx?$/,
    loader: 'builtin:swc-loader',
    options: {
      jsc: {
        parser: { syntax: 'typescript', tsx: true },
        transform: { react: { runtime: 'automatic', development: false } },
        target: 'es2022',
      },
    },
    type: 'javascript/auto' as const,
  },
]

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

interface HostBuild {
  readonly mode?: Mode
  readonly shares?: Sharing
  /** Federation name. */
  readonly container?: string
}

async function rspackHost(name: string, entry: string, build: HostBuild): Promise<void> {
  const { mode = 'production', shares = HOST, container = 'host_app' } = build
  const config = packed(name, mode)
  await withRspack({
    ...config,
    context: here,
    entry: { main: entry },
    module: { rules },
    output: { ...config.output, publicPath: 'auto', uniqueName: container },
    plugins: [new RspackFederation({ name: container, dts: false, manifest: false, ...shares })],
  })
}

async function rspackRemote(name: string, mode: Mode, shares: Sharing): Promise<void> {
  const options = remoteOptions(name, shares)
  await withRspack({
    ...packedRemote(name, mode),
    module: { rules },
    plugins: [
      new rspack.DefinePlugin({ BUNDLER: JSON.stringify(name) }),
      new RspackFederation({ ...options, ...script(name) }),
    ],
  })
}

/** A remote that brings a newer copy of core, and makes a bridge with it. */
async function secondCopy(name: string): Promise<void> {
  const { exposes: _exposes, shared: _shared, ...options } = remoteOptions(name, REMOTE)
  await withRspack({
    ...packedRemote(name, 'production'),
    module: { rules },
    plugins: [
      new rspack.DefinePlugin({ BUNDLER: JSON.stringify(name) }),
      new RspackFederation({
        ...options,
        ...script(name),
        exposes: { './own-bridge': './own-bridge.ts' },
        shared: { '@token-bridge/core': { version: '9.9.9', requiredVersion: '^9.9.9' } },
      }),
    ],
  })
}

async function webpackRemote(name: string, mode: Mode, shares: Sharing): Promise<void> {
  const config: WebpackConfiguration = {
    ...packedRemote(name, mode),
    experiments: { typescript: false },
    module: { rules: [{ test: /\.tsx?$/, loader, type: 'javascript/auto' }] },
    plugins: [
      new webpack.DefinePlugin({ BUNDLER: JSON.stringify(name) }),
      new WebpackFederation({ ...remoteOptions(name, shares), ...script(name) }),
    ],
  }
  await finished((done) => void webpack(config, (error, stats) => done(error, stats)))
}

const viteRemote = async (name: string, mode: Mode, shares: Sharing): Promise<void> => {
  await viteBuild(viteConfig(name, mode, shares, join(output, name)))
}

await rspackHost('host', './host/index.ts', {})
await rspackHost('host_dev', './host/index.ts', { mode: 'development' })
await rspackHost('host_bare', './host/index.ts', { shares: sharing(WITHOUT_CLIENT) })
await rspackHost('second_host', './second-host/index.ts', { container: 'second_host' })
await rspackRemote('rspack', 'production', REMOTE)
await rspackRemote('rspack_dev', 'development', REMOTE)
await secondCopy('second_copy')
await viteRemote('vite', 'production', REMOTE)
await viteRemote('vite_dev', 'development', REMOTE)
await viteRemote('vite_bare', 'production', sharing({ ...WITHOUT_CLIENT, role: 'remote' }))
await webpackRemote('webpack', 'production', REMOTE)
await webpackRemote('webpack_dev', 'development', REMOTE)
