import {
  authRoutes,
  securityHeaders,
  violationReports,
  type AuthOptions,
  type NonceVariables,
  type PolicyViolation,
} from '@token-bridge/server'
import { Hono, type Context } from 'hono'
import type { DemoConfig } from '../demo-config.ts'
import type { StaticFile } from '../static-files.ts'
import { parseControlChange, type Controls } from './controls.ts'
import { hostPage, type ScriptHashes } from './host-page.ts'

export interface HostServerOptions {
  readonly auth: AuthOptions
  readonly config: DemoConfig
  readonly controls: Controls
  readonly files: ReadonlyMap<string, StaticFile>
  /** Of the host's own scripts. Those of the remotes are in their signed lists. */
  readonly hashes: ScriptHashes
}

const REPORTS = '/api/violations'

/** One answer of `/api/auth/sync`. */
export interface SyncCall {
  /** Epoch milliseconds. */
  readonly at: number
  readonly status: number
}

export interface HostServer {
  readonly app: Hono<{ Variables: NonceVariables }>
  readonly syncCalls: readonly SyncCall[]
  /** What the browser reported to have blocked, oldest first. */
  readonly violations: readonly PolicyViolation[]
}

/** The host's own origin: its pages, its session, and the switches of the demo. */
export function createHostServer(options: HostServerOptions): HostServer {
  const { auth, config, controls, files, hashes } = options
  const syncCalls: SyncCall[] = []
  const violations: PolicyViolation[] = []
  const app = new Hono<{ Variables: NonceVariables }>()

  app.use(
    securityHeaders({
      remotes: config.remotes.map((remote) => new URL(remote.entry).origin),
      connect: [config.apiOrigin],
      navigate: [auth.issuer],
      nonce: true,
      integrity: 'enforce',
      reportTo: REPORTS,
    }),
  )
  app.route(
    REPORTS,
    violationReports({
      onViolation: (violation) => violations.push(violation),
      ...(auth.logger !== undefined && { logger: auth.logger }),
    }),
  )
  app.use('/api/auth/sync', async (context, next) => {
    if (controls.endpoint === 'down')
      context.res = context.json({ title: 'Taken down by the demo' }, 503)
    else await next()
    syncCalls.push({ at: Date.now(), status: context.res.status })
  })
  app.route('/api/auth', authRoutes(auth))

  app.get('/demo/config.json', (context) => fresh(context, config))
  app.get('/demo/flags.json', (context) =>
    fresh(context, { ENABLE_SECURE_TOKEN_BRIDGE: controls.isBridgeEnabled }),
  )
  app.get('/demo/controls.json', (context) => fresh(context, controls))
  app.post('/demo/controls.json', async (context) => {
    if (context.req.header('Origin') !== auth.origin)
      return context.json({ title: 'Only the host page itself' }, 403)
    const change = parseControlChange(await context.req.json().catch(() => null))
    if (change === null) return context.json({ title: 'No such control' }, 400)
    return fresh(context, Object.assign(controls, change))
  })

  const template = new TextDecoder().decode(files.get('/index.html')?.body)
  const page = hostPage(template, auth.origin, hashes)
  app.get('/', (context) =>
    context.html(page(context.get('nonce')), 200, { 'Cache-Control': 'no-cache' }),
  )
  app.get('*', (context) => {
    const file = files.get(context.req.path)
    if (file === undefined) return context.text('Not found', 404)
    return context.body(file.body, 200, {
      'Content-Type': file.type,
      'Cache-Control': 'no-cache',
    })
  })
  return Object.freeze<HostServer>({ app, syncCalls, violations })
}

function fresh(context: Context, body: object): Response {
  return context.json(body, 200, { 'Cache-Control': 'no-store' })
}
