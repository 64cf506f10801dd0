import { defineProperty, descriptorOf, Later } from './captured.ts'

/** Properties that were replaced, and the way back. */
export interface Patches {
  /** Replaces a property that the object has itself and that can be replaced; anything else is left as it is. */
  replace(
    owner: object | undefined,
    name: PropertyKey,
    make: (original: PropertyDescriptor) => PropertyDescriptor,
  ): void
  /** Replaces a method by one of the same name and arity. */
  method(owner: object | undefined, name: string, make: (native: Method) => Method): void
  /** Replaces the setter of an accessor. */
  setter(owner: object | undefined, name: string, make: (native: Method) => Method): void
  /** Replaces the getter of an accessor. */
  getter(owner: object | undefined, name: string, make: (native: Method) => Method): void
  /** Puts every original descriptor back, unless somebody else has replaced ours since. */
  restore(): void
}

/** Any function, called with any `this`. */
export type Method = (this: unknown, ...args: unknown[]) => unknown

interface Patch {
  readonly owner: object
  readonly name: PropertyKey
  readonly original: PropertyDescriptor
  readonly ours: PropertyDescriptor
  readonly before: Patch | undefined
}

export function createPatches(): Patches {
  let last: Patch | undefined

  const replace: Patches['replace'] = (owner, name, make) => {
    const original = owner === undefined ? undefined : descriptorOf(owner, name)
    if (owner === undefined || original?.configurable !== true) return
    const ours = make(original)
    if (defineProperty(owner, name, ours)) last = { owner, name, original, ours, before: last }
  }

  return {
    replace,
    method(owner, name, make) {
      replace(owner, name, (original) => ({
        ...original,
        value: alike(make(original.value as Method), original.value as Method),
      }))
    },
    setter(owner, name, make) {
      replace(owner, name, (original) => ({
        ...original,
        set: alike(make(original.set as Method), original.set as Method),
      }))
    },
    getter(owner, name, make) {
      replace(owner, name, (original) => ({
        ...original,
        get: alike(make(original.get as Method), original.get as Method),
      }))
    },
    restore() {
      for (; last !== undefined; last = last.before) {
        const { owner, name, original, ours } = last
        const now = descriptorOf(owner, name)
        if (now?.value === ours.value && now?.get === ours.get && now?.set === ours.set)
          defineProperty(owner, name, original)
      }
    },
  }
}

/** Gives a function the name and length of the one that it stands for. */
function alike(replacement: Method, native: Method): Method {
  defineProperty(replacement, 'name', { value: native.name, configurable: true })
  defineProperty(replacement, 'length', { value: native.length, configurable: true })
  return replacement
}

/** A promise that is rejected, as a method that returns promises does it. */
export const rejected = (error: unknown): Promise<never> =>
  new Later((_resolve, reject) => reject(error))
