import { Hono, type Context, type Handler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { hostCookie } from './host-cookie.ts'
import { createLoginTransactions, LOGIN_LIFETIME } from './login-transactions.ts'
import { login } from './login.ts'
import { logout } from './logout.ts'
import { openidProvider } from './openid-provider.ts'
import { readOptions, type AuthOptions } from './options.ts'
import { problem } from './problem.ts'
import { sessionRefresher } from './session-refresher.ts'
import { createSessions } from './sessions.ts'
import { sync } from './sync.ts'

/** Bytes: more than a sync request can need. */
const LARGEST_BODY = 1024

/**
 * The routes behind the bridge, for the app to mount at `basePath`:
 * `GET /login?returnTo=/path`, `GET /callback`, `POST /sync` and `POST /logout`.
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
export function authRoutes(options: AuthOptions): Hono {
  const settings = readOptions(options)
  const { store, logger, now } = settings
  const sessions = createSessions(store)
  const provider = openidProvider(settings)
  const refresher = sessionRefresher({
    sessions,
    provider,
    logger,
    now,
    grace: settings.refreshTokenGrace,
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
    transactions: createLoginTransactions(store, now),
    provider,
    sessionCookie,
    loginCookie,
  })
  const answer = sync(settings, { sessions, refresher, cookie: sessionCookie })

  const routes = new Hono()
  routes.use(async (c, next) => {
    await next()
    protect(c)
  })
  routes.use(
    bodyLimit({
      maxSize: LARGEST_BODY,
      onError: (c) => problem(c, { status: 413, title: 'The body is too large' }),
    }),
  )
  routes.all('/login', only({ GET: begin }))
  routes.all('/callback', only({ GET: finish }))
  routes.all('/sync', only(settings.allowGet ? { POST: answer, GET: answer } : { POST: answer }))
  routes.all(
    '/logout',
    only({ POST: logout(settings, { sessions, provider, cookie: sessionCookie }) }),
  )
  routes.all('*', (c) => problem(c, { status: 404, title: 'Not found' }))
  routes.onError((error, c) => {
    // The name alone: a message may quote what it choked on.
    logger.error(`[auth] ${c.req.method} ${c.req.path} failed: ${error.name}`)
    return problem(c, { status: 500, title: 'Internal error' })
  })
  return routes
}

/** Other methods get 405 with `Allow`. By hand, because Hono would serve HEAD as GET, and a link scanner's HEAD would use up a sign-in. */
function only(handlers: Readonly<Record<string, Handler>>): Handler {
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

/** No cache, no other origin, no other type, no referrer: the callback's address holds a code. Never a CORS header. */
function protect(c: Context): void {
  c.header('Cache-Control', 'no-store')
  c.header('Vary', 'Origin, Sec-Fetch-Site, Cookie')
  c.header('X-Content-Type-Options', 'nosniff')
  c.header('Cross-Origin-Resource-Policy', 'same-origin')
  c.header('Referrer-Policy', 'no-referrer')
}
