import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The well-built remotes, of every bundler and for both modes. The last one is served, not built. */
export const REMOTES = [
  'rspack',
  'rspack_dev',
  'vite',
  'vite_dev',
  'webpack',
  'webpack_dev',
  'vite_serve',
] as const
export type Host = 'host' | 'host_dev' | 'host_bare'

/** Hosts and remotes, each on an origin of its own. */
export interface Sites {
  readonly hosts: Readonly<Record<Host, string>>
  /** Address of the script of another host. */
  readonly secondHost: string
  close(): void
}

const PAGE = `<!doctype html><title>host</title><link rel="icon" href="data:,"><body>
  <script src="/main.js"></script>`

const serve = fileURLToPath(new URL('serve.ts', import.meta.url))

/** Starts Vite's development server, outside of the test runner. */
async function startVite(cache: string): Promise<{ readonly address: string; stop(): void }> {
  const { VITEST: _vitest, NODE_ENV: _mode, ...env } = process.env
  const server = spawn(process.execPath, ['--conditions=@token-bridge/source', serve, cache], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of server.stdout)
    return { address: String(line).trim(), stop: () => server.kill() }
  throw new Error('The development server of Vite did not start.')
}

/** Serves a folder of builds. */
export async function openSites(builds: string): Promise<Sites> {
  const servers: Server[] = []
  const open = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener)
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const openBuild = (name: string, more: Readonly<Record<string, string>> = {}) =>
    open((request, response) => {
      const path = new URL(request.url ?? '', 'http://x').pathname
      const file = join(builds, name, path)
      const body = more[path] ?? (existsSync(file) ? readFileSync(file) : undefined)
      const type = path.endsWith('.js') ? 'text/javascript' : 'text/html'
      response.writeHead(body === undefined ? 404 : 200, {
        'Content-Type': path.endsWith('.json') ? 'application/json' : type,
        'Access-Control-Allow-Origin': '*',
      })
      response.end(body)
    })

  const vite = await startVite(join(builds, 'vite_serve'))
  const sites = await Promise.all(
    [...REMOTES, 'vite_bare', 'second_copy'].map(async (name) => ({
      container: `remote_${name}`,
      entry:
        name === 'vite_serve'
          ? `${vite.address}remoteEntry.js`
          : `${await openBuild(name)}/remoteEntry.js`,
      type: name.startsWith('vite') ? 'module' : 'var',
    })),
  )
  const openHost = async (name: Host): Promise<string> =>
    `${await openBuild(name, { '/': PAGE, '/sites.json': JSON.stringify(sites) })}/`

  return {
    secondHost: `${await openBuild('second_host')}/main.js`,
    hosts: {
      host: await openHost('host'),
      host_dev: await openHost('host_dev'),
      host_bare: await openHost('host_bare'),
    },
    close() {
      vite.stop()
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
}
