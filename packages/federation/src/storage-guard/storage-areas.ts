import { apply, asText, defineProperty, uncurry } from './captured.ts'
import type { Method, Patches } from './patches.ts'
import { prototypeIn, type Realm, type Sentry } from './sentry.ts'

const Stand = Proxy
const AREAS = ['localStorage', 'sessionStorage'] as const
/** What an area has on its prototype and that asks for a real one as its `this`. */
const OTHER_METHODS = ['getItem', 'removeItem', 'clear', 'key'] as const

/** An area, and the proxy that stands for it. */
interface StandIn {
  readonly standIn: Storage
  readonly area: Storage
  /** What its route is called. */
  readonly method: string
  readonly before: StandIn | undefined
}

/**
 * Returns what guards `localStorage` and `sessionStorage` of a realm. A named property of an area (`localStorage.x = …`)
 * can be caught by a proxy only, so the accessors of the window answer with one for as long as the guard stands. A proxy
 * that somebody has kept goes on working afterwards, and lets everything through.
 *
 * Made once and used for every hydration, so that a kept proxy is known again, and what is compiled stays so.
 */
export function createAreaGuard(realm: Realm, sentry: Sentry): (patches: Patches) => void {
  let latest: StandIn | undefined
  const storage = prototypeIn(realm, 'Storage') as Storage

  function standInOf(self: unknown): StandIn | undefined {
    let known = latest
    while (known !== undefined && known.standIn !== self && known.area !== self)
      known = known.before
    return known
  }
  const areaOf = (self: unknown): unknown => standInOf(self)?.area ?? self

  function check(route: string, key: unknown, value: unknown): void {
    if (sentry.holds(value, route) || sentry.holds(key, route))
      throw sentry.caught(route, 'blocked')
  }

  function createSetItem(native: Method): Method {
    const setItem = uncurry(native)
    return {
      setItem(this: unknown, ...args: unknown[]): unknown {
        const known = standInOf(this)
        if (args.length < 2) return apply(native, known?.area ?? this, args)
        const key = asText(args[0])
        const value = asText(args[1])
        check(known?.method ?? 'Storage.setItem', key, value)
        return setItem(known?.area ?? this, key, value)
      },
    }.setItem
  }

  const createUnwrapping = (native: Method): Method =>
    ({
      method(this: unknown, ...args: unknown[]): unknown {
        return apply(native, areaOf(this), args)
      },
    }).method

  /** Methods of a stand-in, which outlives the patches of the prototype. */
  const boundMethods = createMemo()

  function createStandIn(area: Storage, property: string): Storage {
    return new Stand(area, {
      get(target, key) {
        // The prototype comes first in any case, and is quicker to ask.
        const value: unknown = key === 'setItem' ? storage.setItem : target[key as never]
        // Those of the prototype know a stand-in as long as the guard stands.
        return typeof value === 'function' && typeof key === 'string' && !sentry.isUp
          ? boundMethods(key, value as Method, createUnwrapping)
          : value
      },
      set(target, key, value) {
        const text = asText(value)
        if (typeof key === 'string') check(property, key, text)
        target[key as never] = text as never
        return true
      },
      defineProperty(target, key, descriptor) {
        const text = asText(descriptor.value)
        if (typeof key === 'string') check(property, key, text)
        return defineProperty(target, key, { ...descriptor, value: text })
      },
    })
  }

  function createGetter(name: string, native: Method): Method {
    const property = `${name}.property`
    const method = `${name}.setItem`
    let last: StandIn | undefined
    return {
      get(this: unknown): unknown {
        const area = apply(native, this, []) as Storage
        if (last?.area !== area) {
          last = standInOf(area)
          if (last === undefined) {
            const standIn = createStandIn(area, property)
            last = latest = { standIn, area, method, before: latest }
          }
        }
        return last.standIn
      },
    }.get
  }

  const memo = createMemo()
  return (patches) => {
    for (let index = 0; index < AREAS.length; index += 1) {
      const name = AREAS[index] as (typeof AREAS)[number]
      patches.getter(realm, name, (native) =>
        memo(name, native, (original) => createGetter(name, original)),
      )
      try {
        // So that an area is known by its name also when it was kept from before.
        void realm[name]
      } catch {
        // Storage is switched off here.
      }
    }
    patches.method(storage, 'setItem', (native) => memo('setItem', native, createSetItem))
    for (let index = 0; index < OTHER_METHODS.length; index += 1) {
      const name = OTHER_METHODS[index] as string
      patches.method(storage, name, (native) => memo(name, native, createUnwrapping))
    }
    patches.getter(storage, 'length', (native) => memo('length', native, createUnwrapping))
  }
}

/** Keeps what was made for a native function, as long as it stays the one of that name. */
function createMemo(): (name: string, native: Method, make: (native: Method) => Method) => Method {
  const known = Object.create(null) as Record<string, { native: Method; made: Method }>
  return (name, native, make) => {
    const entry = known[name]
    if (entry?.native === native) return entry.made
    const made = make(native)
    known[name] = { native, made }
    return made
  }
}
