import {
  addSeen,
  Bytes,
  eachEntry,
  hasSeen,
  isArray,
  isBlob,
  isBuffer,
  isMap,
  isSet,
  isText,
  isView,
  keysOf,
  prototypeOf,
  Seen,
  textOfBytes,
  valueOfText,
} from './captured.ts'
import type { TextTest } from './token-matcher.ts'

/** An array that is longer is walked by its keys: it may be nothing but holes. */
const LONG = 100_000
const plain = Object.prototype

/**
 * Tells whether the token stands anywhere in what would be cloned: in strings, keys, objects, arrays, maps, sets, errors
 * and bytes.
 *
 * @param later - is given what can only be read later.
 */
export function holdsToken(value: unknown, holds: TextTest, later: (blob: Blob) => void): boolean {
  if (typeof value === 'string') return holds(value)
  if (typeof value !== 'object' || value === null) return false
  const seen = new Seen<unknown>()

  function test(inner: unknown): boolean {
    if (typeof inner === 'string') return holds(inner)
    return typeof inner === 'object' && inner !== null && walk(inner)
  }

  function walk(object: object): boolean {
    if (hasSeen(seen, object)) return false
    addSeen(seen, object)
    if (isView(object)) return holds(textOfBytes(object))
    if (isArray(object) && object.length < LONG) {
      for (let index = 0; index < object.length; index += 1) if (test(object[index])) return true
      return false
    }
    const prototype = prototypeOf(object)
    const isPlain = prototype === null || prototype === plain
    return (!isPlain && testSpecial(object)) || testKeys(object as Record<string, unknown>)
  }

  function testKeys(object: Record<string, unknown>): boolean {
    const keys = keysOf(object)
    for (let index = 0; index < keys.length; index += 1) {
      const key = keys[index] as string
      if (holds(key) || test(object[key])) return true
    }
    return false
  }

  function testSpecial(object: object): boolean {
    if (isBlob(object)) later(object)
    if (isText(object)) return holds(valueOfText(object))
    if (isBuffer(object)) return holds(textOfBytes(new Bytes(object)))
    let isFound = false
    if (isMap(object) || isSet(object))
      eachEntry(object, (inner, key) => {
        isFound ||= test(key) || test(inner)
      })
    const { message, stack } = object as { readonly message?: unknown; readonly stack?: unknown }
    return isFound || test(message) || test(stack)
  }

  return walk(value)
}
