/** What the server wrote into the page: the hash of every script, by absolute address. */
type Hashes = Readonly<Record<string, string>>

/**
 * Gives each classic script that a loader adds the hash that the page's import map has for it, so that the browser
 * checks the bytes. The loaders of webpack, Rspack and Module Federation know no hashes themselves; modules need none
 * of this. A script without a hash is stopped by the page's Integrity-Policy.
 */
export function addScriptIntegrity(): void {
  const map = document.querySelector('script[type=importmap]')?.textContent ?? '{}'
  const { integrity = {} } = JSON.parse(map) as { readonly integrity?: Hashes }
  const src = Object.getOwnPropertyDescriptor(HTMLScriptElement.prototype, 'src')
  const assign = src?.set
  if (assign === undefined) return
  Object.defineProperty(HTMLScriptElement.prototype, 'src', {
    ...src,
    set(this: HTMLScriptElement, address: string) {
      const hash = integrity[new URL(address, document.baseURI).href]
      if (hash !== undefined) {
        this.integrity = hash
        this.crossOrigin ??= 'anonymous'
      }
      assign.call(this, address)
    },
  })
}
