import { createInstance, registerGlobalPlugins } from '@module-federation/runtime'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hostContainerPlugin, type HostModules } from './runtime.ts'

// Global plugins stay for the life of the process, so that each case is a host of its own.
let count = 0
const host = (modules: HostModules) => {
  const name = `host_${++count}`
  registerGlobalPlugins([hostContainerPlugin({ name, modules })])
  return name
}
const remote = (
  hostName: string,
  declared: { name?: string; alias?: string; entry?: string; entryGlobalName?: string } = {},
) =>
  createInstance({
    name: `remote_${++count}`,
    remotes: [
      {
        name: hostName,
        entry: 'https://host.example/remoteEntry.js',
        ...declared,
      },
    ],
  })

const reader = Object.freeze({ remote: 'auth-bridge' })
const requests = vi.fn<typeof fetch>()

beforeEach(() => {
  requests.mockReset().mockRejectedValue(new Error('the network was asked'))
  vi.stubGlobal('fetch', requests)
  // The runtime logs the failures that some cases want.
  vi.spyOn(console, 'error').mockImplementation(() => {})
})
afterEach(() => vi.unstubAllGlobals())

describe('hostContainerPlugin', () => {
  it('answers an import of the host from memory', async () => {
    const name = host({ './auth-bridge': () => ({ tokenBridge: reader }) })

    const module = await remote(name).loadRemote<{ tokenBridge: unknown }>(`${name}/auth-bridge`)

    expect(module?.tokenBridge).toBe(reader)
    expect(requests).not.toHaveBeenCalled()
  })

  it('evaluates the module once, however many remotes import it', async () => {
    const factory = vi.fn<() => { tokenBridge: unknown }>(() => ({ tokenBridge: reader }))
    const name = host({ './auth-bridge': factory })

    const modules = await Promise.all(
      [remote(name), remote(name), remote(name)].map((instance) =>
        instance.loadRemote(`${name}/auth-bridge`),
      ),
    )

    expect(factory).toHaveBeenCalledTimes(1)
    expect(new Set(modules).size).toBe(1)
  })

  it('does not evaluate a module that nobody imports', () => {
    const factory = vi.fn<() => object>(() => ({}))
    host({ './auth-bridge': factory as () => Record<string, unknown> })

    expect(factory).not.toHaveBeenCalled()
  })

  it('freezes the module, and looks like one to the interop of a bundler', async () => {
    const name = host({ './auth-bridge': () => ({ tokenBridge: reader }) })

    const module = await remote(name).loadRemote<Record<string, unknown>>(`${name}/auth-bridge`)

    expect(Object.isFrozen(module)).toBe(true)
    expect(() => Object.assign(module ?? {}, { tokenBridge: null })).toThrow(TypeError)
    expect(module).toHaveProperty('__esModule', true)
    expect(Object.keys(module ?? {})).toEqual(['tokenBridge'])
  })

  it('does not ask for the manifest of a host that is declared by its manifest', async () => {
    const name = host({ './auth-bridge': () => ({ tokenBridge: reader }) })
    const instance = remote(name, { entry: 'https://host.example/mf-manifest.json' })

    await expect(instance.loadRemote(`${name}/auth-bridge`)).resolves.toBeDefined()
    expect(requests).not.toHaveBeenCalled()
  })

  it('knows the host by its alias, and by the global name that Vite keeps when it mangles the name', async () => {
    const name = host({ './auth-bridge': () => ({ tokenBridge: reader }) })
    const aliased = remote(name, { name: `mangled_${name}`, alias: name })
    const vite = remote(name, { name: `__mfe_internal__${name}`, entryGlobalName: name })

    await expect(aliased.loadRemote(`${name}/auth-bridge`)).resolves.toBeDefined()
    await expect(vite.loadRemote(`__mfe_internal__${name}/auth-bridge`)).resolves.toBeDefined()
    expect(requests).not.toHaveBeenCalled()
  })

  it('names what there is when a remote asks for something else', async () => {
    const name = host({ './auth-bridge': () => ({ tokenBridge: reader }) })

    await expect(remote(name).loadRemote(`${name}/store`)).rejects.toThrow(
      /exposes no "\.\/store"\. The host exposes: \.\/auth-bridge/,
    )
  })

  it('makes the module anew when making it has failed', async () => {
    let fail = true
    const name = host({
      './auth-bridge': () => {
        if (fail) throw new Error('not ready')
        return { tokenBridge: reader }
      },
    })
    const instance = remote(name)
    await expect(instance.loadRemote(`${name}/auth-bridge`)).rejects.toThrow(/not ready/)
    fail = false

    await expect(instance.loadRemote(`${name}/auth-bridge`)).resolves.toBeDefined()
  })

  it('leaves every other remote alone', async () => {
    const name = host({ './auth-bridge': () => ({ tokenBridge: reader }) })
    const instance = createInstance({
      name: `remote_${++count}`,
      remotes: [{ name: `other_${name}`, entry: 'https://other.example/remoteEntry.js' }],
    })

    await expect(instance.loadRemote(`other_${name}/auth-bridge`)).rejects.toThrow(
      /the network was asked/,
    )
    expect(requests).toHaveBeenCalledWith('https://other.example/remoteEntry.js')
  })

  it('refuses a name or a module that it cannot use', () => {
    expect(() => hostContainerPlugin({ name: '', modules: {} })).toThrow(TypeError)
    expect(() =>
      hostContainerPlugin({
        name: 'host_app',
        modules: { './x': 1 as unknown as () => object } as HostModules,
      }),
    ).toThrow(/modules\['\.\/x'\]` must be a function/)
  })
})
