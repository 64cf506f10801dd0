import type { AuthSnapshot, SecureTokenBridge } from '@token-bridge/core'
import { isAuthError } from '@token-bridge/core/errors'
import type { StorageGuard } from './storage-guard/storage-guard.ts'

/** How long a gated load may go on. */
export interface GatedLoadOptions {
  /** Ends the wait. What was begun before is not reported, as a success or as a failure. */
  readonly signal?: AbortSignal
  /**
   * Watches what the remote writes until `load` is done and the remote has settled; then it has to bring what unmounts
   * the remote: a function, or an object with `unmount`.
   */
  readonly storageGuard?: StorageGuard
}

/**
 * Loads a remote once the session is settled, and tells the bridge how it went. Until then `load` is not called and
 * nothing of the remote is requested: not while signed out, and not in cookie-only mode. Waits as long as that lasts.
 *
 * Put the mounting into `load` too, so that a remote that fails there is reported.
 *
 * @param load - requests the remote. What it throws is reported as a short code, and thrown.
 * @returns what `load` brought.
 * @throws the signal's reason, or what `load` threw.
 * @example
 * const unmount = await loadGatedRemote(bridge, 'orders', async () => {
 *   const { mount } = await loadRemote('remote_orders/mount')
 *   return mount(element, { auth: bridge.reader('orders') })
 * })
 */
export async function loadGatedRemote<T>(
  bridge: Pick<SecureTokenBridge, 'snapshot' | 'snapshot$' | 'events$' | 'reportMount'>,
  remote: string,
  load: () => Promise<T>,
  { signal, storageGuard }: GatedLoadOptions = {},
): Promise<T> {
  signal?.throwIfAborted()
  // In the same turn: what is asked for is loaded at once, and never after the session has ended again.
  while (!mayMount(bridge.snapshot)) await untilSettled(bridge, signal)
  let failure: string | undefined
  // By the auth gate, whose fallback is what `load` then mounts: neither a second failure nor a success.
  let isReported = false
  const reports = bridge.events$.subscribe((event) => {
    if (event.type === 'remote-mount-failed' && event.remote === remote) isReported = true
  })
  try {
    return await (storageGuard?.hydrate(remote, load, signal) ?? load())
  } catch (error) {
    failure = isAuthError(error) ? error.code : 'load-failed'
    throw error
  } finally {
    reports.unsubscribe()
    if (signal?.aborted !== true && !isReported) bridge.reportMount(remote, failure)
  }
}

/** Waits until a remote may be loaded. */
export async function untilSettled(
  bridge: Pick<SecureTokenBridge, 'snapshot' | 'snapshot$'>,
  signal?: AbortSignal,
): Promise<void> {
  // Again after each wait: the session may have ended between the news and whoever waited for it.
  while (!mayMount(bridge.snapshot)) await untilItMay(bridge, signal)
}

/** A remote that mounts now finds a token: also one that outlives a maintenance. */
function mayMount({ mode, status, expiresAt }: AuthSnapshot): boolean {
  if (mode === 'cookie-only') return false
  return status === 'ready' || (status === 'maintenance' && expiresAt !== null)
}

function untilItMay(
  bridge: Pick<SecureTokenBridge, 'snapshot' | 'snapshot$'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let leave = (): void => {}
  return new Promise<void>((resolve, reject) => {
    const abort = (): void => reject(signal?.reason as Error)
    signal?.addEventListener('abort', abort)
    const subscription = bridge.snapshot$.subscribe((snapshot) => {
      if (mayMount(snapshot)) resolve()
    })
    leave = () => {
      subscription.unsubscribe()
      signal?.removeEventListener('abort', abort)
    }
  }).finally(() => leave())
}
