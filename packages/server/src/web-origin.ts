/** Stricter than WHATWG URL parsing, which takes `*`, `;`, `,` and `'` for parts of a host name. */
const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)$/

/**
 * Tells whether a value is an origin in its serialized form (`https://app.example.com`, no path, no trailing slash) that
 * may be trusted on the network: an encrypted scheme, or a plain one on this machine only.
 *
 * @param schemes - the encrypted schemes allowed; the plain counterpart is allowed on loopback.
 */
export function isWebOrigin(
  value: unknown,
  schemes: readonly ('https' | 'wss')[] = ['https'],
): value is string {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const url = new URL(value)
  if (url.origin !== value || !HOST.test(url.hostname)) return false
  const scheme = url.protocol.slice(0, -1)
  return schemes.some(
    (encrypted) =>
      scheme === encrypted || (scheme === encrypted.replace(/s$/, '') && isLoopback(url)),
  )
}

/**
 * Tells whether a URL names this machine. Plain http is safe there and nowhere else; browsers agree (W3C Secure Contexts
 * section 3.1).
 */
export function isLoopback(url: URL): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
}
