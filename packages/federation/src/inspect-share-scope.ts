import { satisfy } from '@module-federation/runtime'

/** What is wrong with a shared package. */
export type ShareFault =
  /** More than one copy of a singleton is in use. */
  | 'duplicate'
  /** The copy in use is not the host's, which brings one. */
  | 'taken-over'
  /** A build needs a version that the copy in use does not have. */
  | 'range'
  /** One build shares it as a singleton and another does not. */
  | 'not-singleton'
  /** An entry of the package comes from another build than the package itself. */
  | 'split-package'
  /** Builds that are not connected have a copy each: every one has its own runtime and its own share scope. */
  | 'separate-scope'
  /** The session is owned by a copy of `@token-bridge/core` that is not the shared one. */
  | 'second-core'

/** One copy of a package, as a build has brought it into the page. */
export interface ShareCopy {
  readonly version: string
  /** Federation name of the build that brought it; `null` for a copy that is in no share scope. */
  readonly from: string | null
  readonly loaded: boolean
  /** Federation names of the builds that run on it. */
  readonly usedBy: readonly string[]
}

/** A fault, what shows it, and what to do. */
export interface ShareFinding {
  readonly package: string
  readonly kind: ShareFault
  readonly versions: readonly ShareCopy[]
  /** What happened and how to mend it, in a sentence or two for people. */
  readonly mend: string
}

/** Entries with a state of their own, which has to come with that of their package. */
const ENTRIES: readonly (readonly [entry: string, owner: string])[] = [
  ['react-dom/client', 'react-dom'],
]
const CORE = '@token-bridge/core'

/**
 * Returns what is wrong with the shared packages of this page at this moment: duplicate or mismatched singletons, who
 * brought them, and how to mend each. Empty when all is well, and where there is no Module Federation. It loads nothing
 * and changes nothing. A copy that a build bundles without sharing it is in no scope, and is not seen.
 *
 * @param realm - the global object to look at.
 * @example
 * for (const { package: name, kind, mend } of inspectShareScope()) console.warn(name, kind, mend)
 */
export function inspectShareScope(realm: object = globalThis): readonly ShareFinding[] {
  return Object.freeze(findShareFaults(readPage(realm)))
}

/** One scope of one group of connected builds. */
interface Scope {
  readonly name: string
  readonly packages: ReadonlyMap<string, readonly ShareCopy[]>
}

/** What a build asks of a package. */
interface Want {
  readonly package: string
  readonly isSingleton: boolean
  readonly range: string | undefined
  /** The names of the scopes in which it looks. */
  readonly scopes: readonly string[]
}

interface Build {
  readonly name: string
  /** By index. */
  readonly scopes: readonly number[]
  readonly wants: readonly Want[]
}

/** The page's sharing as plain data. */
interface SharePage {
  readonly scopes: readonly Scope[]
  /** The host is the first one: its code is what makes the others load. */
  readonly builds: readonly Build[]
  /** Version of the copy of core that runs the bridge. */
  readonly owner: string | undefined
}

function findShareFaults(page: SharePage): ShareFinding[] {
  const names = new Set(page.scopes.flatMap(({ packages }) => [...packages.keys()]))
  return [
    ...[...names].flatMap((name) => faultsOf(page, name)),
    ...ENTRIES.flatMap(([entry, owner]) => splitOf(page, entry, owner)),
    ...secondCore(page),
  ]
}

/** What the builds ask of one package. */
type Wanting = readonly { readonly want: Want; readonly build: Build }[]

/** The copies of one package in one scope. */
interface Place {
  readonly index: number
  readonly scope: string
  readonly copies: readonly ShareCopy[]
  readonly used: readonly ShareCopy[]
}

function faultsOf({ scopes, builds }: SharePage, name: string): ShareFinding[] {
  const wanting = builds.flatMap((build) =>
    build.wants.filter((want) => want.package === name).map((want) => ({ want, build })),
  )
  if (!wanting.some(({ want }) => want.isSingleton)) return []
  const places = scopes.map(({ name: scope, packages }, index) => {
    const copies = packages.get(name) ?? []
    return { index, scope, copies, used: copies.filter(isUsed) }
  })
  return [
    ...notSingleton(name, wanting, places),
    ...places.flatMap((place) => [
      ...duplicate(name, place),
      ...takenOver(name, place, builds[0]),
      ...outOfRange(name, place, wanting),
    ]),
    ...apart(name, places),
  ]
}

function notSingleton(name: string, wanting: Wanting, places: readonly Place[]): ShareFinding[] {
  const careless = wanting.filter(({ want }) => !want.isSingleton)
  if (careless.length === 0) return []
  const who = list(careless.map(({ build }) => build.name))
  const mend = `${who} shares ${name} without \`singleton: true\`, which lets a second copy in. ${USE_SHARING}`
  return [
    finding(
      name,
      'not-singleton',
      places.flatMap(({ copies }) => copies),
      mend,
    ),
  ]
}

function duplicate(name: string, { used }: Place): ShareFinding[] {
  if (used.length < 2) return []
  const mend = `${name} is in the page ${used.length} times: ${all(used)}. Give these builds versions that one range covers. ${USE_SHARING}`
  return [finding(name, 'duplicate', used, mend)]
}

function takenOver(name: string, place: Place, host: Build | undefined): ShareFinding[] {
  const { copies, used } = place
  if (host === undefined || used.length === 0) return []
  const isBrought = host.wants.some((want) => want.package === name && looksIn(host, want, place))
  if (!isBrought || used.some(({ from }) => from === host.name)) return []
  const mend = `The page runs on ${all(used)}, not on the copy of "${host.name}". Let the host load ${name} before the first remote, with \`shareStrategy: 'loaded-first'\`, and pin what it shares with authGatePlugin().`
  return [finding(name, 'taken-over', copies, mend)]
}

function outOfRange(name: string, place: Place, wanting: Wanting): ShareFinding[] {
  const { copies, used } = place
  if (used.length === 0) return []
  return wanting.flatMap(({ want, build }) => {
    const { isSingleton, range } = want
    if (!isSingleton || range === undefined || !looksIn(build, want, place)) return []
    if (used.some(({ version }) => satisfy(version, range))) return []
    const mend = `"${build.name}" was built for ${name} ${range} and runs on ${all(used)}. Build one of them again, with the version of the other.`
    return [finding(name, 'range', copies, mend)]
  })
}

const looksIn = (build: Build, want: Want, { index, scope }: Place): boolean =>
  build.scopes.includes(index) && want.scopes.includes(scope)

function apart(name: string, places: readonly Place[]): ShareFinding[] {
  return [...new Set(places.map(({ scope }) => scope))].flatMap((scope) => {
    const inUse = places.filter((place) => place.scope === scope && place.used.length > 0)
    if (inUse.length < 2) return []
    const copies = inUse.flatMap(({ used }) => used)
    const mend = `${name} is in ${inUse.length} share scopes that do not know each other: ${all(copies)}. Load each remote by the host's runtime, loadRemote(), and give all builds the same \`shareScope\`; a second host in the page needs to become a remote.`
    return [finding(name, 'separate-scope', copies, mend)]
  })
}

function splitOf({ scopes }: SharePage, entry: string, owner: string): ShareFinding[] {
  return scopes.flatMap(({ packages }) => {
    const copies = (packages.get(entry) ?? []).filter(isUsed)
    const owners = (packages.get(owner) ?? []).filter(isUsed)
    const strangers = copies.filter(({ from }) => owners.every((copy) => copy.from !== from))
    if (owners.length === 0 || strangers.length === 0) return []
    const mend = `${entry} comes from ${all(strangers)}, and ${owner} from ${all(owners)}: hooks then fail with "Invalid hook call" (React error 321). ${entry} is a key of its own: add it to \`shared\` of ${list(owners.map(({ from }) => from ?? ''))}. ${USE_SHARING}`
    return [finding(entry, 'split-package', [...strangers, ...owners], mend)]
  })
}

function secondCore({ scopes, owner }: SharePage): ShareFinding[] {
  if (owner === undefined) return []
  const copies = scopes.flatMap(({ packages }) => packages.get(CORE) ?? []).filter(isUsed)
  if (copies.length === 0 || copies.some(({ version }) => version === owner)) return []
  const hidden: ShareCopy = { version: owner, from: null, loaded: true, usedBy: [] }
  return [
    finding(
      CORE,
      'second-core',
      [...copies, hidden],
      `The session of this page is owned by a copy of version ${owner} that is in no share scope; shared is ${all(copies)}. Only the host makes a bridge, from the copy that it shares: remotes take their reader by mount(el, { auth }), and role 'remote' of sharing() leaves core out of their builds.`,
    ),
  ]
}

const USE_SHARING =
  "sharing() of @token-bridge/federation/config does this in host and remotes (role 'remote')."

const isUsed = ({ loaded }: ShareCopy): boolean => loaded

const list = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ')

const all = (copies: readonly ShareCopy[]): string => copies.map(describe).join(', ')

const describe = ({ version, from, usedBy }: ShareCopy): string => {
  const others = usedBy.filter((name) => name !== from)
  return `${version} from "${from}"${others.length > 0 ? ` (used by ${list(others)})` : ''}`
}

const finding = (
  name: string,
  kind: ShareFault,
  versions: readonly ShareCopy[],
  mend: string,
): ShareFinding =>
  Object.freeze({
    package: name,
    kind,
    versions: Object.freeze(versions.map((copy) => Object.freeze(copy))),
    mend,
  })

/** What the runtime keeps of a shared package in a scope. */
interface Shared {
  readonly version: string
  readonly from: string
  readonly loaded?: boolean
  readonly lib?: unknown
  readonly useIn?: readonly string[]
  readonly scope?: readonly string[]
  readonly shareConfig?: {
    readonly singleton?: boolean | number
    readonly requiredVersion?: string | false
  }
}
/** By name, then by version. */
type Packages = Readonly<Record<string, Readonly<Record<string, Shared>>>>

/** The parts of the page's global object that speak of sharing. */
interface Realm {
  readonly __FEDERATION__?: {
    readonly __INSTANCES__?: readonly {
      readonly name: string
      readonly options: { readonly shared?: Readonly<Record<string, readonly Shared[]>> }
      readonly shareScopeMap?: Readonly<Record<string, Packages>>
    }[]
  }
}
/** Where a running bridge says of which version it is; it leads to nothing else. */
const OWNER = Symbol.for('@token-bridge/owner')

function readPage(realm: Realm): SharePage {
  const { __FEDERATION__: federation } = realm
  const { __INSTANCES__: instances = [] } = federation ?? {}
  const scopes: RawScope[] = []
  const builds = instances.map(({ name, options, shareScopeMap = {} }): Build => {
    const own = Object.entries(shareScopeMap).map(([scope, packages]) =>
      indexOfScope(scopes, scope, packages),
    )
    const wants = Object.entries(options.shared ?? {}).flatMap(([wanted, ways]) =>
      ways.map(({ shareConfig, scope = ['default'] }) => ({
        package: wanted,
        isSingleton: Boolean(shareConfig?.singleton),
        range: shareConfig?.requiredVersion || undefined,
        scopes: scope,
      })),
    )
    return { name, scopes: own, wants }
  })
  const owner = Reflect.get(realm, OWNER) as { readonly version: string } | undefined
  return { scopes: scopes.map(scopeOf), builds, owner: owner?.version }
}

/** A scope as it is put together from the builds: what they have brought, and for which package. */
interface RawScope {
  readonly name: string
  readonly shares: Map<Shared, string>
}

/**
 * The scope that a build is part of. Builds that have a share in common are connected: the development server of Vite
 * puts the host's shares into an object of its own.
 */
function indexOfScope(scopes: RawScope[], name: string, packages: Packages): number {
  const shares = Object.entries(packages).flatMap(([wanted, versions]) =>
    Object.values(versions).map((share) => [share, wanted] as const),
  )
  const known = scopes.findIndex(
    (scope) => scope.name === name && shares.some(([share]) => scope.shares.has(share)),
  )
  if (known < 0) return scopes.push({ name, shares: new Map(shares) }) - 1
  for (const [share, wanted] of shares) scopes[known]?.shares.set(share, wanted)
  return known
}

function scopeOf({ name, shares }: RawScope): Scope {
  const packages = new Map<string, ShareCopy[]>()
  for (const [{ version, from, loaded, lib, useIn = [] }, wanted] of shares) {
    const copies = packages.get(wanted) ?? []
    packages.set(wanted, copies)
    copies.push({
      version,
      from,
      // Containers of Vite run on a copy without marking it as loaded.
      loaded: loaded === true || typeof lib === 'function' || useIn.length > 0,
      usedBy: Object.freeze([...useIn]),
    })
  }
  return { name, packages }
}
