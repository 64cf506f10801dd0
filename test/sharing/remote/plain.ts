import type { Mount } from './mount.ts'

/** Without a framework. */
export const mount: Mount = (element, { auth }) => {
  const render = (): void => {
    element.textContent = `${BUNDLER} ${auth.current()?.accessToken ?? 'without a token'}`
  }
  auth.subscribe(render)
  render()
  return { report: () => ({ remote: auth.remote, keys: Object.keys(auth).toSorted() }) }
}
