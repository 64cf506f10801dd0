import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { expect, it } from 'vitest'
import { startApp } from './app.test.fixture.ts'

it.each([
  ['more header fields than any app needs are refused', 12_288, 431],
  ['fewer are not', 11_000, 401],
])('behind the adapter of Node %s', async (_name, size, status) => {
  await using app = await startApp({ rateLimit: false })
  const listener = getRequestListener(app.auth.fetch)
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const asked = request({
    port: (server.address() as AddressInfo).port,
    path: '/sync',
    method: 'POST',
    headers: {
      origin: 'https://app.example.com',
      'sec-fetch-site': 'same-origin',
      'sec-fetch-dest': 'empty',
      'x-token-bridge': '1',
      'content-length': '0',
      'x-padding': 'x'.repeat(size),
    },
  })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  answer.resume()
  server.close()
  expect([
    answer.statusCode,
    answer.headers['content-type'],
    answer.headers['cache-control'],
  ]).toEqual([status, 'application/problem+json', 'no-store'])
})
