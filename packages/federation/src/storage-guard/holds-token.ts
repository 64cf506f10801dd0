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
  prototypeOf,
  Seen,
  textOfBytes,
  valueOfText,
} from './captured.ts'
import type { TextTest } from './token-matcher.ts'

/** An array that is longer is walked by its keys: it may be nothing but holes. */
const LONG = 100_000
const plain = Object.prototype

/** So many objects are walked without a note of those that were seen, which costs more than the walk. */
const FEW = 500

/**
 * Tells whether the token stands anywhere in what would be cloned: in strings, keys, objects, arrays, maps, sets, errors
 * and bytes.
 *
 * @param later - is given what can only be read later.
 */
export function holdsToken(value: unknown, holds: TextTest, later: (blob: Blob) => void): boolean {
  let left = FEW
  let seen: Set<unknown> | undefined

  function test(inner: unknown): boolean {
    if (typeof inner === 'string') return holds(inner)
    return typeof inner === 'object' && inner !== null && walk(inner)
  }

  /** Of a graph that turns in circles every object is met again, and noted then. */
  function isKnown(object: object): boolean {
    left -= 1
    if (left > 0) return false
    seen ??= new Seen()
    if (hasSeen(seen, object)) return true
    addSeen(seen, object)
    return false
  }

  function walk(object: object): boolean {
    if (isKnown(object)) return false
    if (isArray(object) && object.length < LONG) {
      for (let index = 0; index < object.length; index += 1) if (test(object[index])) return true
      return false
    }
    const prototype = prototypeOf(object)
    if (prototype !== plain && prototype !== null && testSpecial(object)) return true
    // Inherited ones as well: quicker than a list of the own, and they do no harm.
    for (const key in object)
      if (holds(key) || test((object as Record<string, unknown>)[key])) return true
    return false
  }

  function testSpecial(object: object): boolean {
    if (isView(object)) return holds(textOfBytes(object))
    if (isBuffer(object)) return holds(textOfBytes(new Bytes(object)))
    if (isText(object)) return holds(valueOfText(object))
    if (isBlob(object)) later(object)
    let isFound = false
    if (isMap(object) || isSet(object))
      eachEntry(object, (inner, key) => {
        isFound ||= test(key) || test(inner)
      })
    const { message, stack } = object as { readonly message?: unknown; readonly stack?: unknown }
    return isFound || test(message) || test(stack)
  }

  return test(value)
}
