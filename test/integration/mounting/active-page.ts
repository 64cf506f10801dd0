import { syncEndpoint, type TokenSource } from '@token-bridge/core'

/** For `createTokenBridge({ source: activePage() })`: asks for tokens, and says when a person was there. */
export function activePage(): TokenSource {
  let lastInput = performance.now()
  const note = (event: Event): void => {
    if (event.isTrusted) lastInput = performance.now()
  }
  for (const type of ['pointerdown', 'keydown', 'wheel', 'touchmove'])
    addEventListener(type, note, { capture: true, passive: true })
  return syncEndpoint('/api/auth/sync', { isActive: () => performance.now() - lastInput < 300_000 })
}
