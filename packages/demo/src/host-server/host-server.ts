import { authRoutes, securityHeaders, type AuthOptions } from '@token-bridge/server'
import { Hono, type Context } from 'hono'
import type { DemoConfig } from '../demo-config.ts'
import type { StaticFile } from '../static-files.ts'
import { parseControlChange, type Controls } from './controls.ts'

export interface HostServerOptions {
  readonly auth: AuthOptions
  readonly config: DemoConfig
  readonly controls: Controls
  readonly files: ReadonlyMap<string, StaticFile>
}

/** One answer of `/api/auth/sync`. */
export interface SyncCall {
  /** Epoch milliseconds. */
  readonly at: number
  readonly status: number
}

export interface HostServer {
  readonly app: Hono
  readonly syncCalls: readonly SyncCall[]
}

/** The host's own origin: its pages, its session, and the switches of the demo. */
export function createHostServer(options: HostServerOptions): HostServer {
  const { auth, config, controls, files } = options
  const syncCalls: SyncCall[] = []
  const app = new Hono()

  app.use(
    securityHeaders({
      remotes: config.remotes.map((remote) => new URL(remote.entry).origin),
      connect: [config.apiOrigin],
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

  app.get('*', (context) => {
    const { path } = context.req
    const file = files.get(path === '/' ? '/index.html' : path)
    if (file === undefined) return context.text('Not found', 404)
    return context.body(file.body, 200, {
      'Content-Type': file.type,
      'Cache-Control': 'no-cache',
    })
  })
  return Object.freeze<HostServer>({ app, syncCalls })
}

function fresh(context: Context, body: object): Response {
  return context.json(body, 200, { 'Cache-Control': 'no-store' })
}
