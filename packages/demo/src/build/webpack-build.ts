import { fileURLToPath } from 'node:url'
import { ModuleFederationPlugin } from '@module-federation/enhanced/webpack'
import { sharing } from '@token-bridge/federation/config'
import webpack, { type Configuration } from 'webpack'
import { HOST_NAME } from './container-names.ts'
import { paths } from './paths.ts'

const base = (output: string): Configuration => ({
  mode: 'production',
  context: paths.source,
  devtool: false,
  target: ['web', 'es2022'],
  // Unminified: twice as fast, and readable in the browser's own tools.
  optimization: { minimize: false },
  performance: { hints: false },
  resolve: {
    extensions: ['.ts', '.tsx', '.js'],
    conditionNames: ['@token-bridge/source', 'import', 'module', 'browser', 'default'],
  },
  module: {
    rules: [
      {
        test: /\.tsx?$/,
        loader: fileURLToPath(new URL('oxc-loader.cts', import.meta.url)),
        type: 'javascript/auto',
      },
    ],
  },
  experiments: { typescript: false },
  output: {
    path: output,
    clean: true,
    filename: '[name].js',
    chunkFilename: 'chunk-[name].js',
    crossOriginLoading: 'anonymous',
  },
})

export async function buildHost(output: string): Promise<void> {
  const config = base(output)
  await run({
    ...config,
    name: 'host',
    entry: { main: './host/index.ts' },
    output: { ...config.output, publicPath: '/', uniqueName: HOST_NAME },
    plugins: [
      new ModuleFederationPlugin({
        name: HOST_NAME,
        ...sharing({ root: paths.demo }),
        dts: false,
        manifest: false,
      }),
    ],
  })
}

export async function buildDashboard(output: string): Promise<void> {
  const config = base(output)
  await run({
    ...config,
    name: 'dashboard',
    entry: {},
    output: { ...config.output, publicPath: 'auto', uniqueName: 'remote_dashboard' },
    plugins: [
      new ModuleFederationPlugin({
        name: 'remote_dashboard',
        filename: 'remoteEntry.js',
        exposes: { './mount': './remotes/dashboard/mount.tsx' },
        // Never requested: the host answers for itself from memory.
        remotes: { [HOST_NAME]: `${HOST_NAME}@http://localhost:4000/remoteEntry.js` },
        ...sharing({ root: paths.demo, role: 'remote' }),
        dts: false,
        manifest: false,
      }),
    ],
  })
}

function run(config: Configuration): Promise<void> {
  return new Promise((resolve, reject) => {
    const compiler = webpack(config)
    if (compiler === null) return reject(new Error(`webpack took no config for ${config.name}.`))
    compiler.run((failure, stats) => {
      compiler.close((closeFailure) => {
        const error = failure ?? closeFailure
        if (error) reject(error)
        else if (stats?.hasErrors()) reject(new Error(stats.toString({ preset: 'errors-only' })))
        else resolve()
      })
    })
  })
}
