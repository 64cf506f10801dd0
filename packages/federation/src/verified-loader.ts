import { addressOf, type ElementPins } from './element-pins.ts'
import { refusal, verifyRemote, type RemoteKeys, type RemoteList } from './remote-list.ts'
import type { SharePins } from './share-pins.ts'
import type { TrustedRemote } from './trusted-remotes.ts'
import { compareVersions } from './version.ts'

/** Loads entries whose bytes a signed list vouches for. */
export interface VerifiedLoader {
  /**
   * Resolves with the container of a remote, once the list and every byte that ran are verified.
   *
   * @throws AuthError of phase `load`.
   */
  load(remote: TrustedRemote): Promise<object>
}

/** Longest wait for one list or file, milliseconds: as long as the Module Federation runtime waits for an entry. */
const TIMEOUT = 20_000

/**
 * @param failed - why an element of this remote was not taken by the browser: asked when one was not.
 */
export function createVerifiedLoader(
  keys: RemoteKeys,
  pins: ElementPins,
  shares: SharePins,
  failed: (remote: TrustedRemote) => Promise<Error>,
): VerifiedLoader {
  const request = globalThis.fetch
  /** The highest version of each remote that had a good list in this page. */
  const highest = new Map<string, string>()
  const history = createLoadHistory()

  const loaded = async (element: HTMLElement, remote: TrustedRemote): Promise<void> => {
    if (!(await wasLoaded(element))) throw await failed(remote)
  }

  return Object.freeze<VerifiedLoader>({
    async load(remote) {
      const minVersion = newer(remote.minVersion, highest.get(remote.name))
      const list = await verifyRemote(await fetchList(request, remote), keys, {
        name: remote.name,
        ...(minVersion !== undefined && { minVersion }),
      })
      highest.set(remote.name, list.version)
      if (addressOf(list.entry, remote.base) !== remote.entry)
        throw refusal(
          'ERR_REMOTE_NAME',
          `The list of "${remote.name}" is for the entry ${list.entry}, which is not the one the host names.`,
        )
      pins.pin(remote.base, list.files)
      return list.type === 'module'
        ? loadModule(remote, list, shares, loaded, history)
        : loadGlobal(remote, list, loaded)
    },
  })
}

type Loaded = (element: HTMLElement, remote: TrustedRemote) => Promise<void>

function newer(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return compareVersions(one, other) < 0 ? other : one
}

async function fetchList(request: typeof fetch, { name, list }: TrustedRemote): Promise<string> {
  let status: number | string
  try {
    const response = await request(list, {
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT),
    })
    if (response.ok) return await response.text()
    status = response.status
  } catch (cause) {
    throw refusal(
      'ERR_REMOTE_UNREACHABLE',
      `The signed list of "${name}" could not be fetched. Is its origin up, in connect-src, and does it allow the host's (CORS)?`,
      cause,
    )
  }
  throw refusal(
    status === 404 ? 'ERR_REMOTE_SIGNATURE' : 'ERR_REMOTE_UNREACHABLE',
    `The signed list of "${name}" is not there (${status}). Sign its build: token-bridge sign.`,
  )
}

/**
 * Every module of the build is fetched and checked before the first one runs. The browser keeps what it has checked and
 * asks nobody again: a later `import()` of one of them gets these bytes, whatever the server would answer by then.
 */
async function loadModule(
  remote: TrustedRemote,
  list: RemoteList,
  shares: SharePins,
  loaded: Loaded,
  history: LoadHistory,
): Promise<object> {
  const modules = Object.keys(list.files)
    .filter((path) => /\.m?js$/.test(path))
    .map((path) => addressOf(path, remote.base))
  // The browser would give us the module that it has, and check nothing.
  if (history.hasForeign(modules))
    throw bypassed(
      remote,
      'one of its modules was loaded before it was verified. Take its script tag, preload or import out of the page',
    )
  // Where containers of @module-federation/vite look before they ask the scope.
  const copy = shares.foreignCopy()
  if (copy !== undefined)
    throw bypassed(remote, `its bundler's cache holds a copy of "${copy}" that is not the host's`)
  if (Object.getOwnPropertyNames(globalThis).some((key) => isStartOf(remote.name, key)))
    throw bypassed(remote, 'the global by which its modules wait for its start was set beforehand')
  history.add(modules)
  await Promise.all(
    modules
      .filter((address) => address !== remote.entry)
      .map((address) => {
        const link = document.createElement('link')
        link.rel = 'modulepreload'
        link.href = address
        return loaded(link, remote)
      }),
  )
  const script = document.createElement('script')
  script.type = 'module'
  script.src = remote.entry
  await loaded(script, remote)
  return (await import(/* webpackIgnore: true */ /* @vite-ignore */ remote.entry)) as object
}

const isStartOf = (name: string, key: string): boolean =>
  key.startsWith('__mf_init__') && key.includes(`__${name}__`)

async function loadGlobal(
  remote: TrustedRemote,
  list: RemoteList,
  loaded: Loaded,
): Promise<object> {
  // The container, and where webpack and Rspack hand over chunks: what stands there would be taken for the remote's.
  const globals = [list.global, `webpackChunk${list.global}`, `rspackChunk${list.global}`]
  const taken = globals.find((name) => Object.hasOwn(globalThis, name))
  if (taken !== undefined)
    throw bypassed(remote, `the global "${taken}" was set before its entry was loaded`)
  const script = document.createElement('script')
  script.src = remote.entry
  await loaded(script, remote)
  const container: unknown = Object.getOwnPropertyDescriptor(globalThis, list.global)?.value
  if (typeof container !== 'object' || container === null)
    throw refusal(
      'ERR_REMOTE_NAME',
      `The entry of "${remote.name}" did not set the global "${list.global}" that its list names. Sign it with --global.`,
    )
  return container
}

/** Somebody got in the way of the check. */
export const bypassed = ({ name }: Pick<TrustedRemote, 'name'>, how: string): Error =>
  refusal('ERR_REMOTE_BYPASSED', `"${name}" is refused: ${how}.`)

/** Puts the element into the page and says whether the browser took what it is for. */
async function wasLoaded(element: HTMLElement): Promise<boolean> {
  element.nonce = document.querySelector<HTMLElement>('script[nonce]')?.nonce ?? ''
  const wasTaken = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), TIMEOUT)
    const settle = (isTaken: boolean) => () => {
      clearTimeout(timer)
      resolve(isTaken)
    }
    element.addEventListener('load', settle(true), { once: true })
    element.addEventListener('error', settle(false), { once: true })
    document.head.append(element)
  })
  element.remove()
  return wasTaken
}

/** What the page has loaded, by the browser's own record, and what of it was ours. */
interface LoadHistory {
  hasForeign(addresses: readonly string[]): boolean
  add(addresses: readonly string[]): void
}

function createLoadHistory(): LoadHistory {
  const ours = new Map<string, number>()
  return {
    hasForeign(addresses) {
      const counts = new Map<string, number>()
      for (const entry of performance.getEntriesByType('resource')) {
        const { initiatorType } = entry as PerformanceResourceTiming
        // Whoever only reads the bytes leaves nothing behind that runs.
        if (initiatorType !== 'fetch' && initiatorType !== 'xmlhttprequest')
          counts.set(entry.name, (counts.get(entry.name) ?? 0) + 1)
      }
      return addresses.some((address) => (counts.get(address) ?? 0) > (ours.get(address) ?? 0))
    },
    add(addresses) {
      for (const address of addresses) ours.set(address, (ours.get(address) ?? 0) + 1)
    },
  }
}
