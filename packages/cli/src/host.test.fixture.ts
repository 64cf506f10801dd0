import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HostAnswer {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body?: string
}

/** Changes what the good host answers. */
export interface HostFaults {
  readonly page?: (request: IncomingMessage, good: HostAnswer) => HostAnswer | null
  readonly sync?: (request: IncomingMessage, good: HostAnswer) => HostAnswer | null
}

export interface Host {
  readonly origin: string
  /** Method and path of what was asked. */
  readonly requests: readonly IncomingMessage[]
  close(): Promise<void>
}

export const GOOD_POLICY =
  "default-src 'none'; script-src 'self' https://cart.example; connect-src 'self' https://api.example; base-uri 'none'"

/** What must not turn up in any report. */
export const SECRET = 'secret-of-the-host'

/** A host on 127.0.0.1 with which nothing is wrong, but for the given faults. */
export async function startHost(faults: HostFaults = {}): Promise<Host> {
  const requests: IncomingMessage[] = []
  let origin = ''
  const server = createServer((request, response) => {
    requests.push(request)
    const { pathname } = new URL(request.url ?? '/', 'http://host')
    const isSync = pathname === '/api/auth/sync'
    const good = isSync ? goodSync(request, origin) : goodPage()
    const fault = isSync ? faults.sync : faults.page
    send(response, fault === undefined ? good : fault(request, good))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** `null` is an answer that never comes. */
function send(response: ServerResponse, answer: HostAnswer | null): void {
  if (answer === null) return
  response.writeHead(answer.status, answer.headers)
  response.end(answer.body ?? '')
}

const goodPage = (): HostAnswer => ({
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': GOOD_POLICY },
  body: '<!doctype html><title>Host</title>',
})

function goodSync({ method, headers }: IncomingMessage, origin: string): HostAnswer {
  if (method !== 'POST') return problem(405)
  const isOurs =
    headers['sec-fetch-site'] === 'same-origin' &&
    headers['sec-fetch-dest'] === 'empty' &&
    headers.origin === origin &&
    headers['x-token-bridge'] === '1'
  return problem(isOurs ? 401 : 403)
}

export const problem = (status: number): HostAnswer => ({
  status,
  headers: {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  },
  body: JSON.stringify({ type: 'about:blank', status, detail: SECRET }),
})
