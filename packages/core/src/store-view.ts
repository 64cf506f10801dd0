/**
 * What a remote gets of a host's store. No framework: the Redux and the Zustand adapter build their read-only stores on it.
 *
 * @module
 */
import { reportFault } from './report-fault.ts'

/**
 * Returns a function that shows a state without handing it out: a frozen copy of its data, in depth, and nothing that
 * could be called.
 *
 * What has not changed is copied once, so a part of the state keeps its identity in the view for as long as it keeps it in
 * the store, and selectors compare as usual. Plain objects and arrays are copied; other objects as far as
 * `structuredClone` can; functions are left out.
 */
export function createStoreView(): <State>(state: State) => State {
  const copies = new WeakMap<object, unknown>()

  function copyOf(value: unknown): unknown {
    if (typeof value === 'function') return undefined
    if (typeof value !== 'object' || value === null) return value
    if (copies.has(value)) return copies.get(value)
    const copy = Array.isArray(value) ? copyArray(value) : copyObject(value)
    return copy
  }

  function copyArray(list: readonly unknown[]): readonly unknown[] {
    const copy: unknown[] = []
    copies.set(list, copy)
    for (const item of list) copy.push(copyOf(item))
    return Object.freeze(copy)
  }

  function copyObject(value: object): unknown {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return copyOther(value)
    const copy: Record<string, unknown> = {}
    copies.set(value, copy)
    for (const [key, part] of Object.entries(value)) {
      if (typeof part !== 'function') define(copy, key, copyOf(part))
    }
    return Object.freeze(copy)
  }

  function copyOther(value: object): unknown {
    let copy: unknown
    try {
      copy = structuredClone(value)
    } catch {
      // A class instance with methods or handles: not data, so not for remotes.
    }
    copies.set(value, copy)
    return copy
  }

  return (state) => copyOf(state) as typeof state
}

/** Not by assignment: a key `__proto__` would set the prototype. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}

/** A listener whose faults stay its own: neither the host's dispatch nor the listeners after it hear of them. */
export function harmless<Args extends readonly unknown[]>(
  listener: (...args: Args) => void,
): (...args: Args) => void {
  return (...args) => {
    try {
      listener(...args)
    } catch (fault) {
      reportFault(fault)
    }
  }
}
