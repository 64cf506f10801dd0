import type { Context, Handler } from 'hono'
import type { HostCookie } from './host-cookie.ts'
import { htmlPage } from './html-page.ts'
import type { LoginTransactions } from './login-transactions.ts'
import type { Grant, OpenidProvider } from './openid-provider.ts'
import type { Settings } from './options.ts'
import { providerFailure, type ProviderFailure } from './provider-failure.ts'
import { returnTo } from './return-to.ts'
import { createSecretId } from './secret-id.ts'
import type { SessionMarks } from './session-marks.ts'
import type { Sessions } from './sessions.ts'

/** Signing in: `begin` sends the browser to the provider, `finish` takes it back. */
export interface Login {
  readonly begin: Handler
  readonly finish: Handler
}

/**
 * `GET /login?returnTo=/path` and `GET /callback`: the authorization code flow with PKCE (RFC 9700 section 2.1.1,
 * OpenID Connect Core 1.0 section 3.1).
 *
 * The way back does not redirect: see docs/decisions/0002-strict-cookie-and-the-way-back.md.
 */
export function login(
  settings: Pick<
    Settings,
    'origin' | 'basePath' | 'sessionLifetime' | 'idleLifetime' | 'logger' | 'now'
  >,
  parts: {
    readonly sessions: Sessions
    readonly marks: Pick<SessionMarks, 'of'>
    readonly transactions: LoginTransactions
    readonly provider: OpenidProvider
    readonly sessionCookie: HostCookie
    readonly loginCookie: HostCookie
  },
): Login {
  const { origin, basePath, sessionLifetime, idleLifetime, logger, now } = settings
  const { sessions, marks, transactions, provider, sessionCookie, loginCookie } = parts

  const formerSession = async (c: Context): Promise<string | undefined> => {
    const id = sessionCookie.read(c)
    return id === undefined ? undefined : sessions.keyOf(id)
  }

  function tryAgain(path: string): { href: string; text: string } {
    const query = new URLSearchParams({ returnTo: path })
    return { href: `${origin}${basePath}/login?${query}`, text: 'Try again' }
  }

  function failed(c: Context, failure: ProviderFailure, path: string): Response {
    logger.warn(`[auth] sign-in failed: ${failure.code}`, {
      event: 'sign-in-failed',
      code: failure.code,
    })
    if (failure.kind === 'unavailable') {
      return htmlPage(c, {
        status: 503,
        title: 'Signing in is not possible right now',
        text: 'The sign-in service does not answer as it should. Please try again in a moment.',
        link: tryAgain(path),
      })
    }
    return htmlPage(c, {
      status: 400,
      title: 'You are not signed in',
      text:
        failure.code === 'access_denied'
          ? 'The sign-in was cancelled or not allowed.'
          : 'The sign-in could not be completed.',
      link: tryAgain(path),
    })
  }

  async function begin(c: Context): Promise<Response> {
    const path = returnTo(c.req.query('returnTo'), origin, basePath)
    const browser = loginCookie.read(c) ?? createSecretId()
    const replaces = await formerSession(c)
    const transaction = await transactions.begin(browser, {
      returnTo: path,
      ...(replaces !== undefined && { replaces }),
    })
    let url: URL
    try {
      url = await provider.authorizationUrl(transaction)
    } catch (error) {
      return failed(c, providerFailure(error, now()), path)
    }
    loginCookie.write(c, browser)
    return c.redirect(url.href, 302)
  }

  async function startSession(
    c: Context,
    { subject, providerSession, ...grant }: Grant,
    startedAt: number,
    replaces: string | undefined,
  ): Promise<void> {
    if (idleLifetime !== undefined && grant.expiresAt - now() > idleLifetime) {
      logger.warn('[auth] idleLifetime is shorter than an access token lives: pages ask too late', {
        event: 'idle-lifetime-too-short',
      })
    }
    const id = await sessions.open({
      ...grant,
      startedAt,
      marks: await marks.of({ subject, providerSession }),
      endsAt: now() + sessionLifetime,
    })
    // Deleted, not revoked: at many providers both sessions share one grant, and revoking would end the new one too.
    // The reason keeps a refresh under way from revoking what comes of it.
    for (const key of [replaces, await formerSession(c)]) {
      if (key !== undefined) await sessions.end(key, undefined, 'session-replaced')
    }
    sessionCookie.write(c, id)
    logger.info('[auth] signed in', { event: 'sign-in' })
  }

  async function finish(c: Context): Promise<Response> {
    const answer = new URL(c.req.url).searchParams
    const browser = loginCookie.read(c)
    const state = answer.get('state')
    const transaction =
      browser !== undefined && state !== null ? await transactions.take(browser, state) : undefined
    if (transaction === undefined) {
      return htmlPage(c, {
        status: 400,
        title: 'This sign-in is no longer valid',
        text: 'It took too long, was used already, or was started in another browser.',
        link: tryAgain('/'),
      })
    }
    // Before the code is redeemed: a logout that falls in between must end the session that comes of it.
    const startedAt = now()
    let grant: Grant
    try {
      grant = await provider.redeem(answer, transaction)
    } catch (error) {
      return failed(c, providerFailure(error, now()), transaction.returnTo)
    }
    await startSession(c, grant, startedAt, transaction.replaces)
    return htmlPage(c, {
      status: 200,
      title: 'You are signed in',
      text: 'Taking you back to the app.',
      link: { href: origin + transaction.returnTo, text: 'Continue' },
      follow: true,
    })
  }

  return Object.freeze<Login>({ begin, finish })
}
