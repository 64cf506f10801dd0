import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import { Provider, type KoaContextWithOIDC } from 'oidc-provider'

export const CLIENT_ID = 'shop'
export const CLIENT_SECRET = 'fixture-client-secret-that-must-not-show'
export const RESOURCE = 'https://api.example.com'

/** Seconds that an access token lives. */
export const ACCESS_TOKEN_TTL = 300

/** What to answer instead of the truth at the token endpoint. */
export interface Fault {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface TestProvider extends AsyncDisposable {
  readonly issuer: string
  /** How many requests reached an endpoint, by path. */
  readonly requests: Map<string, number>
  /** Access tokens, refresh tokens and codes that were handed out. */
  readonly secrets: Set<string>
  /** Set to make the token endpoint fail, or its answer wait. */
  fault: Fault | undefined
  gate: Promise<void> | undefined
  /** Whether the user says no. */
  denies: boolean
  /** Whether a refresh brings a new refresh token. */
  rotates: boolean
  /** Whether the sign-in page waits for a click, instead of signing in at once. */
  asks: boolean
  /** How the provider's back-channel logout reaches the app. */
  deliver: (url: string, init: RequestInit) => Promise<Response>
  /** Signs claims as the provider would, for tokens that it would not make. */
  sign(claims: JWTPayload, header?: Record<string, unknown>): Promise<string>
}

/** The provider's key; made once, because RSA takes its time. */
const signingKey = generateKeyPair('RS256', { extractable: true })

/** Starts a real OpenID provider on this machine. Everybody is `alice`, and consents. */
export async function startProvider(
  origin: string,
  host: string = '127.0.0.1',
): Promise<TestProvider> {
  const server = createServer()
  server.listen(0, host)
  await once(server, 'listening')
  const issuer = `http://${host}:${(server.address() as AddressInfo).port}`

  const { privateKey } = await signingKey
  const provider = new Provider(issuer, {
    jwks: {
      keys: [{ ...(await exportJWK(privateKey)), kid: 'fixture', alg: 'RS256', use: 'sig' }],
    },
    fetch: (url, init) => state.deliver(new Request(url).url, init ?? {}),
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [`${origin}/api/auth/callback`],
        post_logout_redirect_uris: [`${origin}/`],
        backchannel_logout_uri: `${origin}/api/auth/backchannel-logout`,
        backchannel_logout_session_required: true,
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    cookies: { keys: ['fixture'] },
    scopes: ['openid', 'offline_access'],
    pkce: { required: () => true },
    rotateRefreshToken: () => state.rotates,
    issueRefreshToken: async () => true,
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      backchannelLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'api:read',
          audience: RESOURCE,
          accessTokenTTL: ACCESS_TOKEN_TTL,
          accessTokenFormat: 'jwt',
        }),
      },
    },
    ttl: { AccessToken: ACCESS_TOKEN_TTL, Session: 3600, Grant: 86_400, RefreshToken: 86_400 },
    async loadExistingGrant({ oidc }) {
      const { client, session } = oidc
      if (client === undefined || session?.accountId === undefined) return undefined
      const grantId = session.grantIdFor(client.clientId)
      if (grantId !== undefined) return oidc.provider.Grant.find(grantId)
      const grant = new oidc.provider.Grant({
        accountId: session.accountId,
        clientId: client.clientId,
      })
      grant.addOIDCScope('openid offline_access')
      grant.addResourceScope(RESOURCE, 'api:read')
      await grant.save()
      return grant
    },
  })

  provider.use(async (ctx, next) => {
    state.requests.set(ctx.path, (state.requests.get(ctx.path) ?? 0) + 1)
    if (ctx.path.startsWith('/sign-in/')) return signIn(ctx)
    if (ctx.path === '/token' && state.fault !== undefined) {
      const { status, headers = {}, body } = state.fault
      ctx.status = status
      ctx.set(headers)
      ctx.body = body ?? ''
      return undefined
    }
    await next()
    if (ctx.path !== '/token') return undefined
    remember(ctx.body)
    return state.gate
  })

  async function signIn(ctx: { path: string } & Parameters<typeof finish>[0]): Promise<void> {
    if (state.asks && !ctx.path.endsWith('/yes')) {
      ctx.res.setHeader('content-type', 'text/html')
      ctx.body = `<!doctype html><a href="${ctx.path}/yes">Sign in</a>`
      return
    }
    await finish(ctx)
  }

  async function finish(ctx: Pick<KoaContextWithOIDC, 'req' | 'res' | 'respond' | 'body'>) {
    ctx.respond = false
    await provider.interactionFinished(
      ctx.req,
      ctx.res,
      state.denies ? { error: 'access_denied' } : { login: { accountId: 'alice' } },
    )
  }

  function remember(body: unknown): void {
    if (typeof body !== 'object' || body === null) return
    for (const [name, value] of Object.entries(body)) {
      if (name.endsWith('_token') && typeof value === 'string') state.secrets.add(value)
    }
  }

  const state: TestProvider = {
    issuer,
    requests: new Map(),
    secrets: new Set([CLIENT_SECRET]),
    fault: undefined,
    gate: undefined,
    denies: false,
    rotates: true,
    asks: false,
    deliver: (url) => Promise.reject(new Error(`Nobody listens at ${url}.`)),
    sign: (claims, header = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'fixture', ...header })
        .sign(privateKey),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  const handle = provider.callback()
  server.on('request', (request, response) => void handle(request, response))
  return state
}
