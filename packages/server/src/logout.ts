import type { Handler } from 'hono'
import type { HostCookie } from './host-cookie.ts'
import type { InFlight } from './in-flight.ts'
import type { LivingSessions } from './living-sessions.ts'
import type { OpenidProvider } from './openid-provider.ts'
import type { Settings } from './options.ts'
import { problem } from './problem.ts'
import { providerFailure } from './provider-failure.ts'
import type { RateLimiter } from './rate-limit.ts'
import { requestGuard } from './request-guard.ts'
import { tooMany } from './too-many.ts'

/** Milliseconds that a sign-out waits for the provider's metadata where it has not been read yet. */
const PATIENCE = 2_000

/**
 * `POST /logout`: ends the session here and answers `{ endSessionUrl? }`, where the page may send the browser to end the
 * provider's own session. The refresh token is revoked afterwards, as well as can be. Same rules as sync.
 *
 * Nothing slow stands between the end of the session and the answer: other tabs hear of the end at once, and an answer
 * that left later would clear the cookie of the next sign-in.
 */
export function logout(
  settings: Pick<Settings, 'origin' | 'logger' | 'now'>,
  parts: {
    readonly sessions: LivingSessions
    readonly limiter: RateLimiter
    readonly provider: OpenidProvider
    readonly cookie: HostCookie
    readonly inFlight: Pick<InFlight, 'track'>
  },
): Handler {
  const { origin, logger, now } = settings
  const { sessions, limiter, provider, cookie, inFlight } = parts

  /** Nothing that the provider does or fails to do may keep a user signed in. */
  const tried = <T>(what: string, task: Promise<T>): Promise<T | undefined> =>
    task.catch((error: unknown) => {
      const { code } = providerFailure(error, now())
      logger.warn(`[auth] ${what} failed: ${code}`, { event: 'sign-out-incomplete', what, code })
      return undefined
    })

  return async (c) => {
    const refusal = requestGuard(c.req.raw, origin)
    if (refusal !== undefined)
      return problem(c, { status: 403, title: 'Request refused', detail: refusal })

    const id = cookie.read(c)
    const wait = id === undefined ? 0 : limiter.take(id)
    if (wait > 0) return tooMany(c, wait)
    const key = id === undefined ? undefined : await sessions.keyOf(id)
    const session = key === undefined ? undefined : await sessions.read(key)
    const endSessionUrl = await withinPatience(
      tried('end-session address', provider.endSessionUrl(session?.idToken)),
    )
    if (key !== undefined && session !== undefined) {
      await sessions.endForGood(key)
      logger.info('[auth] signed out', { event: 'sign-out' })
    } else if (key !== undefined) {
      // What cannot be read must go as well.
      await sessions.end(key)
    }
    cookie.clear(c)

    const { refreshToken } = session ?? {}
    if (refreshToken !== undefined)
      void inFlight.track(() => tried('revocation', provider.revoke(refreshToken)))
    // Not "cookies": it reaches the whole registrable domain, so it would sign the user out of every sibling app. Our
    // own cookie is cleared by name. Not "executionContexts": no browser reloads for it, the page kills its own memory.
    c.header('Clear-Site-Data', '"cache", "storage"')
    return c.json(endSessionUrl === undefined ? {} : { endSessionUrl })
  }
}

async function withinPatience<T>(task: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, PATIENCE, undefined)
  })
  return Promise.race([task, timeout]).finally(() => clearTimeout(timer))
}
