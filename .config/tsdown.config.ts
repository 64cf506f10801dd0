import { readFileSync, readdirSync } from 'node:fs'
import { defineConfig } from 'tsdown'

interface Manifest {
  private?: boolean
  bin?: Record<string, string>
  exports?: Record<string, string | { '@token-bridge/source': string }>
}

const root = new URL('../', import.meta.url)

/** A package's entries are what its `exports` and `bin` say: one list, not two. */
function entries(manifest: Manifest): string[] {
  const modules = Object.values(manifest.exports ?? {}).flatMap((target) =>
    typeof target === 'string' ? [] : [target['@token-bridge/source']],
  )
  const programs = Object.values(manifest.bin ?? {}).map((file) =>
    file.replace('./dist/', './src/').replace(/\.js$/, '.ts'),
  )
  return [...modules, ...programs]
}

export default readdirSync(new URL('packages/', root)).flatMap((name) => {
  const folder = new URL(`packages/${name}/`, root)
  const manifest = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as Manifest
  if (manifest.private) return []
  return defineConfig({
    name,
    cwd: folder.pathname,
    tsconfig: 'tsconfig.json',
    entry: entries(manifest),
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    dts: { sourcemap: true },
    sourcemap: true,
    fixedExtension: false,
    publint: true,
  })
})
