import { satisfy, type ModuleFederation } from '@module-federation/runtime'

/** The parts of one shared package in a scope that the runtime reads and sets. */
interface SharedEntry {
  readonly version: string
  from: string
  get: unknown
  lib: unknown
}

/** What the runtime asks when a shared package is wanted. */
interface ShareRequest {
  readonly scope: string
  readonly pkgName: string
  readonly shareInfo: {
    readonly shareConfig: {
      readonly singleton?: boolean
      readonly requiredVersion?: string | false
      readonly strictVersion?: boolean
    }
  }
  resolver: () => unknown
}

/** Answers for the packages that the host brought along. */
export interface SharePins {
  /** Makes the request come to the host's copy, or to the asking remote's own where it cannot use the host's. */
  answer(request: ShareRequest): void
}

/**
 * Holds on to what the host shares at this moment. In a share scope the highest version wins, whoever put it there: one
 * script that registers version 99 of React would run inside every remote that is loaded later.
 */
export function pinShares(host: ModuleFederation): SharePins {
  const pins = new Map<string, SharedEntry>()
  const scopes = host.shareScopeMap as unknown as Record<
    string,
    Record<string, Record<string, SharedEntry>>
  >
  for (const [scope, packages] of Object.entries(scopes)) {
    for (const [name, versions] of Object.entries(packages)) {
      const own = Object.values(versions).find(({ from }) => from === host.name)
      if (own === undefined) continue
      keepFirst(own, 'get')
      keepFirst(own, 'lib')
      pins.set(keyOf(scope, name), own)
    }
  }

  return Object.freeze<SharePins>({
    answer(request) {
      const own = pins.get(keyOf(request.scope, request.pkgName))
      if (own === undefined) return
      const { singleton, requiredVersion, strictVersion } = request.shareInfo.shareConfig
      const isFit = typeof requiredVersion !== 'string' || satisfy(own.version, requiredVersion)
      const isHosts = isFit || (singleton === true && strictVersion !== true)
      request.resolver = () => (isHosts ? { shared: own, useTreesShaking: false } : undefined)
    },
  })
}

const keyOf = (scope: string, name: string): string => JSON.stringify([scope, name])

/** The runtime sets these once, when the package is loaded; what comes later is not from it. */
function keepFirst(entry: SharedEntry, name: 'get' | 'lib'): void {
  let value = entry[name]
  Object.defineProperty(entry, name, {
    enumerable: true,
    configurable: false,
    get: () => value,
    set: (next: unknown) => {
      value ??= next
    },
  })
}
