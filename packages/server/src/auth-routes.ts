import { Hono, type Context, type Handler } from 'hono'
import { base64url } from 'jose'
import { backchannelLogout } from './backchannel-logout.ts'
import { health } from './health.ts'
import { hostCookie } from './host-cookie.ts'
import { createInFlight } from './in-flight.ts'
import { livingSessions } from './living-sessions.ts'
import { redactingLogger } from './log/redaction.ts'
import { createLoginTransactions, LOGIN_LIFETIME } from './login-transactions.ts'
import { login } from './login.ts'
import { logoutTokenReader } from './logout-token.ts'
import { logout } from './logout.ts'
import { openidProvider } from './openid-provider.ts'
import { readOptions, type AuthOptions, type Settings } from './options.ts'
import { OWN_HEADERS } from './own-headers.ts'
import { problem } from './problem.ts'
import { rateLimiter } from './rate-limit.ts'
import { hasLargeHeaders, sizeLimit } from './request-limits.ts'
import { createSessionMarks } from './session-marks.ts'
import { sealing } from './sealing.ts'
import { sessionRefresher } from './session-refresher.ts'
import { createSessions } from './sessions.ts'
import { sync } from './sync.ts'

/** Bytes: more than a sync request can need. */
const LARGEST_BODY = 1024

/** Bytes: more than a signed logout token can need. */
const LARGEST_LOGOUT_TOKEN = 16_384

/** The routes, and a way to stop them. */
export type AuthRoutes = Hono & {
  /**
   * Resolves when nothing is under way any more: what the provider answered is stored. `/readyz` says 503 from now on;
   * requests that still come are served and waited for. Call it on SIGTERM, after the server takes no more connections.
   */
  readonly close: () => Promise<void>
}

/**
 * The routes behind the bridge, for the app to mount at `basePath`: `GET /login?returnTo=/path`, `GET /callback`,
 * `POST /sync`, `POST /logout`, `POST /backchannel-logout`, `GET /healthz` and `GET /readyz`.
 *
 * The refresh token never leaves the server. The browser holds one cookie, `__Host-Http-sid` (Secure, HttpOnly,
 * SameSite=Strict, on http://localhost too), and asks `/sync` for an access token.
 *
 * @throws AuthError `ERR_CONFIG`, at construction, for a wrong option.
 * @example
 * app.route('/api/auth', authRoutes({
 *   issuer: 'https://id.example.com',
 *   clientId: 'shop',
 *   clientSecret: process.env.CLIENT_SECRET,
 *   origin: 'https://shop.example.com',
 * }))
 */
export function authRoutes(options: AuthOptions): AuthRoutes {
  const settings = withoutSecretsInTheLog(readOptions(options))
  const { logger, now } = settings
  const store = sealing(settings.store, settings.encryptionKeys, logger)
  const marks = createSessionMarks(settings)
  const sessions = livingSessions(createSessions(store, now), {
    marks,
    sessionLifetime: settings.sessionLifetime,
    idleLifetime: settings.idleLifetime,
    now,
  })
  const provider = openidProvider(settings)
  const refresher = sessionRefresher({
    sessions,
    provider,
    logger,
    now,
    grace: settings.refreshTokenGrace,
    minimumLifetime: settings.minimumLifetime,
  })
  const sessionCookie = hostCookie({
    name: 'sid',
    sameSite: 'Strict',
    lifetime: settings.sessionLifetime,
  })
  // Lax: the callback is a navigation that the provider's page started, and must be sent this one.
  const loginCookie = hostCookie({ name: 'login', sameSite: 'Lax', lifetime: LOGIN_LIFETIME })
  const { begin, finish } = login(settings, {
    sessions,
    marks,
    transactions: createLoginTransactions(store, now),
    provider,
    sessionCookie,
    loginCookie,
  })
  const limiter = (path: string) =>
    rateLimiter(settings.rateLimit, now, () =>
      logger.warn(`[auth] too many requests of one session: ${path}`, {
        event: 'rate-limited',
        path,
      }),
    )
  const cookie = sessionCookie
  const answer = sync(settings, { sessions, limiter: limiter('/sync'), refresher, cookie })
  const read = logoutTokenReader(settings, provider)
  const inFlight = createInFlight()
  let isClosing = false
  const { alive, ready } = health({ store, provider, isClosing: () => isClosing })

  function failed(c: Context, error: unknown): Response {
    // The name alone: a message may quote what it choked on.
    const { method, path } = c.req
    const name = error instanceof Error ? error.name : typeof error
    logger.error(`[auth] ${method} ${path} failed: ${name}`, {
      event: 'request-failed',
      method,
      path,
      error: name,
    })
    return problem(c, { status: 500, title: 'Internal error' })
  }

  /** One function for each route: in Hono's chain, and behind its `onError`, each middleware costs promises of its own. */
  const guarded =
    (handler: Handler): Handler =>
    (c, next) =>
      inFlight.track(async () => {
        try {
          return hasLargeHeaders(c)
            ? problem(c, { status: 431, title: 'The header fields are too large' })
            : await handler(c, next)
        } catch (error) {
          return failed(c, error)
        }
      })
  const routes = new Hono()
  const serve = (path: string, handlers: Handlers, largest = LARGEST_BODY) =>
    routes.all(path, guarded(sizeLimit(largest, only(handlers))))

  // First, because everybody asks for it all the time; its answers have their headers already.
  serve('/sync', settings.allowGet ? { POST: answer, GET: answer } : { POST: answer })
  routes.use(async (c, next) => {
    for (const [name, value] of Object.entries(OWN_HEADERS)) c.header(name, value)
    await next()
  })
  serve('/healthz', { GET: alive, HEAD: alive })
  serve('/readyz', { GET: ready, HEAD: ready })
  serve('/login', { GET: begin })
  serve('/callback', { GET: finish })
  serve('/logout', {
    POST: logout(settings, { sessions, limiter: limiter('/logout'), provider, cookie, inFlight }),
  })
  const hear = backchannelLogout({ read, marks, logger, now })
  serve('/backchannel-logout', { POST: hear }, LARGEST_LOGOUT_TOKEN)
  routes.all(
    '*',
    guarded((c) => problem(c, { status: 404, title: 'Not found' })),
  )
  return Object.assign(routes, {
    async close() {
      isClosing = true
      // A refresh may outlive the requests that asked for it.
      await inFlight.settled()
      await refresher.settled()
    },
  })
}

function withoutSecretsInTheLog(settings: Settings): Settings {
  const { logger, clientSecret, encryptionKeys } = settings
  const secrets = [
    ...(clientSecret === undefined ? [] : [clientSecret]),
    ...encryptionKeys.map((key) => base64url.encode(key)),
  ]
  return { ...settings, logger: redactingLogger(logger, secrets) }
}

type Handlers = Readonly<Record<string, Handler>>

/** Other methods get 405 with `Allow`. By hand, because Hono would serve HEAD as GET, and a link scanner's HEAD would use up a sign-in. */
function only(handlers: Handlers): Handler {
  return (c, next) => {
    const handler = Object.hasOwn(handlers, c.req.raw.method)
      ? handlers[c.req.raw.method]
      : undefined
    return (
      handler?.(c, next) ??
      problem(
        c,
        { status: 405, title: 'Method not allowed' },
        { Allow: Object.keys(handlers).join(', ') },
      )
    )
  }
}
