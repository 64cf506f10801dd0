import type { RefusedRemote } from '@token-bridge/federation/runtime'
import type { Mount } from '../remotes/shared/mount-context.ts'

/** What is mounted in place of a remote that the gate has refused. */
export function refusedRemote({ remote, error }: RefusedRemote): { readonly mount: Mount } {
  return {
    mount(element) {
      const note = document.createElement('p')
      note.className = 'fault'
      note.role = 'alert'
      note.dataset['testid'] = `remote-${remote}-refused`
      note.textContent = `Not loaded: ${error.message}`
      element.append(note)
      return () => note.remove()
    },
  }
}
