/** An import map with the hashes of modules. */
export interface IntegrityMap {
  /** This browser checks modules by the map alone, when it loads them. */
  readonly isNeeded: boolean
  /** `false` in a browser that needs it and did not take it. To be asked after something was awaited. */
  isInForce(): boolean
}

/**
 * Gives the browser the hashes of modules for all imports to come. WebKit needs it: it reads over `integrity` on a
 * `modulepreload`, and takes hashes from import maps that come late. Firefox takes no late map, and Chromium either: both
 * check the preload. Where the page shows no nonce and it is not needed none is added, because a policy may block it.
 */
export function addIntegrityMap(integrity: Readonly<Record<string, string>>): IntegrityMap {
  const isNeeded = isWebKit()
  const nonce = pageNonce()
  if (!isNeeded && nonce === '') return { isNeeded, isInForce: () => true }

  const script = document.createElement('script')
  let isBlocked = false
  const note = (event: Event): void => {
    isBlocked ||= event.target === script
  }
  document.addEventListener('securitypolicyviolation', note)
  script.type = 'importmap'
  script.nonce = nonce
  try {
    script.textContent = JSON.stringify({ integrity })
    document.head.append(script)
  } catch {
    // Trusted Types without a policy that lets the map pass: see `trustScripts`.
    isBlocked = true
  }
  return {
    isNeeded,
    isInForce() {
      document.removeEventListener('securitypolicyviolation', note)
      return !(isNeeded && isBlocked)
    },
  }
}

/** The nonce that the page's policy has for inline scripts, or nothing. */
export const pageNonce = (): string =>
  document.querySelector<HTMLElement>('script[nonce]')?.nonce ?? ''

/** There is no asking whether `integrity` on a preload is enforced; this property is WebKit's own. */
const isWebKit = (): boolean => CSS.supports('-webkit-nbsp-mode', 'space')
