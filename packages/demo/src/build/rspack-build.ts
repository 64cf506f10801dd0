import { ModuleFederationPlugin } from '@module-federation/enhanced/rspack'
import { rspack, type Configuration } from '@rspack/core'
import { sharing } from '@token-bridge/federation/config'
import { paths } from './paths.ts'

export async function buildReports(output: string): Promise<void> {
  await run({
    name: 'reports',
    mode: 'production',
    context: paths.source,
    devtool: false,
    target: ['web', 'es2022'],
    entry: {},
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
    output: {
      path: output,
      clean: true,
      publicPath: 'auto',
      uniqueName: 'remote_reports',
      chunkFilename: 'chunk-[name].js',
      crossOriginLoading: 'anonymous',
    },
    plugins: [
      new ModuleFederationPlugin({
        name: 'remote_reports',
        filename: 'remoteEntry.js',
        library: { type: 'global', name: 'remote_reports' },
        exposes: { './mount': './remotes/reports/mount.ts' },
        ...sharing({ root: paths.demo, role: 'remote', packages: [] }),
        dts: false,
        manifest: false,
      }),
    ],
  })
}

function run(config: Configuration): Promise<void> {
  return new Promise((resolve, reject) => {
    const compiler = rspack(config)
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
