import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import { Provider, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import { ASSETS } from './assets.ts'
import { memoryAdapters } from './memory-adapter.ts'
import { logoutPage, messagePage, signInPage } from './pages.ts'
import { PERSON } from './person.ts'

export interface ProviderOptions {
  readonly issuer: string
  /** The host, whose server is the one client. */
  readonly clientOrigin: string
  readonly clientId: string
  readonly clientSecret: string
  /** The API that the access tokens are for (RFC 8707). */
  readonly resource: string
  readonly resourceScope: string
  /** Seconds that an access token lives. */
  readonly tokenLifetime: number
}

/** What the provider has done. Counts, and the ids of tokens; never a token. */
export interface ProviderLog {
  /** Refresh-token grants that succeeded. */
  readonly refreshes: number
  readonly failedGrants: number
  readonly signIns: number
  /** The `jti` of every access token issued, oldest first. */
  readonly issuedTokenIds: readonly string[]
}

export interface DemoProvider {
  readonly handler: RequestListener
  readonly log: ProviderLog
}

const MINUTE = 60
const DAY = 24 * 60 * MINUTE

/** A real OpenID provider with one client and one account, refresh-token rotation and JWT access tokens (RFC 9068). */
export async function createProvider(options: ProviderOptions): Promise<DemoProvider> {
  const log = { refreshes: 0, failedGrants: 0, signIns: 0, issuedTokenIds: [] as string[] }
  const provider = new Provider(options.issuer, await configuration(options))

  provider.on('access_token.issued', (token) => log.issuedTokenIds.push(token.jti))
  provider.on('grant.success', ({ oidc }) => {
    if (oidc.params?.['grant_type'] === 'refresh_token') log.refreshes++
    else log.signIns++
  })
  provider.on('grant.error', () => log.failedGrants++)

  const fallback = provider.callback()
  const interaction = interactions(provider)
  return Object.freeze<DemoProvider>({
    log,
    handler(request, response) {
      const { pathname } = new URL(request.url ?? '/', options.issuer)
      const asset = request.method === 'GET' ? ASSETS[pathname] : undefined
      if (asset !== undefined) {
        send(response, 200, asset.type, asset.body)
      } else if (pathname.startsWith('/interaction/')) {
        interaction(request, response).catch(() => {
          const text = 'It took too long or was used already. Go back to the app and sign in again.'
          const title = 'This sign-in is over'
          sendPage(response, 400, messagePage(title, text))
        })
      } else {
        void fallback(request, response)
      }
    },
  })
}

async function configuration(options: ProviderOptions): Promise<Configuration> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const key = {
    ...(await exportJWK(privateKey)),
    alg: 'RS256',
    use: 'sig',
    kid: crypto.randomUUID(),
  }
  return {
    adapter: memoryAdapters(),
    jwks: { keys: [key] },
    cookies: { keys: [crypto.randomUUID()] },
    clients: [
      {
        client_id: options.clientId,
        client_secret: options.clientSecret,
        client_name: 'Secure Token Bridge',
        redirect_uris: [`${options.clientOrigin}/api/auth/callback`],
        post_logout_redirect_uris: [`${options.clientOrigin}/`],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
    ],
    async findAccount(_context, sub) {
      return {
        accountId: sub,
        claims: async () => ({ sub, name: PERSON.name, email: PERSON.email }),
      }
    },
    // Both the person and the client are the demo's own: there is nobody to ask for consent.
    async loadExistingGrant({ oidc }) {
      if (oidc.client === undefined || oidc.session?.accountId === undefined) return undefined
      const known = oidc.session.grantIdFor(oidc.client.clientId)
      const existing = known === undefined ? undefined : await oidc.provider.Grant.find(known)
      if (existing !== undefined) return existing
      const grant = new oidc.provider.Grant({
        clientId: oidc.client.clientId,
        accountId: oidc.session.accountId,
      })
      grant.addOIDCScope('openid offline_access')
      grant.addResourceScope(options.resource, options.resourceScope)
      await grant.save()
      return grant
    },
    features: {
      devInteractions: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => options.resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: options.resourceScope,
          audience: options.resource,
          accessTokenTTL: options.tokenLifetime,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => {
          respond(context, logoutPage(form))
        },
        postLogoutSuccessSource: (context) => {
          respond(context, messagePage('Signed out', 'You can close this page.'))
        },
      },
    },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    issueRefreshToken: async (_context, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    clientBasedCORS: () => false,
    scopes: ['openid', 'offline_access'],
    ttl: {
      AccessToken: options.tokenLifetime,
      AuthorizationCode: MINUTE,
      Grant: 14 * DAY,
      IdToken: 60 * MINUTE,
      Interaction: 10 * MINUTE,
      RefreshToken: 14 * DAY,
      Session: DAY,
    },
    renderError: (context, out) => {
      respond(
        context,
        messagePage('That did not work', escapeText(out.error_description ?? out.error)),
      )
    },
  }
}

/** The sign-in page and its one button. Consent, when a client asks for it by name, is given without a page. */
function interactions(
  provider: Provider,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const { uid, prompt } = await provider.interactionDetails(request, response)
    const options = { mergeWithLastSubmission: true }
    if (prompt.name === 'consent') {
      await provider.interactionFinished(request, response, { consent: {} }, options)
    } else if (request.method === 'POST') {
      await provider.interactionFinished(
        request,
        response,
        { login: { accountId: PERSON.id } },
        options,
      )
    } else {
      sendPage(response, 200, signInPage(uid))
    }
  }
}

// No `form-action`: browsers apply it to the redirects after a form too, and these lead back to the app.
const POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"

function respond(context: KoaContextWithOIDC, html: string): void {
  context.type = 'html'
  context.set('Content-Security-Policy', POLICY)
  context.body = html
}

function sendPage(response: ServerResponse, status: number, html: string): void {
  response.setHeader('Content-Security-Policy', POLICY)
  send(response, status, 'text/html; charset=utf-8', html)
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response
    .writeHead(status, {
      'Content-Type': type,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    })
    .end(body)
}

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
