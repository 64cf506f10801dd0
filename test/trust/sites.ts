import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import type { RemoteTrust } from '@token-bridge/federation/runtime'
import { LIST_FILE, signRemote } from '@token-bridge/federation/sign'
import { securityHeaders, type NonceVariables } from '@token-bridge/server'
import { Hono } from 'hono'
import { CompactSign, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'

export const BUNDLERS = ['webpack', 'rspack', 'vite'] as const
export type Bundler = (typeof BUNDLERS)[number]

/** A build as it is served: paths without a leading slash. */
export type Files = Map<string, Buffer>

export interface KeyPair {
  readonly privateJwk: JWK
  readonly publicJwk: JWK
}

/** One origin, whose files the tests replace. */
export interface RemoteSite {
  readonly origin: string
  readonly container: string
  /** The genuine build with its list. */
  readonly genuine: ReadonlyMap<string, Buffer>
  /** What is served. */
  files: Files
  /** Paths, oldest first. */
  readonly requests: string[]
}

/** A host and three remotes, each on an origin of its own. */
export interface Sites {
  /** The host under the whole header profile. */
  readonly guarded: string
  /** The host under a policy that allows no inline script, with no nonce. */
  readonly strict: string
  /** The host with no policy at all: what is refused here, the gate alone refuses. */
  readonly bare: string
  /** Markup that somebody put into the bare page, before the host's script. */
  early: string
  readonly remotes: Readonly<Record<Bundler, RemoteSite>>
  readonly key: KeyPair
  /** What the host trusts. */
  trust: RemoteTrust
  /** Everything is as it was published. */
  restore(): void
  close(): void
}

/** The version that all genuine builds are signed as. */
export const VERSION = '2.0.0'

export async function createKey(kid: string): Promise<KeyPair> {
  const pair = await generateKeyPair('ES256', { extractable: true })
  const about = { kid, alg: 'ES256', use: 'sig' }
  return {
    privateJwk: { ...(await exportJWK(pair.privateKey)), ...about },
    publicJwk: { ...(await exportJWK(pair.publicKey)), ...about },
  }
}

/** Signs what the list says, but for what is changed: also what `signRemote` would not sign. */
export async function resign(
  list: Buffer | undefined,
  changes: object,
  { privateJwk }: KeyPair,
): Promise<Buffer> {
  const [, body = ''] = String(list).split('.')
  const payload = JSON.parse(Buffer.from(body, 'base64url').toString()) as object
  const text = await new CompactSign(Buffer.from(JSON.stringify({ ...payload, ...changes })))
    .setProtectedHeader({ alg: 'ES256', kid: privateJwk.kid ?? '', typ: 'token-bridge-remote+jws' })
    .sign(await importJWK(privateJwk, 'ES256'))
  return Buffer.from(text)
}

const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css' }

/** Signs the builds and serves them, with a host. */
export async function openSites(builds: string): Promise<Sites> {
  const key = await createKey('genuine')
  const servers: Server[] = []
  const open = async (listener: RequestListener, hostname: string): Promise<string> => {
    const server = createServer(listener)
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://${hostname}:${(server.address() as AddressInfo).port}`
  }

  const openRemote = async (bundler: Bundler): Promise<RemoteSite> => {
    const container = `remote_${bundler}`
    const genuine = await signedBuild(join(builds, bundler), key, container)
    const requests: string[] = []
    const site: RemoteSite = {
      origin: await open((request, response) => {
        const path = new URL(request.url ?? '', 'http://x').pathname.slice(1)
        requests.push(path)
        const body = site.files.get(path)
        response.writeHead(body === undefined ? 404 : 200, {
          'Content-Type': TYPES[path.split('.').pop() ?? ''] ?? 'text/plain',
          'Cache-Control': 'no-store',
          'Access-Control-Allow-Origin': '*',
          'Cross-Origin-Resource-Policy': 'cross-origin',
        })
        response.end(body)
      }, '127.0.0.1'),
      container,
      genuine,
      files: new Map(genuine),
      requests,
    }
    return site
  }
  const remotes = {
    webpack: await openRemote('webpack'),
    rspack: await openRemote('rspack'),
    vite: await openRemote('vite'),
  }

  const genuineTrust = (): RemoteTrust => ({
    keys: [key.publicJwk],
    remotes: Object.fromEntries(
      BUNDLERS.map((bundler) => [
        remotes[bundler].container,
        {
          entry: `${remotes[bundler].origin}/remoteEntry.js`,
          minVersion: VERSION,
          reader: bundler,
        },
      ]),
    ),
  })
  const main = readFileSync(join(builds, 'host/main.js'))
  const integrity = `sha384-${createHash('sha384').update(main).digest('base64')}`
  const app = new Hono<{ Variables: NonceVariables }>()
  app.use(
    '/',
    securityHeaders({
      remotes: BUNDLERS.map((bundler) => remotes[bundler].origin),
      nonce: true,
      integrity: 'enforce',
      reportTo: '/violations',
    }),
  )
  const page = (nonce: string, early = ''): string =>
    `<!doctype html><title>host</title><link rel="icon" href="data:,"><body>${early}
    <script src="/main.js" type="module" integrity="${integrity}"${nonce}></script>`
  app.get('/', (c) => c.html(page(` nonce="${c.get('nonce')}"`)))
  const own = BUNDLERS.map((bundler) => remotes[bundler].origin).join(' ')
  app.get('/strict', (c) =>
    c.html(page(''), 200, { 'Content-Security-Policy': `script-src 'self' ${own}` }),
  )
  app.get('/bare', (c) => c.html(page('', sites.early)))
  app.get('/main.js', (c) =>
    c.body(new Uint8Array(main), 200, { 'Content-Type': 'text/javascript' }),
  )
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  const origin = await open((request, response) => void listener(request, response), 'localhost')

  const sites: Sites = {
    guarded: `${origin}/`,
    strict: `${origin}/strict`,
    bare: `${origin}/bare`,
    early: '',
    remotes,
    key,
    trust: genuineTrust(),
    restore() {
      sites.trust = genuineTrust()
      sites.early = ''
      for (const site of Object.values(remotes)) {
        site.files = new Map(site.genuine)
        site.requests.length = 0
      }
    },
    close() {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
  app.get('/trust.json', (c) => c.json(sites.trust))
  return sites
}

async function signedBuild(
  folder: string,
  { privateJwk }: KeyPair,
  name: string,
): Promise<ReadonlyMap<string, Buffer>> {
  const copy = mkdtempSync(join(tmpdir(), 'token-bridge-signed-'))
  try {
    cpSync(folder, copy, { recursive: true })
    await signRemote(copy, privateJwk, { name, version: VERSION })
    return new Map(
      readdirSync(copy, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => {
          const file = join(entry.parentPath, entry.name)
          return [file.slice(copy.length + 1), readFileSync(file)]
        }),
    )
  } finally {
    rmSync(copy, { recursive: true })
  }
}

/** The file of a build in which this is written. */
export function pathOf(site: RemoteSite, text: string, extension: string): string {
  const found = [...site.genuine].find(
    ([path, body]) => path.endsWith(extension) && path !== LIST_FILE && body.includes(text),
  )
  if (found === undefined) throw new Error(`No ${extension} with "${text}" in ${site.container}.`)
  return found[0]
}
