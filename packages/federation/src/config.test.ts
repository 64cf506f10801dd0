import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInstance } from '@module-federation/runtime'
import { isAuthError } from '@token-bridge/core/errors'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { sharedSingletons, sharing, type SharedSingletonsOptions } from './config.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A project in which these packages are installed, by folder below `node_modules`. */
function project(packages: Readonly<Record<string, object>>): string {
  const root = mkdtempSync(join(tmpdir(), 'token-bridge-project-'))
  folders.push(root)
  for (const [name, manifest] of Object.entries(packages)) {
    const file = join(root, 'node_modules', name, 'package.json')
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify({ name, ...manifest }))
  }
  return root
}
const core = { '@token-bridge/core': { version: '0.4.2' } }

/** The message of the typed error. */
function refusal(options: SharedSingletonsOptions): string {
  try {
    sharedSingletons(options)
  } catch (error) {
    if (isAuthError(error, 'ERR_CONFIG')) return error.message
    throw error
  }
  return 'not refused'
}

describe('sharedSingletons', () => {
  it('makes a singleton of every package that it knows and finds, in the range of the installed version', () => {
    const root = project({
      ...core,
      react: { version: '18.2.0' },
      'react-dom': { version: '18.3.1' },
      rxjs: { version: '7.8.2' },
      'react-redux': { version: '9.3.1' },
      zustand: { version: '5.1.0' },
      '@reduxjs/toolkit': { version: '2.14.0' },
      '@token-bridge/react': { version: '0.4.2' },
      '@token-bridge/redux': { version: '0.4.3' },
      '@token-bridge/zustand': { version: '0.4.4' },
      lodash: { version: '4.0.0' },
    })
    const singleton = (range: string) => ({ singleton: true, requiredVersion: range })

    expect(sharedSingletons({ root })).toEqual({
      react: singleton('^18.2.0'),
      'react-dom': singleton('^18.3.1'),
      'react-dom/client': singleton('^18.3.1'),
      'react-redux': singleton('^9.3.1'),
      '@reduxjs/toolkit': singleton('^2.14.0'),
      rxjs: singleton('^7.8.2'),
      zustand: singleton('^5.1.0'),
      '@token-bridge/react': singleton('^0.4.2'),
      '@token-bridge/redux': singleton('^0.4.3'),
      '@token-bridge/zustand': singleton('^0.4.4'),
      '@token-bridge/core': singleton('^0.4.2'),
    })
  })

  // module-federation/vite resolves every name that it is given, so one that is not installed breaks its build.
  it('leaves out what is not installed', () => {
    const root = project({ ...core, rxjs: { version: '7.8.2' } })
    expect(Object.keys(sharedSingletons({ root }))).toEqual(['rxjs', '@token-bridge/core'])
  })

  it('reads from the working directory unless it is told the root', () => {
    const require = createRequire(import.meta.url)
    const { version } = JSON.parse(readFileSync(require.resolve('react/package.json'), 'utf8')) as {
      version: string
    }
    expect(sharedSingletons()['react']?.requiredVersion).toBe(`^${version}`)
  })

  it('finds a package above the root, and takes the nearest', () => {
    const root = project({ ...core, react: { version: '19.0.0' }, rxjs: { version: '7.0.0' } })
    const nested = join(root, 'apps/shop')
    mkdirSync(join(nested, 'node_modules/react'), { recursive: true })
    writeFileSync(join(nested, 'node_modules/react/package.json'), '{"version":"18.3.1"}')
    const shared = sharedSingletons({ root: nested })
    expect(shared['react']?.requiredVersion).toBe('^18.3.1')
    expect(shared['rxjs']?.requiredVersion).toBe('^7.0.0')
  })

  it('reads the manifest of a package that does not export it', () => {
    const root = project({ ...core, rxjs: { version: '7.8.2', exports: { '.': './index.js' } } })
    expect(sharedSingletons({ root })['rxjs']?.requiredVersion).toBe('^7.8.2')
  })

  it('finds the project itself, by its own name', () => {
    const root = project(core)
    const own = {
      name: '@org/ui',
      version: '3.1.4',
      exports: { './package.json': './package.json' },
    }
    writeFileSync(join(root, 'package.json'), JSON.stringify(own))
    expect(sharedSingletons({ root, packages: ['@org/ui'] })['@org/ui']?.requiredVersion).toBe(
      '^3.1.4',
    )
  })

  it('shares only the packages that are named, and core', () => {
    const root = project({ ...core, react: { version: '19.3.1' }, '@org/ui': { version: '2.0.0' } })
    expect(sharedSingletons({ root, packages: ['@org/ui/button'] })).toEqual({
      '@org/ui/button': { singleton: true, requiredVersion: '^2.0.0' },
      '@token-bridge/core': { singleton: true, requiredVersion: '^0.4.2' },
    })
  })

  it('leaves the host its own copy of core and gives a remote none', () => {
    const root = project({ ...core, rxjs: { version: '7.8.2' } })
    expect(sharedSingletons({ root, role: 'host' })['@token-bridge/core']).not.toHaveProperty(
      'import',
    )
    expect(sharedSingletons({ root, role: 'remote' })).toEqual({
      rxjs: { singleton: true, requiredVersion: '^7.8.2' },
      '@token-bridge/core': { singleton: true, requiredVersion: '^0.4.2', import: false },
    })
  })

  it('does without core in a remote that has not installed it', () => {
    const root = project({ react: { version: '19.3.1' } })
    expect(Object.keys(sharedSingletons({ root, role: 'remote' }))).toEqual(['react'])
  })

  it('returns a map of its own to each caller, because bundlers write into it', () => {
    const root = project(core)
    expect(sharedSingletons({ root })).not.toBe(sharedSingletons({ root }))
  })

  it.each([
    [
      'a role that does not exist',
      { role: 'guest' },
      /`role` must be 'host' or 'remote', got guest/,
    ],
    ['packages that are no list', { packages: 'react' }, /`packages` must be a list of names/],
    [
      'a package that is not installed',
      { packages: ['react'] },
      /installed; "react" is not, seen from/,
    ],
    ['a path', { packages: ['./src/auth'] }, /installed; "\.\/src\/auth" is not/],
    ['an empty name', { packages: [''] }, /installed; "" is not/],
  ])('refuses %s', (_what, options, message) => {
    const root = project(core)
    expect(refusal({ root, ...options } as SharedSingletonsOptions)).toMatch(message)
  })

  it('refuses a host without core, which a wrong root looks like too', () => {
    const root = project({ react: { version: '19.3.1' } })
    expect(refusal({ root })).toBe(
      `sharedSingletons: \`packages\` must be installed; "@token-bridge/core" is not, seen from ${root}.`,
    )
  })
})

describe('sharing', () => {
  it('gives the map together with the strategy', () => {
    const root = project({ ...core, react: { version: '19.3.1' } })
    expect(sharing({ root, role: 'remote' })).toEqual({
      shareStrategy: 'loaded-first',
      shared: sharedSingletons({ root, role: 'remote' }),
    })
  })

  // module-federation/core#3209, #3877
  it('names the strategy by which a shared import asks no remote; by the other one it asks all, and fails with a gate that refuses one', async () => {
    // The runtime logs what it throws.
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const asked: string[] = []
    const start = (shareStrategy: 'loaded-first' | 'version-first', refuses: boolean) => {
      const host = createInstance({
        name: `host_${shareStrategy}_${refuses}`,
        shareStrategy,
        remotes: [{ name: 'orders', entry: 'https://orders.example/remoteEntry.js' }],
        shared: { react: { version: '19.3.1', lib: () => 'react' } },
        plugins: [
          {
            name: 'gate',
            async beforeRequest(request) {
              if (refuses) throw new Error('not signed in')
              return request
            },
            async loadEntry({ remoteInfo }) {
              asked.push(`${shareStrategy}: ${remoteInfo.entry}`)
              return { init() {}, get: () => async () => ({}) }
            },
          },
        ],
      })
      return host.loadShare<string>('react').then((factory) => factory !== false && factory())
    }

    const { shareStrategy } = sharing({ root: project(core) })
    expect(await start(shareStrategy, false)).toBe('react')
    expect(await start(shareStrategy, true)).toBe('react')
    expect(asked).toEqual([])
    expect(await start('version-first', false)).toBe('react')
    expect(asked).toEqual(['version-first: https://orders.example/remoteEntry.js'])
    await expect(start('version-first', true)).rejects.toThrow('not signed in')
  })
})
