import { createTokenBridge } from '@token-bridge/core'
import type { Mount } from './mount.ts'

/** Does what only a host may. */
export const mount: Mount = (element) => {
  const bridge = createTokenBridge({ tabs: false })
  element.textContent = `${BUNDLER} has a bridge of its own`
  return { report: () => ({ snapshot: bridge.snapshot }) }
}
