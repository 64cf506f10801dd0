import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import { dashboard, orders, reports } from './data.ts'

export interface ApiOptions {
  readonly issuer: string
  readonly audience: string
  readonly scope: string
  /** The one origin whose pages may call. */
  readonly hostOrigin: string
  /** Ids of tokens that were revoked. */
  isRevoked(tokenId: string): boolean
}

/** One answered request; the id of its token, never the token. */
export interface ApiRequest {
  /** Epoch milliseconds. */
  readonly at: number
  readonly path: string
  readonly status: number
  /** The token's `jti`, when it was one of the provider's. */
  readonly tokenId: string | null
}

export interface DemoApi {
  readonly app: Hono
  readonly requests: readonly ApiRequest[]
}

const LONGEST_LOG = 5_000

/** A resource server: every request has to bring a JWT access token of the provider, made for this API (RFC 9068). */
export function createApi(options: ApiOptions): DemoApi {
  const requests: ApiRequest[] = []
  const keys = createRemoteJWKSet(new URL('/jwks', options.issuer))
  let call = 0

  async function check(authorization: string | undefined): Promise<string> {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(authorization ?? '')?.[1]
    if (token === undefined) throw new errors.JWTInvalid('no bearer token')
    const { payload } = await jwtVerify<{ jti: string; scope?: string }>(token, keys, {
      issuer: options.issuer,
      audience: options.audience,
      algorithms: ['RS256'],
      typ: 'at+jwt',
      requiredClaims: ['exp', 'iat', 'sub', 'jti', 'client_id'],
    })
    if (options.isRevoked(payload.jti)) throw new errors.JWTInvalid('the token was revoked')
    if (!payload.scope?.split(' ').includes(options.scope))
      throw new errors.JWTInvalid('the token is not for this scope')
    return payload.jti
  }

  const app = new Hono<{ Variables: { tokenId: string | null } }>()
  app.use(
    cors({
      origin: options.hostOrigin,
      allowMethods: ['GET'],
      allowHeaders: ['Authorization'],
      maxAge: 600,
    }),
  )
  app.use(async (context, next) => {
    context.set('tokenId', null)
    await next()
    const { path } = context.req
    requests.push({
      at: Date.now(),
      path,
      status: context.res.status,
      tokenId: context.get('tokenId'),
    })
    if (requests.length > LONGEST_LOG) requests.shift()
  })
  app.use(async (context, next) => {
    context.header('Cache-Control', 'no-store')
    try {
      context.set('tokenId', await check(context.req.header('Authorization')))
    } catch (error) {
      const code = error instanceof errors.JOSEError ? error.code : 'ERR_TOKEN'
      // RFC 6750 section 3.1.
      context.header(
        'WWW-Authenticate',
        `Bearer error="invalid_token", error_description="${code}"`,
      )
      return context.json({ error: 'invalid_token', code }, 401)
    }
    await next()
    return undefined
  })
  app.get('/dashboard', (context) => context.json(dashboard(call++)))
  app.get('/orders', (context) => context.json(orders(call++)))
  app.get('/reports', (context) => context.json(reports(call++)))

  const routes = new Hono().route('/', app)
  return Object.freeze<DemoApi>({ app: routes, requests })
}
