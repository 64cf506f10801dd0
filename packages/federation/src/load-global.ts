import type { ModuleTools } from './load-module.ts'
import { bypassed, refusal } from './refusal.ts'
import type { RemoteList } from './remote-list.ts'
import type { TrustedRemote } from './trusted-remotes.ts'

/**
 * Loads an entry that is a script, and gives what it has set. Its chunks are checked as they come, by the guard of all
 * elements.
 */
export async function loadGlobal(
  remote: TrustedRemote,
  list: RemoteList,
  loaded: ModuleTools['loaded'],
): Promise<object> {
  // The container, and where webpack and Rspack hand over chunks: what stands there would be taken for the remote's.
  const globals = [list.global, `webpackChunk${list.global}`, `rspackChunk${list.global}`]
  const taken = globals.find((name) => Object.hasOwn(globalThis, name))
  if (taken !== undefined)
    throw bypassed(remote.name, `the global "${taken}" was set before its entry was loaded`)
  const script = document.createElement('script')
  script.src = remote.entry
  await loaded(script, remote)
  const container: unknown = Object.getOwnPropertyDescriptor(globalThis, list.global)?.value
  if (typeof container !== 'object' || container === null)
    throw refusal(
      'ERR_REMOTE_NAME',
      `The entry of "${remote.name}" did not set the global "${list.global}" that its list names. Sign it with --global.`,
    )
  return container
}
