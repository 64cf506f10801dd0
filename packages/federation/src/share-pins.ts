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

/** Shared packages by scope, name and version. */
export type ShareScopes = Record<string, Record<string, Record<string, SharedEntry>>>

/** Answers for the packages that the host brought along. */
export interface SharePins {
  /** Makes the request come to the host's copy, or to the asking remote's own where it cannot use the host's. */
  answer(request: ShareRequest): void
  /**
   * Leaves nothing but the host's copies of these packages in the scopes, for `@module-federation/vite`, whose
   * containers read the scope themselves when they start.
   */
  restore(scopes: ShareScopes): void
  /** The name of a package of which `@module-federation/vite` keeps another copy than the host's for everybody. */
  foreignCopy(): string | undefined
}

interface Pin {
  readonly scope: string
  readonly name: string
  readonly own: SharedEntry
}

/**
 * Holds on to what the host shares at this moment. In a share scope the highest version wins, whoever put it there: one
 * script that registers version 99 of React would run inside every remote that is loaded later.
 */
export function pinShares(host: ModuleFederation): SharePins {
  const pins = new Map<string, Pin>()
  for (const [scope, packages] of Object.entries(host.shareScopeMap as unknown as ShareScopes)) {
    for (const [name, versions] of Object.entries(packages)) {
      const own = Object.values(versions).find(({ from }) => from === host.name)
      if (own === undefined) continue
      keepFirst(own, 'get')
      keepFirst(own, 'lib')
      pins.set(keyOf(scope, name), { scope, name, own })
    }
  }

  return Object.freeze<SharePins>({
    answer(request) {
      const own = pins.get(keyOf(request.scope, request.pkgName))?.own
      if (own === undefined) return
      const { singleton, requiredVersion, strictVersion } = request.shareInfo.shareConfig
      const isFit = typeof requiredVersion !== 'string' || satisfy(own.version, requiredVersion)
      const isHosts = isFit || (singleton === true && strictVersion !== true)
      request.resolver = () => (isHosts ? { shared: own, useTreesShaking: false } : undefined)
    },
    restore(scopes) {
      for (const { scope, name, own } of pins.values()) {
        const packages = scopes[scope]
        if (packages === undefined) continue
        const versions = (packages[name] ??= {})
        for (const version of Object.keys(versions)) {
          if (version !== own.version) delete versions[version]
        }
        versions[own.version] = own
      }
    },
    foreignCopy() {
      const cache = Reflect.get(globalThis, '__mf_module_cache__') as ViteCache | undefined
      for (const { scope, name, own } of pins.values()) {
        for (const key of [`${scope}:${name}`, name]) {
          const copy = cache?.share?.[key]
          if (copy !== undefined && !isCopyOf(copy, own)) return name
        }
      }
      return undefined
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

/** What `@module-federation/vite` keeps on the global object, for all of its containers. */
interface ViteCache {
  readonly share?: Readonly<Record<string, object | undefined>>
}

/** It keeps a namespace as it is, as its default export, or as a plain copy. */
function isCopyOf(copy: object, { lib }: SharedEntry): boolean {
  if (typeof lib !== 'function') return false
  const module = (lib as () => Record<string, unknown>)()
  const exports = { ...(module['default'] as object | undefined), ...module }
  return Object.entries(copy).every(
    ([name, value]) => name === 'default' || value === exports[name as keyof typeof exports],
  )
}
