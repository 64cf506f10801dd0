import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

/** A page with the host's script, on an origin where every storage API works. */
export interface Site {
  readonly url: string
  close(): void
}

/** Bundles the host's script and serves it. */
export async function openSite(): Promise<Site> {
  const script = await hostScript()
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site.test')
    const [type, body] = FILES[pathname] ?? ['text/html', PAGE]
    response.setHeader(
      'content-security-policy',
      `${POLICY}; frame-src ${pathname === '/no-frames' ? "'none'" : "'self'"}`,
    )
    // An isolated page has a clock that the benchmark can read.
    response.setHeader('cross-origin-opener-policy', 'same-origin')
    response.setHeader('cross-origin-embedder-policy', 'require-corp')
    response.setHeader('content-type', type).end(body ?? script)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://localhost:${port}/`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const PAGE = '<!doctype html><title>Host</title><body><p>Host</p><script src="/host.js"></script>'

const WORKER = `
const put = (text) => caches.open('w').then((cache) => cache.put('/w', new Response(text)))
self.addEventListener('message', ({ data }) => put(data))
self.addEventListener('connect', ({ ports: [port] }) => {
  port.onmessage = ({ data }) => put(data)
})
`

/** By path; without a text it is the host's script. */
const FILES: Readonly<Record<string, readonly [type: string, body?: string]>> = {
  '/host.js': ['text/javascript'],
  // A script of workers of every kind: passes on what it hears.
  '/worker.js': ['text/javascript', WORKER],
}

const POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-eval'; worker-src 'self'; object-src 'self'; connect-src 'self'"

async function hostScript(): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: 'error',
    root: fileURLToPath(new URL('.', import.meta.url)),
    resolve: {
      conditions: [
        ...(process.env['TEST_DIST'] ? [] : ['@token-bridge/source']),
        'module',
        'browser',
        'development|production',
      ],
    },
    build: {
      write: false,
      minify: false,
      lib: { entry: 'host.ts', formats: ['iife'], name: 'unused' },
    },
  })
  const [first] = Array.isArray(output) ? output : [output]
  if (first === undefined || !('output' in first)) throw new Error('Nothing was built.')
  return first.output[0].code
}
