/**
 * The built-ins that the guard works with, as they stood when this module was loaded: what is patched later does not
 * see a token pass.
 *
 * @module
 */
const { bind, call } = Function.prototype

/** The method as a function that takes its `this` first. Looks nothing up when it is called. */
export const uncurry: <Self, Args extends unknown[], Result>(
  method: (this: Self, ...args: Args) => Result,
) => (self: Self, ...args: Args) => Result = bind.bind(call) as never

export const apply: typeof Reflect.apply = Reflect.apply
export const construct: typeof Reflect.construct = Reflect.construct
export const defineProperty: typeof Reflect.defineProperty = Reflect.defineProperty
export const descriptorOf: typeof Reflect.getOwnPropertyDescriptor =
  Reflect.getOwnPropertyDescriptor
export const prototypeOf: typeof Reflect.getPrototypeOf = Reflect.getPrototypeOf
export const isArray: typeof Array.isArray = Array.isArray
export const isView: typeof ArrayBuffer.isView = ArrayBuffer.isView
export const Grams: MapConstructor = Map
export const Seen: SetConstructor = Set
export const Bytes: Uint8ArrayConstructor = Uint8Array
export const Later: PromiseConstructor = Promise

const Text = String
/** The value as text where it would be turned into one: once, so that it cannot be another one the second time. */
export const asText = (value: unknown): unknown =>
  (typeof value === 'object' && value !== null) || typeof value === 'function' ? Text(value) : value

export const substring: (text: string, start: number, end?: number) => string = uncurry(
  String.prototype.substring,
)
export const codeAt: (text: string, index: number) => number = uncurry(String.prototype.charCodeAt)
export const indexOf: (text: string, part: string) => number = uncurry(String.prototype.indexOf)
export const lowerCase: (text: string) => string = uncurry(String.prototype.toLowerCase)
export const encodeUri: typeof encodeURIComponent = encodeURIComponent
export const base64: typeof btoa = btoa
export const getGram: <Value>(map: Map<string, Value>, key: string) => Value | undefined = uncurry(
  Map.prototype.get,
) as never
export const setGram: <Value>(map: Map<string, Value>, key: string, value: Value) => void = uncurry(
  Map.prototype.set,
) as never
export const eachEntry: (
  entries: Map<unknown, unknown> | Set<unknown>,
  visit: (value: unknown, key: unknown) => void,
) => void = (entries, visit) =>
  isMap(entries) ? forEachOfMap(entries, visit) : forEachOfSet(entries, visit)
export const hasSeen: (seen: Set<unknown>, value: unknown) => boolean = uncurry(Set.prototype.has)
export const addSeen: (seen: Set<unknown>, value: unknown) => void = uncurry(Set.prototype.add)
export const after: <Value, Result>(
  promise: Promise<Value>,
  onDone: (value: Value) => Result | PromiseLike<Result>,
  onFailed?: (error: unknown) => Result | PromiseLike<Result>,
) => Promise<Result> = uncurry(Promise.prototype.then) as never

const forEachOfMap = uncurry(Map.prototype.forEach)
const forEachOfSet = uncurry(Set.prototype.forEach)
const isBrand = (prototype: object, name: string): ((value: unknown) => boolean) => {
  const read = descriptorOf(prototype, name)?.get
  return (value) => {
    if (read === undefined) return false
    try {
      apply(read, value, [])
      return true
    } catch {
      return false
    }
  }
}
/** By what the engine put into the value, whatever its prototype says. */
export const isMap: (value: unknown) => value is Map<unknown, unknown> = isBrand(
  Map.prototype,
  'size',
) as never
export const isSet: (value: unknown) => value is Set<unknown> = isBrand(
  Set.prototype,
  'size',
) as never
export const isBuffer: (value: unknown) => value is ArrayBuffer = isBrand(
  ArrayBuffer.prototype,
  'byteLength',
) as never
export const isBlob: (value: unknown) => value is Blob =
  typeof Blob === 'undefined'
    ? (_value): _value is Blob => false
    : (isBrand(Blob.prototype, 'size') as never)
/** A `String` object. */
export const isText: (value: unknown) => value is string = ((value: unknown) => {
  try {
    valueOfText(value as string)
    return true
  } catch {
    return false
  }
}) as never
export const valueOfText: (text: string) => string = uncurry(String.prototype.valueOf)

const latin1Decoder = new TextDecoder('latin1')
const decode = uncurry(TextDecoder.prototype.decode)
/** One character for each byte. */
export const textOfBytes = (bytes: ArrayBufferView): string => decode(latin1Decoder, bytes)
