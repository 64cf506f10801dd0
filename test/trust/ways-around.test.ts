import type { ModuleFederation, ModuleFederationRuntimePlugin } from '@module-federation/runtime'
import { describe, expect, it } from 'vitest'
import { BUNDLERS } from './sites.ts'
import { failed, tamper, useTrustPage } from './trust-page.ts'

declare global {
  var __FEDERATION__: {
    __INSTANCES__: ModuleFederation[]
    __GLOBAL_PLUGIN__: ModuleFederationRuntimePlugin[]
    moduleInfo: Record<string, object>
  }
  var __GLOBAL_LOADING_REMOTE_ENTRY__: Record<string, Promise<object>>
  /** What the attacker would have mounted. */
  var fake: { init(): void; get(): Promise<() => object> }
}

const trust = useTrustPage()

/** The attacker's container: whoever mounts from it sets `tampered`. */
const plantFake = (): void => {
  globalThis.fake = {
    init() {},
    get: async () => () => ({
      mount(element: HTMLElement) {
        globalThis.tampered = 'fake'
        element.textContent = 'fake'
      },
    }),
  }
}

const expectRefused = async (shown: RegExp = /ERR_REMOTE_BYPASSED$/): Promise<void> => {
  for (const bundler of BUNDLERS) expect(await trust.load(bundler)).toMatch(shown)
  expect(await trust.ranTampered()).toBeUndefined()
}
const expectGenuine = (): Promise<void> => expectRefused(/^built by (webpack|rspack|vite)$/)

describe("a way around a pin that Module Federation's own globals offer is closed:", () => {
  it('a global with the name of the container, set beforehand', async () => {
    await trust.page.addInitScript(plantFake)
    await trust.page.addInitScript(() =>
      Object.assign(globalThis, {
        remote_webpack: globalThis.fake,
        remote_rspack: globalThis.fake,
      }),
    )
    await trust.open()
    for (const bundler of ['webpack', 'rspack'] as const)
      expect(await trust.load(bundler)).toMatch(/ERR_REMOTE_BYPASSED$/)
    expect(await trust.mounts()).toEqual([
      failed('webpack', 'ERR_REMOTE_BYPASSED'),
      failed('rspack', 'ERR_REMOTE_BYPASSED'),
    ])
    expect(await trust.ranTampered()).toBeUndefined()
    // A module has no global.
    expect(await trust.load('vite')).toBe('built by vite')
  })

  it('chunks that wait under the name by which a script hands them over', async () => {
    await trust.page.addInitScript(() =>
      Object.assign(globalThis, {
        webpackChunkremote_webpack: [[['x'], { x: () => (globalThis.tampered = 'chunk') }]],
        rspackChunkremote_rspack: [[['x'], { x: () => (globalThis.tampered = 'chunk') }]],
      }),
    )
    await trust.open()
    for (const bundler of ['webpack', 'rspack'] as const)
      expect(await trust.load(bundler)).toMatch(/ERR_REMOTE_BYPASSED$/)
    expect(await trust.ranTampered()).toBeUndefined()
  })

  it("a script tag with the entry's address in the page's markup, run before the gate stands", async () => {
    for (const bundler of BUNDLERS) {
      tamper(trust.sites.remotes[bundler], 'remoteEntry.js')
      trust.sites.early += `<script src="${trust.sites.remotes[bundler].origin}/remoteEntry.js"
        ${bundler === 'vite' ? 'type="module"' : ''} crossorigin></script>`
    }
    // By then its server gives the genuine one again: what is refused is what the page has already.
    await trust.open()
    const { early } = trust.sites
    trust.sites.restore()
    expect(early).not.toBe('')
    expect(await trust.ranTampered()).toBe('remoteEntry.js')
    for (const bundler of BUNDLERS)
      expect(await trust.load(bundler)).toMatch(/ERR_REMOTE_BYPASSED$/)
  })

  it('a script tag that is planted later: it gets the hash that the entry has, or one that nothing has', async () => {
    for (const bundler of BUNDLERS) tamper(trust.sites.remotes[bundler], 'remoteEntry.js')
    await trust.open()
    const outcomes = await trust.page.evaluate(
      (addresses) =>
        Promise.all(
          addresses.flatMap((address) =>
            ['src', 'setAttribute'].map(
              (way) =>
                new Promise<string>((resolve) => {
                  const script = document.createElement('script')
                  script.type = address.type
                  if (way === 'src') script.src = address.src
                  else script.setAttribute('src', address.src)
                  script.onload = () => resolve('ran')
                  script.onerror = () => resolve('refused')
                  document.head.append(script)
                }),
            ),
          ),
        ),
      BUNDLERS.map((bundler) => ({
        src: `${trust.sites.remotes[bundler].origin}/remoteEntry.js`,
        type: bundler === 'vite' ? 'module' : 'text/javascript',
      })),
    )
    expect(outcomes).toEqual(Array.from({ length: 6 }, () => 'refused'))
    expect(await trust.ranTampered()).toBeUndefined()
  })

  it('the map of entries that are being loaded', async () => {
    await trust.page.addInitScript(plantFake)
    await trust.open()
    await trust.page.evaluate(
      (entries) => {
        for (const [name, entry] of entries)
          globalThis.__GLOBAL_LOADING_REMOTE_ENTRY__[`${name}:${entry}`] = Promise.resolve(fake)
      },
      Object.entries(trust.sites.trust.remotes).map(([name, { entry }]) => [name, entry] as const),
    )
    await expectRefused()
    expect(await trust.mounts()).toHaveLength(3)
  })

  it('a raw container under the name of the remote', async () => {
    await trust.page.addInitScript(plantFake)
    await trust.open()
    await trust.page.evaluate(
      (entries) => {
        for (const [name, entry] of entries)
          __FEDERATION__.__INSTANCES__[0]?.initRawContainer(name, entry, fake as never)
      },
      Object.entries(trust.sites.trust.remotes).map(([name, { entry }]) => [name, entry] as const),
    )
    await expectRefused()
  })

  it('the verified container of another remote, as a raw container', async () => {
    await trust.open()
    expect(await trust.load('webpack')).toBe('built by webpack')
    await trust.page.evaluate((entry) => {
      const genuine = globalThis['remote_webpack' as never]
      __FEDERATION__.__INSTANCES__[0]?.initRawContainer('remote_rspack', entry, genuine)
    }, trust.sites.trust.remotes['remote_webpack']?.entry ?? '')
    expect(await trust.load('rspack')).toMatch(/ERR_REMOTE_(BYPASSED|UNKNOWN)$/)
  })

  const hostile = (name: string): void => {
    plantAll(name)
    function plantAll(pluginName: string): void {
      const answer = async (): Promise<never> => globalThis.fake as never
      const plugin: ModuleFederationRuntimePlugin = {
        name: pluginName,
        loadEntry: answer,
        loadEntryError: answer,
        getModuleFactory: async () => (await globalThis.fake.get()) as never,
        onLoad: async () => (await globalThis.fake.get())() as never,
        errorLoadRemote: async () => (await globalThis.fake.get())() as never,
      }
      Object.assign(globalThis, { hostilePlugin: plugin })
    }
  }

  it('a global plugin that was there first', async () => {
    await trust.page.addInitScript(plantFake)
    await trust.page.addInitScript(hostile, 'first')
    await trust.page.addInitScript(() => {
      Object.defineProperty(globalThis, '__FEDERATION__', {
        value: { __GLOBAL_PLUGIN__: [globalThis['hostilePlugin' as never]] },
        configurable: false,
        writable: true,
      })
    })
    await trust.open()
    await expectGenuine()
  })

  it.each(['global', 'instance'])('a plugin of the %s kind that is added later', async (kind) => {
    await trust.page.addInitScript(plantFake)
    await trust.page.addInitScript(hostile, 'later')
    await trust.open()
    await trust.page.evaluate((where) => {
      const plugin = globalThis['hostilePlugin' as never] as ModuleFederationRuntimePlugin
      const host = __FEDERATION__.__INSTANCES__[0]
      if (where === 'global') __FEDERATION__.__GLOBAL_PLUGIN__.push(plugin)
      host?.registerPlugins(where === 'global' ? [] : [plugin])
    }, kind)
    await expectGenuine()
  })

  it('a plugin that makes a module out of a refusal', async () => {
    await trust.page.addInitScript(plantFake)
    await trust.page.addInitScript(hostile, 'later')
    for (const bundler of BUNDLERS) tamper(trust.sites.remotes[bundler], 'remoteEntry.js')
    await trust.open()
    await trust.page.evaluate(() =>
      __FEDERATION__.__INSTANCES__[0]?.registerPlugins([globalThis['hostilePlugin' as never]]),
    )
    await expectRefused(/is not available: ERR_REMOTE_TAMPERED$/)
  })

  it('taking the listeners away', async () => {
    for (const bundler of BUNDLERS) tamper(trust.sites.remotes[bundler], 'remoteEntry.js')
    await trust.open()
    await trust.page.evaluate(() => {
      const [host] = __FEDERATION__.__INSTANCES__
      if (host === undefined) return
      for (const { lifecycle } of [host.remoteHandler.hooks, host.loaderHook, host.hooks])
        for (const hook of Object.values(lifecycle)) hook.removeAll()
    })
    await expectRefused(/is not available: ERR_REMOTE_TAMPERED$/)
  })

  it('putting other hooks, handlers or global plugins in the place of ours', async () => {
    await trust.open()
    const outcomes = await trust.page.evaluate(() => {
      const host = __FEDERATION__.__INSTANCES__[0] as unknown as Record<string, any>
      const attempts: (() => void)[] = [
        () => (host.remoteHandler.hooks.lifecycle.loadEntry.emit = async () => fake),
        () => (host.remoteHandler.hooks.lifecycle.loadEntry = {}),
        () => (host.remoteHandler.hooks.lifecycle = {}),
        () => (host.remoteHandler.hooks = {}),
        () => (host.remoteHandler = {}),
        () => (host.loaderHook = {}),
        () => (host.sharedHandler = {}),
        () => (globalThis.__FEDERATION__ = {} as never),
        () => (__FEDERATION__.__GLOBAL_PLUGIN__ = []),
        () => __FEDERATION__.__GLOBAL_PLUGIN__.splice(0),
        () => __FEDERATION__.__GLOBAL_PLUGIN__.shift(),
      ]
      return attempts.map((attempt) => {
        try {
          attempt()
          return 'done'
        } catch (error) {
          return (error as Error).name
        }
      })
    })
    expect(new Set(outcomes)).toEqual(new Set(['TypeError']))
    expect(await trust.page.evaluate(() => __FEDERATION__.__GLOBAL_PLUGIN__[0]?.name)).toBe(
      '@token-bridge/auth-gate',
    )
  })

  it('an instance that is made later', async () => {
    await trust.page.addInitScript(plantFake)
    for (const bundler of BUNDLERS) tamper(trust.sites.remotes[bundler], 'remoteEntry.js')
    await trust.open()
    const outcome = await trust.page.evaluate(async (entry) => {
      const [host] = __FEDERATION__.__INSTANCES__
      const Instance = host?.constructor as new (options: object) => ModuleFederation
      const own = new Instance({ name: 'other', remotes: [{ name: 'remote_webpack', entry }] })
      return own.loadRemote('remote_webpack/mount').catch((error: { code: string }) => error.code)
    }, trust.sites.trust.remotes['remote_webpack']?.entry)
    expect(outcome).not.toBe('fake')
    expect(await trust.ranTampered()).toBeUndefined()
  })

  it('a remote that trust does not name, by script and by manifest', async () => {
    const { origin, files, requests } = trust.sites.remotes.webpack
    files.set('evil/remoteEntry.js', Buffer.from('globalThis.tampered = "unknown"'))
    files.set('evil/mf-manifest.json', Buffer.from('{}'))
    await trust.open()
    await trust.page.evaluate((base) => {
      __FEDERATION__.__INSTANCES__[0]?.registerRemotes([
        { name: 'remote_evil', entry: `${base}/evil/remoteEntry.js` },
        { name: 'remote_listed', entry: `${base}/evil/mf-manifest.json` },
      ])
    }, origin)
    expect(await trust.loadContainer('remote_evil')).toBe('ERR_REMOTE_UNKNOWN')
    expect(await trust.loadContainer('remote_listed')).toBe('ERR_REMOTE_UNKNOWN')
    expect(requests).toEqual([])
    expect(await trust.ranTampered()).toBeUndefined()
  })

  it('a snapshot that gives a remote another entry, and files to preload', async () => {
    const { origin, files } = trust.sites.remotes.webpack
    files.set('evil.js', Buffer.from('globalThis.tampered = "snapshot"'))
    await trust.open()
    await trust.page.evaluate((base) => {
      const assets = { js: { sync: ['evil.js'], async: [] }, css: { sync: [], async: [] } }
      for (const name of ['remote_webpack', 'remote_rspack', 'remote_vite'])
        __FEDERATION__.moduleInfo[name] = {
          version: '9',
          buildVersion: '9',
          globalName: 'evil',
          publicPath: `${base}/`,
          remoteEntry: 'evil.js',
          remoteEntryType: 'global',
          modules: [{ moduleName: 'mount', assets }],
          remotesInfo: {},
          shared: [],
          matchedVersion: '9',
        }
    }, origin)
    await expectGenuine()
    await trust.page.evaluate(() =>
      __FEDERATION__.__INSTANCES__[0]?.preloadRemote([{ nameOrAlias: 'remote_webpack' }]),
    )
    expect(await trust.ranTampered()).toBeUndefined()
  })

  it('a higher version of a shared package in the scope, and another copy under the one that is there', async () => {
    await trust.open()
    await trust.page.evaluate(() => {
      const [host] = __FEDERATION__.__INSTANCES__
      const versions = host?.shareScopeMap['default']?.['immer'] as unknown as Record<string, any>
      const evil = () => ({
        produce: () => {
          globalThis.tampered = 'share'
          return { by: 'evil' }
        },
      })
      const [own] = Object.values(versions)
      versions['99.0.0'] = {
        ...own,
        version: '99.0.0',
        loaded: true,
        lib: evil,
        get: async () => evil,
      }
      for (const slot of ['lib', 'get']) {
        const value = own[slot]
        own[slot] = slot === 'lib' ? evil : async () => evil
        if (own[slot] !== value) globalThis.tampered = slot
      }
    })
    await expectGenuine()
  })

  it('the version that this page has seen, when an older one is served to the second attempt', async () => {
    const site = trust.sites.remotes.rspack
    const remotes = { ...trust.sites.trust.remotes }
    const { entry } = remotes['remote_rspack'] ?? { entry: '' }
    trust.sites.trust = { ...trust.sites.trust, remotes: { ...remotes, remote_rspack: { entry } } }
    tamper(site, 'remoteEntry.js')
    await trust.open()
    expect(await trust.load('rspack')).toMatch(/ERR_REMOTE_TAMPERED$/)
    site.files = new Map(site.genuine)
    const { LIST_FILE } = await import('@token-bridge/federation/sign')
    const { resign } = await import('./sites.ts')
    site.files.set(
      LIST_FILE,
      await resign(site.genuine.get(LIST_FILE), { version: '1.9.9' }, trust.sites.key),
    )
    expect(await trust.load('rspack')).toMatch(/ERR_REMOTE_DOWNGRADE$/)
    site.files = new Map(site.genuine)
    expect(await trust.load('rspack')).toBe('built by rspack')
  })
})
