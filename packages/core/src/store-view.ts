/**
 * What a remote gets of a host's store. No framework: the Redux and the Zustand adapter build their read-only stores on it.
 *
 * @module
 */
import { ReadOnlyStoreError } from './errors.ts'
import { reportFault } from './report-fault.ts'
import type { AuthSnapshot } from './state.ts'

/** Whose read-only store it is, so that attempts to write can be reported by name. */
export interface ReadOnlyStoreOptions {
  /** The name that the remote has at the bridge. */
  readonly remote: string
  /** Hears of each attempt, as a violation of the kind `read-only-store`. */
  readonly bridge: { reportViolation(kind: string, detail: string, remote?: string): void }
}

/**
 * Makes the methods that a read-only store has in place of those that write.
 *
 * @returns a function that makes one, given the name of the method. What it makes throws `ReadOnlyStoreError`.
 */
export function createRefusals(owner?: ReadOnlyStoreOptions): (method: string) => () => never {
  return (method) => () => {
    // The arguments stay out of it: they are the remote's, and may hold anything.
    owner?.bridge.reportViolation(
      'read-only-store',
      `${method}() was called on a read-only store`,
      owner.remote,
    )
    throw new ReadOnlyStoreError(method)
  }
}

/**
 * Whether what a store holds says the same as the snapshot, and nothing else: it may be a copy, from storage or the
 * DevTools. The key `_persist`, which redux-persist adds to a slice of its own, says nothing.
 */
export function isSnapshot(held: unknown, snapshot: AuthSnapshot): boolean {
  return saysTheSame(held, snapshot)
}

function saysTheSame(held: unknown, truth: unknown): boolean {
  if (held === truth) return true
  if (!isObject(held) || !isObject(truth)) return false
  for (const key of Reflect.ownKeys(held)) {
    if (!Object.hasOwn(truth, key) && key !== '_persist') return false
  }
  for (const key of Object.keys(truth)) {
    if (!saysTheSame(Reflect.get(held, key), Reflect.get(truth, key))) return false
  }
  return true
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

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
