import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createInstance, type ModuleFederation } from '@module-federation/runtime'
import { inspectShareScope, type ShareFinding } from './inspect-share-scope.ts'

interface Share {
  readonly version: string
  readonly singleton?: boolean
  readonly range?: string | false
  readonly scopes?: string[]
}

/** The page that the runtime itself makes of these builds. */
const page = (): object => ({
  __FEDERATION__: { __INSTANCES__: made },
  ...(owner !== undefined && { [Symbol.for('@token-bridge/owner')]: { version: owner } }),
})
let made: ModuleFederation[] = []
let owner: string | undefined
beforeEach(() => {
  made = []
  owner = undefined
  // The runtime itself only warns of a range that is not met.
  vi.spyOn(console, 'warn').mockImplementation(() => {})
})
afterEach(() => {
  Reflect.get(globalThis, '__FEDERATION__').__INSTANCES__.length = 0
})

function build(
  name: string,
  shares: Readonly<Record<string, Share | readonly Share[]>>,
  into?: ModuleFederation,
  scope = 'default',
): ModuleFederation {
  const instance = createInstance({
    name,
    remotes: [],
    shareStrategy: 'loaded-first',
    shared: Object.fromEntries(
      Object.entries(shares).map(([shared, ways]) => [
        shared,
        [ways]
          .flat()
          .map(({ version, singleton = true, range = `^${version}`, scopes = [scope] }) => ({
            version,
            scope: scopes,
            get: async () => () => ({ version }),
            shareConfig: { singleton, requiredVersion: range },
          })),
      ]),
    ),
  })
  made.push(instance)
  if (into !== undefined) join(instance, into, scope)
  else void instance.initializeSharing(scope)
  return instance
}

/** As a container's `init` does it. */
function join(instance: ModuleFederation, host: ModuleFederation, scope: string): void {
  const { shareScopeMap: hostShareScopeMap } = host
  instance.initShareScopeMap(scope, (hostShareScopeMap[scope] ??= {}), { hostShareScopeMap })
  void instance.initializeSharing(scope)
}

const use = async (instance: ModuleFederation, name: string): Promise<unknown> => {
  const factory = await instance.loadShare(name)
  return factory === false ? false : factory()
}
const found = (): readonly ShareFinding[] => inspectShareScope(page())
const kinds = (): string[] => found().map((one) => `${one.package}: ${one.kind}`)
const only = (): ShareFinding => {
  const [first, ...others] = found()
  if (first === undefined || others.length > 0) throw new Error(`found: ${kinds().join()}`)
  return first
}

it('finds nothing in a page without Module Federation', () => {
  expect(inspectShareScope({})).toEqual([])
  expect(inspectShareScope({ __FEDERATION__: {} })).toEqual([])
})

it('finds nothing when host and remotes run on the copies of the host', async () => {
  owner = '0.1.0'
  const react = { react: { version: '19.3.1' } }
  const host = build('host', { ...react, '@token-bridge/core': { version: '0.1.0' } })
  await use(host, 'react')
  await use(host, '@token-bridge/core')
  const orders = build('orders', { react: { version: '19.3.4', range: '^19.0.0' } }, host)
  expect(await use(orders, 'react')).toEqual({ version: '19.3.1' })
  expect(found()).toEqual([])
})

it('finds a second copy in use, and says who brought each and who runs on it', async () => {
  const host = build('host', { react: { version: '19.3.1' } })
  await use(host, 'react')
  const orders = build(
    'orders',
    { react: { version: '18.3.1', singleton: false, range: '^18.0.0' } },
    host,
  )
  // It will not run on the host's.
  expect(kinds()).toEqual(['react: not-singleton'])
  expect(await use(orders, 'react')).toEqual({ version: '18.3.1' })

  expect(kinds()).toEqual(['react: not-singleton', 'react: duplicate'])
  const [careless, duplicate] = found()
  expect(careless?.mend).toMatch(/^"orders" shares react without `singleton: true`/)
  expect(duplicate).toEqual({
    package: 'react',
    kind: 'duplicate',
    versions: [
      { version: '19.3.1', from: 'host', loaded: true, usedBy: ['host'] },
      { version: '18.3.1', from: 'orders', loaded: true, usedBy: ['orders'] },
    ],
    mend: expect.stringMatching(
      /^react is in the page 2 times: 19\.3\.1 from "host", 18\.3\.1 from "orders"\..*sharing\(\)/,
    ) as string,
  })
})

it('finds the higher version of a remote that every later build runs on, though the host brings its own', async () => {
  const host = build('host', { '@token-bridge/core': { version: '0.1.0' } })
  const rogue = build('rogue', { '@token-bridge/core': { version: '9.9.9' } }, host)
  await use(rogue, '@token-bridge/core')
  expect(await use(host, '@token-bridge/core')).toEqual({ version: '9.9.9' })

  expect(kinds()).toEqual(['@token-bridge/core: taken-over', '@token-bridge/core: range'])
  expect(found()[0]).toMatchObject({
    versions: [
      { version: '0.1.0', from: 'host', loaded: false, usedBy: [] },
      { version: '9.9.9', from: 'rogue', loaded: true, usedBy: ['rogue', 'host'] },
    ],
    mend: expect.stringMatching(
      /^The page runs on 9\.9\.9 from "rogue" \(used by "host"\), not on the copy of "host"\..*authGatePlugin/,
    ) as string,
  })
})

it('finds a build that runs on a version it was not built for', async () => {
  const host = build('host', { react: { version: '18.3.1' } })
  await use(host, 'react')
  const orders = build('orders', { react: { version: '19.3.1' } }, host)
  expect(await use(orders, 'react')).toEqual({ version: '18.3.1' })

  expect(only()).toEqual({
    package: 'react',
    kind: 'range',
    versions: [
      { version: '18.3.1', from: 'host', loaded: true, usedBy: ['host', 'orders'] },
      { version: '19.3.1', from: 'orders', loaded: false, usedBy: [] },
    ],
    mend: '"orders" was built for react ^19.3.1 and runs on 18.3.1 from "host" (used by "orders"). Build one of them again, with the version of the other.',
  })
})

it.each([false as const, '*'])(
  'lets a build that asks for no range (%s) run on any version',
  async (range) => {
    const host = build('host', { react: { version: '18.3.1' } })
    await use(host, 'react')
    await use(build('orders', { react: { version: '19.3.1', range } }, host), 'react')
    expect(found()).toEqual([])
  },
)

it('finds a renderer that comes from another build than its React', async () => {
  const host = build('host', { react: { version: '19.3.1' }, 'react-dom': { version: '19.3.1' } })
  await use(host, 'react-dom')
  const shares = { 'react-dom': { version: '19.3.1' }, 'react-dom/client': { version: '19.3.1' } }
  const orders = build('orders', shares, host)
  await use(orders, 'react-dom')
  expect(found()).toEqual([])
  await use(orders, 'react-dom/client')

  expect(only()).toEqual({
    package: 'react-dom/client',
    kind: 'split-package',
    versions: [
      { version: '19.3.1', from: 'orders', loaded: true, usedBy: ['orders'] },
      { version: '19.3.1', from: 'host', loaded: true, usedBy: ['host', 'orders'] },
    ],
    mend: expect.stringMatching(
      /React error 321.*add it to `shared` of "host"\. sharing\(\)/,
    ) as string,
  })
})

it('says nothing of an entry without a state of its own that comes from another build, or whose package nobody uses', async () => {
  const host = build('host', { react: { version: '19.3.1' } })
  await use(host, 'react')
  await use(
    build('reports', { 'react-dom/client': { version: '19.3.1' } }, host),
    'react-dom/client',
  )
  await use(
    build('orders', { 'react/jsx-runtime': { version: '19.3.1' } }, host),
    'react/jsx-runtime',
  )
  expect(found()).toEqual([])
})

// module-federation/vite#978: remotes whose container was never given the host's scope.
it('finds builds that are not connected and have a copy each, be it of one version', async () => {
  await use(build('host', { react: { version: '19.3.1' } }), 'react')
  await use(build('second_host', { react: { version: '19.3.1' } }), 'react')

  expect(only()).toMatchObject({
    package: 'react',
    kind: 'separate-scope',
    versions: [{ from: 'host' }, { from: 'second_host' }],
    mend: expect.stringMatching(/2 share scopes that do not know each other.*loadRemote/) as string,
  })
})

it("takes a build for connected that has the host's shares in a scope object of its own, as Vite's development server does", async () => {
  const host = build('host', { react: { version: '19.3.1' }, zustand: { version: '5.1.0' } })
  await use(host, 'react')
  const orders = build('orders', { zustand: { version: '5.1.0' } })
  Object.assign(orders.shareScopeMap['default'] ?? {}, {
    react: { ...host.shareScopeMap['default']?.['react'] },
  })
  expect(found()).toEqual([])
  // What each has brought by itself since then is still a copy of its own.
  await use(host, 'zustand')
  await use(orders, 'zustand')
  expect(kinds()).toEqual(['zustand: duplicate'])
})

it('takes scopes of different names for what they are: kept apart on purpose, whatever is in both', async () => {
  const host = build('host', { react: { version: '19.3.1' } })
  await use(host, 'react')
  const both = { rxjs: { version: '7.8.2', scopes: ['default', 'old'] } }
  const old = build('old', { react: { version: '17.0.2' }, ...both }, host, 'old')
  join(old, host, 'default')
  await use(old, 'react')
  const { default: current, old: legacy } = host.shareScopeMap
  expect(legacy?.['rxjs']?.['7.8.2']).toBe(current?.['rxjs']?.['7.8.2'])
  expect(found()).toEqual([])
})

it('lets every build have its own copy of what nobody shares as a singleton', async () => {
  const plain = (version: string) => ({ lodash: { version, singleton: false } })
  const host = build('host', plain('3.0.0'))
  await use(host, 'lodash')
  await use(build('orders', plain('4.0.0'), host), 'lodash')
  expect(found()).toEqual([])
})

it('finds that the session is owned by a copy of core that is not the shared one', async () => {
  owner = '0.0.9'
  await use(build('host', { '@token-bridge/core': { version: '0.1.0' } }), '@token-bridge/core')
  expect(only()).toMatchObject({
    package: '@token-bridge/core',
    kind: 'second-core',
    versions: [
      { version: '0.1.0', from: 'host' },
      { version: '0.0.9', from: null, usedBy: [] },
    ],
    mend: expect.stringMatching(
      /version 0\.0\.9 that is in no share scope.*mount\(el, \{ auth \}\)/,
    ) as string,
  })
})

it('takes a copy for used that a container of Vite runs on without marking it as loaded', () => {
  const share = (from: string) => ({
    version: '1.0.0',
    from,
    useIn: [from],
    shareConfig: { singleton: true, requiredVersion: '^1.0.0' },
  })
  const versions = { '1.0.0': share('host'), '1.1.0': share('remote_vite') }
  const realm = {
    __FEDERATION__: {
      __INSTANCES__: [
        {
          name: 'host',
          options: { shared: { zustand: [share('host')] } },
          shareScopeMap: { default: { zustand: versions } },
        },
      ],
    },
  }
  expect(inspectShareScope(realm).map(({ kind }) => kind)).toEqual(['duplicate'])
})

it('returns frozen plain data, and leaves the scope as it was', async () => {
  const host = build('host', { react: { version: '18.3.1' } })
  await use(host, 'react')
  const orders = build('orders', { react: { version: '19.3.1' } }, host)
  const scope = JSON.stringify(host.shareScopeMap)
  const findings = found()
  expect(JSON.stringify(host.shareScopeMap)).toBe(scope)
  expect(orders.shareScopeMap['default']).toBe(host.shareScopeMap['default'])

  expect(JSON.parse(JSON.stringify(findings))).toEqual(findings)
  const [first] = findings
  for (const value of [
    findings,
    first,
    first?.versions,
    first?.versions[0],
    first?.versions[0]?.usedBy,
  ])
    expect(Object.isFrozen(value)).toBe(true)
  expect(host.shareScopeMap['default']?.['react']?.['18.3.1']?.useIn).not.toBe(
    first?.versions[0]?.usedBy,
  )
})
