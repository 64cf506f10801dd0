import { SYNC_HEADER, SYNC_VERSION } from '@token-bridge/core/wire'
import { ELSEWHERE, type Answer, type Probes } from './probe.ts'

/** Milliseconds for one answer. */
const PATIENCE = 10_000

/**
 * Asks a host what the checks need to know.
 *
 * @param sync - path of the sync endpoint.
 * @throws Error with one line that says what could not be reached.
 */
export async function askHost(page: URL, sync: string): Promise<Probes> {
  const endpoint = new URL(sync, page)
  const own = {
    'content-type': 'application/json',
    origin: page.origin,
    'sec-fetch-site': 'same-origin',
    'sec-fetch-dest': 'empty',
  }
  const marked = { ...own, [SYNC_HEADER]: SYNC_VERSION }
  return {
    page: await ask(page, { headers: { accept: 'text/html' } }),
    sync: await ask(endpoint, { method: 'POST', headers: marked, body: '{}' }),
    syncWithoutHeader: await ask(endpoint, { method: 'POST', headers: own, body: '{}' }),
    syncFromElsewhere: await ask(endpoint, {
      method: 'POST',
      headers: { ...marked, origin: ELSEWHERE, 'sec-fetch-site': 'cross-site' },
      body: '{}',
    }),
  }
}

async function ask(url: URL, init: RequestInit): Promise<Answer> {
  try {
    const { status, headers, body } = await fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE),
    })
    await body?.cancel()
    return { status, headers }
  } catch (cause) {
    throw new Error(
      `${url.href} could not be reached. Is the host running, and is the address right?`,
      { cause },
    )
  }
}
