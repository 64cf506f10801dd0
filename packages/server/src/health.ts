import type { Context, Handler } from 'hono'
import type { OpenidProvider } from './openid-provider.ts'
import { problem } from './problem.ts'
import type { SessionStore } from './session-store.ts'

/** Milliseconds that a check may take; probes do not wait long. */
const PATIENCE = 2_000

/** Milliseconds for which a check counts: anyone may ask, and asking must cost nothing. */
const FRESH = 1_000

export interface Health {
  /** `GET /healthz`: this process answers. Nothing else is asked. */
  readonly alive: Handler
  /**
   * `GET /readyz`: the store answers and the provider's metadata is known; 503 otherwise, and once the server is closing.
   * A provider that fails later makes no replica unready: valid tokens are still handed out.
   */
  readonly ready: Handler
}

export function health(parts: {
  readonly store: SessionStore
  readonly provider: Pick<OpenidProvider, 'ready'>
  readonly isClosing: () => boolean
}): Health {
  const { store, provider, isClosing } = parts
  let last: { readonly at: number; readonly reason: Promise<string | undefined> } | undefined

  async function check(): Promise<string | undefined> {
    const [hasStore, hasProvider] = await Promise.all([
      succeeds(store.get('readyz')),
      succeeds(provider.ready()),
    ])
    if (!hasStore) return 'The session store does not answer.'
    return hasProvider ? undefined : 'The metadata of the identity provider could not be read.'
  }

  return Object.freeze<Health>({
    alive: (c) => c.json({ status: 'alive' }),
    async ready(c: Context) {
      if (isClosing()) return notReady(c, 'The server is closing.')
      const at = performance.now()
      if (last === undefined || at - last.at > FRESH) last = { at, reason: check() }
      const reason = await last.reason
      return reason === undefined ? c.json({ status: 'ready' }) : notReady(c, reason)
    },
  })
}

function notReady(c: Context, detail: string): Response {
  return problem(c, { status: 503, title: 'Not ready', detail })
}

async function succeeds(task: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, PATIENCE, false)
  })
  const settled = task.then(
    () => true,
    () => false,
  )
  return Promise.race([settled, timeout]).finally(() => clearTimeout(timer))
}
