import { addressOf, type ElementPins } from './element-pins.ts'
import { loadGlobal } from './load-global.ts'
import { createLoadHistory } from './load-history.ts'
import { loadModule, type ModuleTools } from './load-module.ts'
import { refusal } from './refusal.ts'
import { verifyRemote, type RemoteKeys } from './remote-list.ts'
import type { SharePins } from './share-pins.ts'
import type { TrustedRemote } from './trusted-remotes.ts'
import { compareVersions } from './version.ts'
import { LOAD_TIMEOUT, wasTaken } from './was-taken.ts'

/** Loads entries whose bytes a signed list vouches for. */
export interface VerifiedLoader {
  /**
   * Resolves with the container of a remote, once the list and every byte that ran are verified.
   *
   * @throws AuthError of phase `load`.
   */
  load(remote: TrustedRemote): Promise<object>
}

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

  const loaded: ModuleTools['loaded'] = async (element, remote) => {
    if (!(await wasTaken(element))) throw await failed(remote)
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
        ? loadModule(remote, list, { loaded, history, shares, request })
        : loadGlobal(remote, list, loaded)
    },
  })
}

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
      signal: AbortSignal.timeout(LOAD_TIMEOUT),
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
