import { tokenBridge } from 'host_app/auth-bridge'
import type { Mount } from './mount.ts'

/** With the import that the guide shows. */
export const mount: Mount = (element) => {
  const render = (): void => {
    element.textContent = `${BUNDLER} ${tokenBridge.current()?.accessToken ?? 'without a token'}`
  }
  tokenBridge.subscribe(render)
  render()
  return {
    report: () => ({
      remote: tokenBridge.remote,
      frozen: Object.isFrozen(tokenBridge),
      keys: Object.keys(tokenBridge).toSorted(),
    }),
  }
}
