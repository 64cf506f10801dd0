import { apply, asText, getProperty, setProperty, defineProperty } from './captured.ts'
import type { Method, Patches } from './patches.ts'
import { prototypeIn, type Realm, type Sentry } from './sentry.ts'

const Stand = Proxy
const AREAS = ['localStorage', 'sessionStorage'] as const
/** What an area has on its prototype and that asks for a real one as its `this`. */
const OTHER_METHODS = ['getItem', 'removeItem', 'clear', 'key'] as const

/** An area, and the proxy that stands for it. */
export interface StandIn {
  readonly standIn: Storage
  readonly area: Storage
  readonly name: string
}

/**
 * Guards `localStorage` and `sessionStorage`. A named property of an area (`localStorage.x = …`) can be caught by a proxy
 * only, so the accessors of the window answer with one for as long as the guard stands. A proxy that somebody has kept
 * goes on working afterwards, and lets everything through.
 *
 * @param standIns - those that were made before, so that a kept one is known again.
 */
export function guardAreas(
  realm: Realm,
  patches: Patches,
  sentry: Sentry,
  standIns: StandIn[],
): void {
  const storage = prototypeIn(realm, 'Storage')

  function standInOf(self: unknown): StandIn | undefined {
    for (let index = 0; index < standIns.length; index += 1) {
      const known = standIns[index] as StandIn
      if (known.standIn === self || known.area === self) return known
    }
    return undefined
  }
  const areaOf = (self: unknown): unknown => standInOf(self)?.area ?? self

  function check(route: string, key: unknown, value: unknown): void {
    if (sentry.holds(value, route) || sentry.holds(key, route))
      throw sentry.caught(route, 'blocked')
  }

  const guardedSetItem = (native: Method): Method =>
    ({
      setItem(this: unknown, ...args: unknown[]): unknown {
        const known = standInOf(this)
        if (args.length >= 2) {
          args[0] = asText(args[0])
          args[1] = asText(args[1])
          check(`${known?.name ?? 'Storage'}.setItem`, args[0], args[1])
        }
        return apply(native, known?.area ?? this, args)
      },
    }).setItem

  /** Methods of a stand-in, which outlives the patches of the prototype. */
  function methodsOf() {
    const bound = Object.create(null) as Record<string, { native: unknown; method: Method }>
    return (name: string, native: Method): Method => {
      const known = bound[name]
      if (known?.native === native) return known.method
      const method = {
        method(this: unknown, ...args: unknown[]): unknown {
          return apply(native, areaOf(this), args)
        },
      }.method
      bound[name] = { native, method }
      return method
    }
  }

  for (let index = 0; index < AREAS.length; index += 1) {
    const name = AREAS[index] as (typeof AREAS)[number]
    patches.getter(realm, name, (native) => {
      const make = (area: Storage): StandIn => {
        const methodOf = methodsOf()
        const standIn = new Stand(area, {
          get(target, key) {
            const value: unknown = getProperty(target, key, target)
            return typeof value === 'function' && typeof key === 'string'
              ? methodOf(key, value as Method)
              : value
          },
          set(target, key, value) {
            const text = asText(value)
            if (typeof key === 'string') check(`${name}.property`, key, text)
            return setProperty(target, key, text)
          },
          defineProperty(target, key, descriptor) {
            const text = asText(descriptor.value)
            if (typeof key === 'string') check(`${name}.property`, key, text)
            return defineProperty(target, key, { ...descriptor, value: text })
          },
        })
        const made = { standIn, area, name }
        defineProperty(standIns, standIns.length, { value: made })
        return made
      }
      let last: StandIn | undefined
      return {
        get(this: unknown): unknown {
          const area = apply(native, this, []) as Storage
          if (last?.area !== area) last = standInOf(area) ?? make(area)
          return last.standIn
        },
      }.get
    })
    try {
      // So that an area is known by its name also when it was kept from before.
      void realm[name]
    } catch {
      // Storage is switched off here.
    }
  }
  patches.method(storage, 'setItem', guardedSetItem)
  for (let index = 0; index < OTHER_METHODS.length; index += 1)
    patches.method(
      storage,
      OTHER_METHODS[index] as string,
      (native) =>
        ({
          method(this: unknown, ...args: unknown[]): unknown {
            return apply(native, areaOf(this), args)
          },
        }).method,
    )
  patches.getter(
    storage,
    'length',
    (native) =>
      ({
        get(this: unknown): unknown {
          return apply(native, areaOf(this), [])
        },
      }).get,
  )
}
