import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { PolicyViolation } from '@token-bridge/server'
import type { Env, Hono } from 'hono'
import { createApi, type ApiRequest } from './api/api.ts'
import { buildDemo } from './build/build-demo.ts'
import { REMOTES } from './build/container-names.ts'
import { hashScripts } from './host-server/host-page.ts'
import { createHostServer, type SyncCall } from './host-server/host-server.ts'
import type { Controls } from './host-server/controls.ts'
import { listen, type Listening } from './listen.ts'
import { createProvider, type ProviderLog } from './provider/provider.ts'
import { createProgress } from './progress.ts'
import { createRemoteServer } from './remote-server.ts'
import { readStaticFiles } from './static-files.ts'

export interface DemoOptions {
  /** Of the host. Default 0: any free one. Busy: the next free one of twenty. */
  readonly port?: number
  /** Seconds that an access token lives. Default 120. */
  readonly tokenLifetime?: number
  /** Milliseconds before its end at which a token counts as expired. Default 30 000, or a quarter of the lifetime. */
  readonly skewBuffer?: number
  /** Says nothing on the terminal. Default `false`. */
  readonly quiet?: boolean
}

export interface DemoOrigins {
  readonly host: string
  readonly provider: string
  readonly api: string
  readonly dashboard: string
  readonly orders: string
  readonly reports: string
}

/** A running demo. */
export interface Demo {
  readonly url: string
  readonly origins: DemoOrigins
  /** Write to it to take the sync endpoint down or to flip the kill switch. */
  readonly controls: Controls
  readonly api: {
    /** Answered requests, oldest first, without preflights. */
    readonly requests: readonly ApiRequest[]
    /** From now on the API answers 401 to every access token that was issued until now. */
    revokeIssuedTokens(): void
  }
  readonly provider: { readonly log: ProviderLog }
  readonly host: {
    /** Answers of `/api/auth/sync`, oldest first. */
    readonly syncCalls: readonly SyncCall[]
    /** What the browser reported to have blocked, oldest first. */
    readonly violations: readonly PolicyViolation[]
  }
  stop(): Promise<void>
}

const SCOPE = 'shop:read'

/** Builds what has changed, starts the provider, the API, the host and the three remotes, and resolves when all answer. */
export async function startDemo(options: DemoOptions = {}): Promise<Demo> {
  const { port = 0, tokenLifetime = 120, quiet = false } = options
  const lifetime = tokenLifetime * 1000
  const skewBuffer = options.skewBuffer ?? Math.min(30_000, lifetime / 4)
  const leadTime = Math.min(30_000, (lifetime - skewBuffer) / 2)

  const progress = createProgress(quiet)
  const folders = await buildDemo(progress)

  const listening: Listening[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(listening.map((server) => server.close()))
  }
  const open = async (hostname: 'localhost' | '127.0.0.1', wanted?: number): Promise<Listening> => {
    const server = await listen(hostname, wanted, 20)
    listening.push(server)
    return server
  }

  try {
    const host = await open('localhost', port)
    if (port !== 0 && host.port !== port)
      progress.say(`  port ${port} is busy, taking ${host.port}`)
    const identity = await open('127.0.0.1')
    const resource = await open('127.0.0.1')
    const remotes = {
      dashboard: await open('127.0.0.1'),
      orders: await open('127.0.0.1'),
      reports: await open('127.0.0.1'),
    }

    const client = { clientId: 'token-bridge-demo', clientSecret: crypto.randomUUID() }
    const provider = await createProvider({
      ...client,
      issuer: identity.origin,
      clientOrigin: host.origin,
      resource: resource.origin,
      resourceScope: SCOPE,
      tokenLifetime,
    })
    const revoked = new Set<string>()
    const api = createApi({
      issuer: identity.origin,
      audience: resource.origin,
      scope: SCOPE,
      hostOrigin: host.origin,
      isRevoked: (tokenId) => revoked.has(tokenId),
    })
    const controls: Controls = { endpoint: 'up', isBridgeEnabled: true }
    const files = {
      host: readStaticFiles(folders.host),
      dashboard: readStaticFiles(folders.dashboard),
      orders: readStaticFiles(folders.orders),
      reports: readStaticFiles(folders.reports),
    }
    const hostServer = createHostServer({
      controls,
      files: files.host,
      hashes: hashScripts(host.origin, files.host),
      config: {
        apiOrigin: resource.origin,
        skewBuffer,
        leadTime,
        keys: folders.keys.keys,
        remotes: REMOTES.map((remote) => ({
          ...remote,
          entry: `${remotes[remote.name].origin}/remoteEntry.js`,
        })),
      },
      auth: {
        ...client,
        issuer: identity.origin,
        origin: host.origin,
        scope: `openid offline_access ${SCOPE}`,
        resource: resource.origin,
        minimumLifetime: skewBuffer + leadTime / 2,
        postLogoutRedirect: '/',
        logger: quiet ? SILENT : console,
      },
    })

    identity.serve(provider.handler)
    resource.serve(listener(api.app))
    host.serve(listener(hostServer.app))
    for (const { name } of REMOTES)
      remotes[name].serve(listener(createRemoteServer(files[name], host.origin)))

    return Object.freeze<Demo>({
      url: `${host.origin}/`,
      origins: {
        host: host.origin,
        provider: identity.origin,
        api: resource.origin,
        dashboard: remotes.dashboard.origin,
        orders: remotes.orders.origin,
        reports: remotes.reports.origin,
      },
      controls,
      api: {
        requests: api.requests,
        revokeIssuedTokens() {
          for (const id of provider.log.issuedTokenIds) revoked.add(id)
        },
      },
      provider: { log: provider.log },
      host: { syncCalls: hostServer.syncCalls, violations: hostServer.violations },
      stop,
    })
  } catch (error) {
    await stop()
    throw error
  }
}

const SILENT = { info() {}, warn() {}, error() {} }

const listener = <E extends Env>(app: Hono<E>): RequestListener => {
  const handle = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  return (request, response) => void handle(request, response)
}
