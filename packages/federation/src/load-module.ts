import { addressOf } from './element-pins.ts'
import { addIntegrityMap } from './integrity-map.ts'
import type { LoadHistory } from './load-history.ts'
import { bypassed } from './refusal.ts'
import type { RemoteList } from './remote-list.ts'
import type { SharePins } from './share-pins.ts'
import type { TrustedRemote } from './trusted-remotes.ts'
import { whyNotTaken } from './why-not-taken.ts'

/** What loading a module takes. */
export interface ModuleTools {
  /** Resolves when the browser has taken what the element is for. */
  readonly loaded: (element: HTMLElement, remote: TrustedRemote) => Promise<void>
  readonly history: LoadHistory
  readonly shares: SharePins
  readonly request: typeof fetch
}

/**
 * Every module of the build is fetched and checked before the first one runs. The browser keeps what it has checked and
 * asks nobody again: a later `import()` of one of them gets these bytes, whatever the server would answer by then.
 */
export async function loadModule(
  remote: TrustedRemote,
  list: RemoteList,
  { loaded, history, shares, request }: ModuleTools,
): Promise<object> {
  const hashes = new Map(
    Object.entries(list.files)
      .filter(([path]) => /\.m?js$/.test(path))
      .map(([path, hash]) => [addressOf(path, remote.base), hash]),
  )
  const modules = [...hashes.keys()]
  // The browser would give us the module that it has, and check nothing.
  if (history.hasForeign(modules))
    throw bypassed(
      remote.name,
      'one of its modules was loaded before it was verified. Take its script tag, preload or import out of the page',
    )
  // Where containers of @module-federation/vite look before they ask the scope.
  const copy = shares.foreignCopy()
  if (copy !== undefined)
    throw bypassed(
      remote.name,
      `its bundler's cache holds a copy of "${copy}" that is not the host's`,
    )
  if (Object.getOwnPropertyNames(globalThis).some((key) => isStartOf(remote.name, key)))
    throw bypassed(
      remote.name,
      'the global by which its modules wait for its start was set beforehand',
    )
  history.add(modules)
  const map = addIntegrityMap(Object.fromEntries(hashes))
  const preloadModule = async (address: string): Promise<void> => {
    const link = document.createElement('link')
    link.rel = 'modulepreload'
    link.href = address
    await loaded(link, remote)
  }
  const readModule = async (address: string): Promise<void> => {
    const integrity = hashes.get(address) ?? ''
    await request(address, { credentials: 'omit', integrity }).catch(async () => {
      throw await whyNotTaken(remote, { base: remote.base, address, hash: integrity })
    })
  }
  const check = map.isNeeded ? readModule : preloadModule
  await Promise.all(
    modules.filter((address) => address !== remote.entry).map((address) => check(address)),
  )
  if (!map.isInForce())
    throw bypassed(
      remote.name,
      'this browser checks the modules that come later by an import map alone, and the policy of the page blocks it: give the page a nonce',
    )
  const script = document.createElement('script')
  script.type = 'module'
  script.src = remote.entry
  await loaded(script, remote)
  return (await import(/* webpackIgnore: true */ /* @vite-ignore */ remote.entry)) as object
}

const isStartOf = (name: string, key: string): boolean =>
  key.startsWith('__mf_init__') && key.includes(`__${name}__`)
