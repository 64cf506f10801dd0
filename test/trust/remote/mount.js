// What each bundler builds: a module that is exposed, with a chunk and a stylesheet that come later.
import { produce } from 'immer'

export function mount(element) {
  const { by } = produce({ by: '' }, (draft) => {
    draft.by = BUNDLER
  })
  element.textContent = `built by ${by}`
  return {
    async more() {
      const { more } = await import('./more.js')
      return more()
    },
  }
}
