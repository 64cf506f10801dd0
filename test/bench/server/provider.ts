/** A provider that answers each refresh after a fixed time, and counts. A process of its own, so that it takes no time from the server. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from './messages.ts'

/** Milliseconds for one refresh. */
const LATENCY = 20

const seen = new Map<string, number>()
let open = 0
let mostAtOnce = 0

const server = createServer((request, response) => {
  const json = (body: object): void => {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify(body))
  }
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  if (request.method === 'GET')
    return json({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
    })
  open += 1
  mostAtOnce = Math.max(mostAtOnce, open)
  let body = ''
  request.on('data', (chunk: Buffer) => (body += chunk.toString()))
  request.on('end', () => {
    const token = new URLSearchParams(body).get('refresh_token') ?? ''
    seen.set(token, (seen.get(token) ?? 0) + 1)
    setTimeout(() => {
      open -= 1
      json({
        access_token: `refreshed-${token}`.padEnd(1000, 'a'),
        refresh_token: `next-${token}`,
        token_type: 'Bearer',
        expires_in: 3600,
      })
    }, LATENCY)
  })
})

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  serve((server.address() as AddressInfo).port, async () => {
    const counts = [...seen.values()]
    return {
      mostAtOnce,
      once: counts.filter((count) => count === 1).length,
      reused: counts.filter((count) => count > 1).length,
    }
  }),
)
