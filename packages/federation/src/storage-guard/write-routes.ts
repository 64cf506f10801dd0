import {
  after,
  apply,
  asText,
  Bytes,
  descriptorOf,
  isArray,
  textOfBytes,
  uncurry,
} from './captured.ts'
import { rejected, type Method, type Patches } from './patches.ts'
import { prototypeIn, type Realm, type Sentry } from './sentry.ts'

/** A method that writes: its class, its name, and how many of its arguments can carry the token. */
type Write = readonly [owner: string, method: string, carriers: number]

const WRITES: readonly Write[] = [
  ['IDBObjectStore', 'put', 2],
  ['IDBObjectStore', 'add', 2],
  ['IDBObjectStore', 'createIndex', 2],
  ['IDBCursor', 'update', 1],
  ['IDBFactory', 'open', 1],
  ['IDBDatabase', 'createObjectStore', 2],
  ['BroadcastChannel', 'postMessage', 1],
  ['MessagePort', 'postMessage', 1],
  ['Worker', 'postMessage', 1],
  ['ServiceWorker', 'postMessage', 1],
  ['History', 'pushState', 3],
  ['History', 'replaceState', 3],
  ['Navigation', 'updateCurrentEntry', 1],
]

/** The same for methods that return a promise, and are to reject. */
const PROMISED_WRITES: readonly Write[] = [
  ['CookieStore', 'set', 2],
  ['CacheStorage', 'open', 1],
  ['FileSystemDirectoryHandle', 'getFileHandle', 1],
  ['FileSystemDirectoryHandle', 'getDirectoryHandle', 1],
  ['FileSystemWritableFileStream', 'write', 1],
  ['WritableStreamDefaultWriter', 'write', 1],
]

/**
 * Guards the methods and accessors of a realm that keep or send what they are given, storage areas excepted.
 */
export function guardWrites(realm: Realm, patches: Patches, sentry: Sentry): void {
  const refuse = (route: string) => sentry.caught(route, 'blocked')
  guard(WRITES, (error) => {
    throw error
  })
  guard(PROMISED_WRITES, rejected)
  patches.method(realm, 'postMessage', (native) =>
    guarded('window.postMessage', native, 1, (error) => {
      throw error
    }),
  )
  patches.setter(prototypeIn(realm, 'Document'), 'cookie', (native) =>
    guardedText('document.cookie', native),
  )
  patches.setter(realm, 'name', (native) => guardedText('window.name', native))
  guardCache()

  function guard(writes: readonly Write[], fail: (error: unknown) => unknown): void {
    for (let index = 0; index < writes.length; index += 1) {
      const [owner, name, carriers] = writes[index] as Write
      patches.method(prototypeIn(realm, owner), name, (native) =>
        guarded(`${owner}.${name}`, native, carriers, fail),
      )
    }
  }

  function guarded(
    route: string,
    native: Method,
    carriers: number,
    fail: (error: unknown) => unknown,
  ): Method {
    return {
      method(this: unknown, ...args: unknown[]): unknown {
        for (let index = 0; index < carriers && index < args.length; index += 1)
          if (sentry.holds(args[index], route)) return fail(refuse(route))
        return apply(native, this, args)
      },
    }.method
  }

  function guardedText(route: string, native: Method): Method {
    return {
      set(this: unknown, value: unknown): unknown {
        const text = asText(value)
        if (sentry.holds(text, route)) throw refuse(route)
        return apply(native, this, [text])
      },
    }.set
  }

  function guardCache(): void {
    const cache = prototypeIn(realm, 'Cache')
    const isAddress = (request: unknown, route: string): boolean =>
      sentry.holds(addressOf(request), route)
    patches.method(
      cache,
      'add',
      (native) =>
        ({
          add(this: unknown, ...args: unknown[]): unknown {
            return isAddress(args[0], 'Cache.add')
              ? rejected(refuse('Cache.add'))
              : apply(native, this, args)
          },
        }).add,
    )
    patches.method(
      cache,
      'addAll',
      (native) =>
        ({
          addAll(this: unknown, ...args: unknown[]): unknown {
            const requests = args[0]
            if (isArray(requests))
              for (let index = 0; index < requests.length; index += 1)
                if (isAddress(requests[index], 'Cache.addAll'))
                  return rejected(refuse('Cache.addAll'))
            return apply(native, this, args)
          },
        }).addAll,
    )
    patches.method(
      cache,
      'put',
      (native) =>
        ({
          put(this: unknown, ...args: unknown[]): unknown {
            const [request, response] = args
            if (isAddress(request, 'Cache.put')) return rejected(refuse('Cache.put'))
            const copy = copyOf(response)
            if (copy === undefined) return apply(native, this, args)
            const putting = after(bytesOf(copy), (bytes) => {
              const isCaught =
                sentry.holds(textOfBytes(new Bytes(bytes)), 'Cache.put') ||
                sentry.holds(headersOf(response as Response), 'Cache.put')
              return isCaught ? rejected(refuse('Cache.put')) : apply(native, this, args)
            })
            sentry.pending(putting)
            return putting
          },
        }).put,
    )
  }
}

const getterOf = (owner: { readonly prototype: object } | undefined, name: string): Method =>
  (owner === undefined ? undefined : (descriptorOf(owner.prototype, name)?.get as Method)) ??
  (() => undefined)

const { Request: NativeRequest, Response: NativeResponse, Headers: NativeHeaders } = globalThis
const requestUrl = uncurry(getterOf(NativeRequest, 'url')) as (request: unknown) => string
const isBodyUsed = uncurry(getterOf(NativeResponse, 'bodyUsed')) as (response: unknown) => boolean
const responseHeaders = uncurry(getterOf(NativeResponse, 'headers')) as (
  response: unknown,
) => Headers
const cloneResponse: (response: Response) => Response = uncurry(NativeResponse.prototype.clone)
const bytesOf = uncurry(NativeResponse.prototype.arrayBuffer) as (
  response: Response,
) => Promise<ArrayBuffer>
const eachHeader = uncurry(NativeHeaders.prototype.forEach) as (
  headers: Headers,
  visit: (value: string, name: string) => void,
) => void

function addressOf(request: unknown): unknown {
  if (typeof request !== 'object' || request === null) return request
  try {
    return requestUrl(request)
  } catch {
    return asText(request)
  }
}

/** `undefined` for what the cache will refuse by itself. */
function copyOf(response: unknown): Response | undefined {
  try {
    return isBodyUsed(response) ? undefined : cloneResponse(response as Response)
  } catch {
    return undefined
  }
}

function headersOf(response: Response): string {
  let text = ''
  eachHeader(responseHeaders(response), (value, name) => {
    text += `${name}: ${value}\n`
  })
  return text
}
