import type { Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { AuthRoutes } from '@token-bridge/server'
import fastify from 'fastify'
import { Hono } from 'hono'

export async function startFastify(auth: AuthRoutes, port: number): Promise<Server> {
  const app = fastify()
  const listener = getRequestListener(new Hono().route('/api/auth', auth).fetch)
  await app.register(async (scope) => {
    // In a scope of their own: the routes read their bodies themselves.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _body, done) => done(null))
    scope.all('/api/auth/*', (request, reply) => {
      reply.hijack()
      return listener(request.raw, reply.raw)
    })
  })
  app.get('/cart', async () => 'your cart')
  await app.listen({ port })
  return app.server
}
