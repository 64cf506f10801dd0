/**
 * Trusted Types for a page with Module Federation. Runs in the page and imports nothing, so that a host's entry can
 * call it before the first chunk is asked for.
 *
 * @module
 */

/** The part of the Trusted Types API that is used here; TypeScript's own library does not have it yet. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: {
      createScriptURL(address: string): string | null
      createScript(text: string): string | null
    },
  ): unknown
}

/**
 * Creates the page's `default` Trusted Types policy, which lets scripts of the page's own origin and of these origins
 * be loaded, and makes no HTML and no code from text. An import map that has nothing but hashes passes: it can only
 * forbid, and `authGatePlugin` adds such maps.
 *
 * Under `require-trusted-types-for 'script'` a page needs it before its first chunk: the loaders of webpack, Rspack and
 * the Module Federation runtime assign plain strings to `script.src`. With `trusted-types default` in the
 * Content-Security-Policy no remote can create another one, and this one can be created once. Does nothing in a browser
 * without Trusted Types, where the policy's `script-src` alone decides.
 *
 * @param origins - of the remotes: `https://cart.example.com`.
 * @throws TypeError for an entry that is not an origin, and from the browser when there is a default policy already.
 * @example
 * trustScripts(['https://cart.example.com'])
 * void import('./bootstrap.ts')
 */
export function trustScripts(origins: readonly string[]): void {
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw new TypeError(
        'trustScripts: each entry must be an origin, e.g. "https://cart.example.com".',
      )
  }
  const trusted = new Set([location.origin, ...origins])
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes }
  trustedTypes?.createPolicy('default', {
    createScriptURL: (address) =>
      trusted.has(new URL(address, document.baseURI).origin) ? address : null,
    createScript: (text) => (isIntegrityMap(text) ? text : null),
  })
}

/** Such a text is no script: as one, its first colon is a syntax error. */
function isIntegrityMap(text: string): boolean {
  try {
    const map = JSON.parse(text) as unknown
    return typeof map === 'object' && map !== null && Object.keys(map).join() === 'integrity'
  } catch {
    return false
  }
}
