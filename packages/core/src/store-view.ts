/**
 * What a remote gets of a host's store. No framework: the Redux and the Zustand adapter build their read-only stores on it.
 *
 * @module
 */
import { ReadOnlyStoreError } from './errors.ts'
import { reportFault } from './report-fault.ts'
import type { AuthSnapshot } from './state.ts'

// Taken before any remote has been loaded, which could patch them and be handed the host's own state.
const { apply, ownKeys } = Reflect
const { defineProperty, freeze, getPrototypeOf, keys } = Object
const { isArray } = Array
const { isView } = ArrayBuffer
const { get, set, has, delete: take } = WeakMap.prototype
const clone = globalThis.structuredClone
const plain = Object.prototype

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
  for (const key of ownKeys(held)) {
    if (!Object.hasOwn(truth, key) && key !== '_persist') return false
  }
  for (const key of keys(truth)) {
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
  const keep = (value: object, copy: unknown): void => void apply(set, copies, [value, copy])

  function copyOf(value: unknown): unknown {
    if (typeof value === 'function') return undefined
    if (!isObject(value)) return value
    if (apply(has, copies, [value])) return apply(get, copies, [value])
    return isArray(value) ? copyArray(value) : copyObject(value)
  }

  function copyArray(list: readonly unknown[]): readonly unknown[] {
    const copy: unknown[] = []
    keep(list, copy)
    for (let index = 0; index < list.length; index += 1)
      define(copy, String(index), copyOf(list[index]))
    return freeze(copy)
  }

  function copyObject(value: object): unknown {
    const prototype: unknown = getPrototypeOf(value)
    if (prototype !== plain && prototype !== null) return copyOther(value)
    const copy = {}
    keep(value, copy)
    const names = keys(value)
    for (let index = 0; index < names.length; index += 1) {
      const key = names[index] as keyof typeof value
      const part: unknown = value[key]
      if (typeof part !== 'function') define(copy, key, copyOf(part))
    }
    return freeze(copy)
  }

  function copyOther(value: object): unknown {
    let copy: unknown
    try {
      copy = clone(value)
      // Memory that is shared is not copied by a clone, so whoever has it could write to the host's.
      if (holdsSharedMemory(copy)) copy = undefined
    } catch {
      // A class instance with methods or handles: not data, so not for remotes.
    }
    keep(value, copy)
    return copy
  }

  return (state) => copyOf(state) as typeof state
}

/** Not by assignment: a key `__proto__` would set the prototype. */
function define(target: object, key: string, value: unknown): void {
  defineProperty(target, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}

function holdsSharedMemory(value: unknown, seen: Set<unknown> = new Set()): boolean {
  if (!isObject(value) || seen.has(value)) return false
  seen.add(value)
  if (isView(value)) return holdsSharedMemory(value.buffer)
  if (typeof SharedArrayBuffer !== 'undefined' && value instanceof SharedArrayBuffer) return true
  const parts: unknown[] = Object.values(value)
  if (value instanceof Map) parts.push(...value.keys(), ...value.values())
  if (value instanceof Set) parts.push(...value)
  return parts.some((part) => holdsSharedMemory(part, seen))
}

/** A set of objects that can be asked about anything, and keeps none of them alive. */
export interface Marks {
  add(value: unknown): void
  has(value: unknown): boolean
  /** Takes it out, and tells whether it was in. */
  take(value: unknown): boolean
}

/** As a `WeakSet`, and answers the same after somebody has patched the realm's. What is no object is never in. */
export function createMarks(): Marks {
  const marks = new WeakMap<object, true>()
  return {
    add(value) {
      if (isObject(value)) apply(set, marks, [value, true])
    },
    has: (value) => apply(has, marks, [value]),
    take: (value) => apply(take, marks, [value]),
  }
}

/** A listener whose faults stay its own: neither the host's dispatch nor the listeners after it hear of them. */
export function harmless<Args extends readonly unknown[]>(
  listener: (...args: Args) => void,
): (...args: Args) => void {
  return (...args) => {
    try {
      // Not spread: that asks the iterator of arrays, which may be a remote's.
      apply(listener, undefined, args)
    } catch (fault) {
      reportFault(fault)
    }
  }
}
