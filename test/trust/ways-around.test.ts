import { LIST_FILE } from '@token-bridge/federation/sign'
import { describe, expect, it } from 'vitest'
import { BUNDLERS, pathOf, resign } from './sites.ts'
import { failed, tamper, useTrustPage } from './trust-page.ts'

interface Hooks {
  lifecycle: Record<string, { emit?: unknown; removeAll?(): void }>
}

type Share = Record<string, unknown>

/** What an attacker finds of an instance. */
interface Instance {
  registerPlugins(plugins: object[]): void
  registerRemotes(remotes: object[], options?: { force: boolean }): void
  initRawContainer(name: string, entry: string, container: object): void
  preloadRemote(options: object[]): Promise<void>
  remoteHandler: { hooks: Hooks; loadRemote?: unknown }
  sharedHandler: { hooks: Hooks }
  loaderHook: Hooks
  hooks: Hooks
  shareScopeMap: { default: { immer: Record<string, Share> } }
  constructor: new (options: object) => { loadRemote(id: string): Promise<unknown> }
}

/** The page as an attacker sees it, and what the attacker has put there. */
interface Realm {
  __FEDERATION__: {
    __INSTANCES__: [Instance]
    __GLOBAL_PLUGIN__: { name: string }[]
    moduleInfo: Record<string, object>
  }
  __GLOBAL_LOADING_REMOTE_ENTRY__: Record<string, Promise<object>>
  /** A container of the attacker's. */
  fake: { init(): void; get(): Promise<() => object> }
  /** A plugin that gives the fake wherever the runtime takes an answer. */
  plugin: { name: string }
  remote_webpack: object
}

const trust = useTrustPage()

/** Whoever mounts from what this plants sets `tampered`. */
const plant = (): void => {
  const module = (): object =>
    Object.assign(() => module(), {
      mount(element: HTMLElement) {
        globalThis.tampered = 'fake'
        element.textContent = 'fake'
      },
    })
  const fake = { init() {}, get: async () => module }
  const answer = async (): Promise<object> => fake
  Object.assign(globalThis, {
    fake,
    plugin: {
      name: 'hostile',
      loadEntry: answer,
      loadEntryError: answer,
      getModuleFactory: async () => module,
      onLoad: async () => module(),
      errorLoadRemote: async () => module(),
    },
  })
}

/** What all three show. */
const shown = async (): Promise<string[]> => {
  const texts: string[] = []
  for (const bundler of BUNDLERS) texts.push(await trust.load(bundler))
  return texts
}
const refused = (code: string): string[] =>
  BUNDLERS.map((bundler) => `${bundler} is not available: ${code}`)
const GENUINE = BUNDLERS.map((bundler) => `built by ${bundler}`)

const entries = (): (readonly [string, string])[] =>
  Object.entries(trust.sites.trust.remotes).map(([name, { entry }]) => [name, entry] as const)

describe("a way around a pin that Module Federation's own globals offer is closed:", () => {
  it('a global with the name of the container, set beforehand', async () => {
    trust.plant(plant)
    trust.plant(() =>
      Object.assign(globalThis, {
        remote_webpack: (globalThis as unknown as Realm).fake,
        remote_rspack: (globalThis as unknown as Realm).fake,
      }),
    )
    await trust.open()
    for (const bundler of ['webpack', 'rspack'] as const)
      expect(await trust.load(bundler)).toMatch(/ERR_REMOTE_BYPASSED$/)
    expect(await trust.mounts()).toEqual([
      failed('webpack', 'ERR_REMOTE_BYPASSED'),
      failed('rspack', 'ERR_REMOTE_BYPASSED'),
    ])
    expect(await trust.ranTampered()).toBe('nothing')
    // A module has no global.
    expect(await trust.load('vite')).toBe('built by vite')
  })

  it('chunks that wait under the name by which a script hands them over', async () => {
    trust.plant(() =>
      Object.assign(globalThis, {
        webpackChunkremote_webpack: [[['x'], { x: () => (globalThis.tampered = 'chunk') }]],
        rspackChunkremote_rspack: [[['x'], { x: () => (globalThis.tampered = 'chunk') }]],
      }),
    )
    await trust.open()
    for (const bundler of ['webpack', 'rspack'] as const)
      expect(await trust.load(bundler)).toMatch(/ERR_REMOTE_BYPASSED$/)
    expect(await trust.ranTampered()).toBe('nothing')
  })

  it("a script tag with the entry's address in the page's markup, run before the gate stands", async () => {
    for (const bundler of BUNDLERS) {
      tamper(trust.sites.remotes[bundler], 'remoteEntry.js')
      trust.sites.early += `<script src="${trust.sites.remotes[bundler].origin}/remoteEntry.js"
        ${bundler === 'vite' ? 'type="module"' : ''} crossorigin></script>`
    }
    // By then its server gives the genuine one again: what is refused is what the page has already.
    await trust.open()
    trust.sites.restore()
    expect(await trust.ranTampered()).toBe('remoteEntry.js')
    for (const bundler of BUNDLERS)
      expect(await trust.load(bundler)).toMatch(/ERR_REMOTE_BYPASSED$/)
  })

  it('a module that the page has already, unchecked and not run yet', async () => {
    const site = trust.sites.remotes.vite
    const path = pathOf(site, 'more by', '.js')
    tamper(site, path)
    trust.sites.early = `<link rel="modulepreload" href="${site.origin}/${path}" crossorigin>`
    await trust.open()
    await trust.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)))
    expect(site.requests).toEqual([path])
    trust.sites.restore()
    expect(await trust.load('vite')).toBe('vite is not available: ERR_REMOTE_BYPASSED')
    expect(await trust.ranTampered()).toBe('nothing')
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
                  script.addEventListener('load', () => resolve('ran'))
                  script.addEventListener('error', () => resolve('refused'))
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
    expect(await trust.ranTampered()).toBe('nothing')
  })

  it('the map of entries that are being loaded', async () => {
    trust.plant(plant)
    await trust.open()
    await trust.page.evaluate((remotes) => {
      const { __GLOBAL_LOADING_REMOTE_ENTRY__: loading, fake } = globalThis as unknown as Realm
      for (const [name, entry] of remotes) loading[`${name}:${entry}`] = Promise.resolve(fake)
    }, entries())
    expect(await shown()).toEqual(refused('ERR_REMOTE_BYPASSED'))
    expect(await trust.ranTampered()).toBe('nothing')
    expect(await trust.mounts()).toHaveLength(3)
  })

  it('a raw container under the name of the remote', async () => {
    trust.plant(plant)
    await trust.open()
    await trust.page.evaluate((remotes) => {
      const { __FEDERATION__: federation, fake } = globalThis as unknown as Realm
      for (const [name, entry] of remotes)
        federation.__INSTANCES__[0].initRawContainer(name, entry, fake)
    }, entries())
    expect(await shown()).toEqual(refused('ERR_REMOTE_BYPASSED'))
    expect(await trust.ranTampered()).toBe('nothing')
  })

  it('the verified container of another remote, as a raw container', async () => {
    await trust.open()
    expect(await trust.load('webpack')).toBe('built by webpack')
    await trust.page.evaluate((remotes) => {
      const { __FEDERATION__: federation, remote_webpack: genuine } = globalThis as unknown as Realm
      const addresses = new Map(remotes)
      for (const [name, other] of [
        ['remote_rspack', 'remote_rspack'],
        ['remote_vite', 'remote_webpack'],
      ] as const)
        federation.__INSTANCES__[0].initRawContainer(name, addresses.get(other) ?? '', genuine)
    }, entries())
    expect(await trust.load('rspack')).toBe('rspack is not available: ERR_REMOTE_BYPASSED')
    expect(await trust.load('vite')).toBe('vite is not available: ERR_REMOTE_UNKNOWN')
  })

  it('a global plugin that was there first', async () => {
    trust.plant(plant)
    trust.plant(() => {
      Object.defineProperty(globalThis, '__FEDERATION__', {
        value: { __GLOBAL_PLUGIN__: [(globalThis as unknown as Realm).plugin] },
        configurable: false,
        writable: true,
      })
    })
    await trust.open()
    expect(await shown()).toEqual(GENUINE)
    expect(await trust.ranTampered()).toBe('nothing')
  })

  it.each(['global', 'instance'])('a plugin of the %s kind that is added later', async (kind) => {
    trust.plant(plant)
    await trust.open()
    await trust.page.evaluate((where) => {
      const { __FEDERATION__: federation, plugin } = globalThis as unknown as Realm
      if (where === 'global') federation.__GLOBAL_PLUGIN__.push(plugin)
      federation.__INSTANCES__[0].registerPlugins(where === 'global' ? [] : [plugin])
    }, kind)
    expect(await shown()).toEqual(GENUINE)
    expect(await trust.ranTampered()).toBe('nothing')
  })

  it('a plugin that makes a module out of a refusal', async () => {
    trust.plant(plant)
    for (const bundler of BUNDLERS) tamper(trust.sites.remotes[bundler], 'remoteEntry.js')
    await trust.open()
    await trust.page.evaluate(() => {
      const { __FEDERATION__: federation, plugin } = globalThis as unknown as Realm
      federation.__INSTANCES__[0].registerPlugins([plugin])
    })
    expect(await shown()).toEqual(refused('ERR_REMOTE_TAMPERED'))
    expect(await trust.ranTampered()).toBe('nothing')
  })

  it('taking the listeners away', async () => {
    for (const bundler of BUNDLERS) tamper(trust.sites.remotes[bundler], 'remoteEntry.js')
    await trust.open()
    await trust.page.evaluate(() => {
      const [host] = (globalThis as unknown as Realm).__FEDERATION__.__INSTANCES__
      for (const { lifecycle } of [host.remoteHandler.hooks, host.loaderHook, host.hooks])
        for (const hook of Object.values(lifecycle)) hook.removeAll?.()
    })
    expect(await shown()).toEqual(refused('ERR_REMOTE_TAMPERED'))
    expect(await trust.ranTampered()).toBe('nothing')
  })

  it('putting other hooks, handlers or global plugins in the place of ours', async () => {
    trust.plant(plant)
    for (const bundler of BUNDLERS) tamper(trust.sites.remotes[bundler], 'remoteEntry.js')
    await trust.open()
    await trust.page.evaluate(() => {
      const realm = globalThis as unknown as Realm
      const { __FEDERATION__: federation, fake } = realm
      const [host] = federation.__INSTANCES__
      const { lifecycle } = host.remoteHandler.hooks
      const emit = async (): Promise<object> => fake
      const none = { lifecycle: {} }
      const attempts: (() => unknown)[] = [
        () => Object.assign(lifecycle['loadEntry'] ?? {}, { emit }),
        () => (lifecycle['loadEntry'] = { emit }),
        () => (host.remoteHandler.hooks.lifecycle = { ...lifecycle, loadEntry: { emit } }),
        () => (host.remoteHandler.hooks = none),
        () => (host.remoteHandler = { hooks: none, loadRemote: async () => (await fake.get())() }),
        () => (host.loaderHook = none),
        () => (host.sharedHandler = { hooks: none }),
        () => (realm.__FEDERATION__ = { ...federation, __GLOBAL_PLUGIN__: [] }),
        () => (federation.__GLOBAL_PLUGIN__ = []),
        () => federation.__GLOBAL_PLUGIN__.splice(0),
        () => federation.__GLOBAL_PLUGIN__.shift(),
        () => (federation.__GLOBAL_PLUGIN__.length = 0),
      ]
      for (const attempt of attempts) {
        try {
          attempt()
        } catch {
          // Some are told, some are not: what counts is what the gate does then.
        }
      }
    })
    expect(await shown()).toEqual(refused('ERR_REMOTE_TAMPERED'))
    expect(await trust.ranTampered()).toBe('nothing')
    const first = await trust.page.evaluate(
      () => (globalThis as unknown as Realm).__FEDERATION__.__GLOBAL_PLUGIN__[0]?.name,
    )
    expect(first).toBe('@token-bridge/auth-gate')
  })

  it('an instance that is made later', async () => {
    for (const bundler of BUNDLERS) tamper(trust.sites.remotes[bundler], 'remoteEntry.js')
    await trust.open()
    const outcomes = await trust.page.evaluate((remotes) => {
      const [host] = (globalThis as unknown as Realm).__FEDERATION__.__INSTANCES__
      const other = new host.constructor({
        name: 'other',
        remotes: remotes.map(([name, entry]) => ({ name, entry })),
      })
      return Promise.all(
        remotes.map(async ([name]) => {
          const { mount } = (await other.loadRemote(`${name}/mount`)) as {
            mount(element: HTMLElement): void
          }
          const element = document.createElement('div')
          mount(element)
          return element.textContent
        }),
      )
    }, entries())
    expect(outcomes).toEqual(refused('ERR_REMOTE_TAMPERED'))
    expect(await trust.ranTampered()).toBe('nothing')
  })

  it.each(['beforeRequest', 'afterResolve', 'beforeInitContainer'])(
    'a plugin that gives another remote, or other shared packages, by %s',
    async (hook) => {
      await trust.open()
      await trust.page.evaluate((name) => {
        const [host] = (globalThis as unknown as Realm).__FEDERATION__.__INSTANCES__
        const evil = () => ({
          produce() {
            globalThis.tampered = 'share'
            return { by: 'evil' }
          },
        })
        const share = { version: '99.0.0', loaded: true, lib: evil, useIn: [], shareConfig: {} }
        const changes: Record<string, object> = {
          beforeRequest: { id: 'remote_rspack/mount' },
          afterResolve: { remote: { name: 'remote_rspack' } },
          beforeInitContainer: { shareScope: { immer: { '99.0.0': share } } },
        }
        host.registerPlugins([
          { name: 'hostile', [name]: async (args: object) => ({ ...args, ...changes[name] }) },
        ])
      }, hook)
      expect(await trust.load('rspack')).toBe('built by rspack')
      expect(await shown()).toEqual(GENUINE)
      expect(await trust.ranTampered()).toBe('nothing')
    },
  )

  it('a remote that trust does not name, by script and by manifest', async () => {
    const { origin, files, requests } = trust.sites.remotes.webpack
    files.set('evil/remoteEntry.js', Buffer.from('globalThis.tampered = "unknown"'))
    files.set('evil/mf-manifest.json', Buffer.from('{}'))
    await trust.open()
    await trust.page.evaluate((base) => {
      const [host] = (globalThis as unknown as Realm).__FEDERATION__.__INSTANCES__
      host.registerRemotes([
        { name: 'remote_evil', entry: `${base}/evil/remoteEntry.js` },
        { name: 'remote_listed', entry: `${base}/evil/mf-manifest.json` },
      ])
    }, origin)
    const codes = await trust.page.evaluate(() =>
      Promise.all(
        ['remote_evil', 'remote_listed'].map((name) =>
          trustHost.loadBare(name).catch((error: { code: string }) => error.code),
        ),
      ),
    )
    expect(codes).toEqual(['ERR_REMOTE_UNKNOWN', 'ERR_REMOTE_UNKNOWN'])
    expect(await trust.mounts()).toEqual([
      failed('remote_evil', 'ERR_REMOTE_UNKNOWN'),
      failed('remote_listed', 'ERR_REMOTE_UNKNOWN'),
    ])
    expect(requests).toEqual([])
    expect(await trust.ranTampered()).toBe('nothing')
  })

  it('a snapshot that gives a remote another entry, and files to preload', async () => {
    await trust.open()
    await trust.page.evaluate((remotes) => {
      const { moduleInfo } = (globalThis as unknown as Realm).__FEDERATION__
      const assets = { js: { sync: ['evil.js'], async: [] }, css: { sync: [], async: [] } }
      for (const [name, entry] of remotes)
        moduleInfo[`${name}:${entry}`] = {
          version: '9',
          buildVersion: '9',
          globalName: 'evil',
          publicPath: 'data:text/javascript,globalThis.tampered="snapshot"//',
          remoteEntry: 'evil.js',
          remoteEntryType: 'global',
          modules: [{ moduleName: 'mount', modulePath: './mount', assets }],
          remotesInfo: {},
          shared: [],
        }
    }, entries())
    expect(await shown()).toEqual(GENUINE)
    await trust.page.evaluate(async (remotes) => {
      const [host] = (globalThis as unknown as Realm).__FEDERATION__.__INSTANCES__
      // A manifest, for a remote whose entry is one: there the runtime would use what the snapshot says.
      const [name, entry] = ['remote_webpack', `${remotes[0]?.[1]}?mf-manifest.json`]
      const { moduleInfo } = (globalThis as unknown as Realm).__FEDERATION__
      moduleInfo[`other:${entry}`] = { ...moduleInfo[`${name}:${remotes[0]?.[1]}`] }
      host.registerRemotes([{ name: 'other', entry }])
      await host.preloadRemote([{ nameOrAlias: 'other' }]).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 200))
    }, entries())
    expect(await trust.ranTampered()).toBe('nothing')
  })

  it.each(['beside', 'instead of'])(
    "a higher version of a shared package %s the host's, and other code under the one that is there",
    async (where) => {
      await trust.open()
      await trust.page.evaluate((place) => {
        const [host] = (globalThis as unknown as Realm).__FEDERATION__.__INSTANCES__
        const versions = host.shareScopeMap.default.immer
        const evil = () => ({
          produce: () => {
            globalThis.tampered = 'share'
            return { by: 'evil' }
          },
        })
        const share = { loaded: true, lib: evil, get: async () => evil }
        for (const [version, own] of Object.entries(versions)) {
          versions['99.0.0'] = { ...own, ...share, version: '99.0.0' }
          Object.assign(own, share)
          if (place === 'instead of') delete versions[version]
        }
      }, where)
      expect(await shown()).toEqual(GENUINE)
      expect(await trust.ranTampered()).toBe('nothing')
    },
  )

  it('a higher version of a shared package that comes when a remote has started, before it asks for the package', async () => {
    await trust.open()
    await trust.page.evaluate(() => {
      const [host] = (globalThis as unknown as Realm).__FEDERATION__.__INSTANCES__
      const evil = () => ({
        produce() {
          globalThis.tampered = 'share'
          return { by: 'evil' }
        },
      })
      host.registerPlugins([
        {
          name: 'hostile',
          async afterInitRemote() {
            const versions = host.shareScopeMap.default.immer
            const [own] = Object.values(versions)
            versions['99.0.0'] = { ...own, version: '99.0.0', loaded: true, lib: evil }
          },
        },
      ])
    })
    expect(await shown()).toEqual(GENUINE)
    expect(await trust.ranTampered()).toBe('nothing')
  })

  it.each(['cache', 'start'])("the %s that Vite's containers keep on the global", async (part) => {
    const key = [...trust.sites.remotes.vite.genuine.values()]
      .map((body) => /"(__mf_init__virtual:[^"]+runtimeInit[^"]+)"/.exec(String(body))?.[1])
      .find((found) => found !== undefined)
    trust.plant(
      ([planted, name]) => {
        const produce = (): object => {
          globalThis.tampered = 'share'
          return { by: 'evil' }
        }
        const runtime = { loadShare: async () => () => ({ produce }) }
        Object.assign(
          globalThis,
          planted === 'cache'
            ? { __mf_module_cache__: { share: { 'default:immer': { produce } }, remote: {} } }
            : { [name]: { initPromise: Promise.resolve(runtime), initResolve() {} } },
        )
      },
      [part, key ?? ''] as const,
    )
    await trust.open()
    expect(await shown()).toEqual([
      'built by webpack',
      'built by rspack',
      'vite is not available: ERR_REMOTE_BYPASSED',
    ])
    expect(await trust.ranTampered()).toBe('nothing')
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
    site.files.set(
      LIST_FILE,
      await resign(site.genuine.get(LIST_FILE), { version: '1.9.9' }, trust.sites.key),
    )
    expect(await trust.load('rspack')).toMatch(/ERR_REMOTE_DOWNGRADE$/)
    site.files = new Map(site.genuine)
    expect(await trust.load('rspack')).toBe('built by rspack')
  })

  it('a file of an older list, when a newer one without it has been accepted', async () => {
    const site = trust.sites.remotes.rspack
    const list = site.genuine.get(LIST_FILE)
    const [, body = ''] = String(list).split('.')
    const { files } = JSON.parse(Buffer.from(body, 'base64url').toString()) as {
      files: Record<string, string>
    }
    const { [pathOf(site, 'more by', '.js')]: _gone, ...left } = files
    tamper(site, 'remoteEntry.js')
    await trust.open()
    expect(await trust.load('rspack')).toMatch(/ERR_REMOTE_TAMPERED$/)
    site.files = new Map(site.genuine)
    site.files.set(
      LIST_FILE,
      await resign(list, { version: '2.1.0', files: left }, trust.sites.key),
    )
    expect(await trust.load('rspack')).toBe('built by rspack')
    expect(await trust.more('rspack')).toMatch(/^failed/)
  })

  it('a remote that is registered anew by force: it is what was verified, and asked for once', async () => {
    await trust.open()
    expect(await shown()).toEqual(GENUINE)
    await trust.page.evaluate((remotes) => {
      const [host] = (globalThis as unknown as Realm).__FEDERATION__.__INSTANCES__
      host.registerRemotes(
        remotes.map(([name, entry]) => ({ name, entry })),
        { force: true },
      )
    }, entries())
    expect(await shown()).toEqual(GENUINE)
    for (const { requests } of Object.values(trust.sites.remotes))
      expect(requests.filter((path) => path === LIST_FILE)).toHaveLength(1)
  })
})
