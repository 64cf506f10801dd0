/** Reads where a request goes by the realm's own code, as it stood when the bridge was made. */
export interface WebAddresses {
  /** Parses a string against a base. @throws TypeError as `new URL` does. */
  parse(
    address: string,
    base: string | undefined,
  ): { readonly origin: string; readonly href: string }
  /** A genuine copy of whatever `fetch` takes beside a string: made from the internal slots, whatever its properties say. */
  copy(input: URL | Request): Request
  urlOf(request: Request): string
  clone(request: Request): Request
}

/**
 * Takes `URL` and `Request` and their getters as they stand now.
 *
 * A remote chooses what it hands to `reader.fetch`: a `Request` with an own property `url` that names an allowed origin is
 * sent by `fetch` to the address in its internal slot. And a remote that replaces `URL` later would choose what we read.
 */
export function captureWebAddresses(): WebAddresses {
  const { URL, Request } = globalThis
  const { apply } = Reflect
  const textGetter = (prototype: object, name: string) => {
    const get = Object.getOwnPropertyDescriptor(prototype, name)?.get as () => string
    return (target: object): string => apply(get, target, [])
  }
  const originOf = textGetter(URL.prototype, 'origin')
  const hrefOf = textGetter(URL.prototype, 'href')
  const requestUrl = textGetter(Request.prototype, 'url')
  const { clone } = Request.prototype
  return Object.freeze<WebAddresses>({
    parse(address, base) {
      const url = new URL(address, base)
      return { origin: originOf(url), href: hrefOf(url) }
    },
    copy: (input) => new Request(input),
    urlOf: (request) => requestUrl(request),
    clone: (request) => apply(clone, request, []),
  })
}
