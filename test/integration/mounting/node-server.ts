import { serve } from '@hono/node-server'
import type { AuthRoutes } from '@token-bridge/server'
import { Hono } from 'hono'

export function startNodeServer(auth: AuthRoutes, port: number): ReturnType<typeof serve> {
  const app = new Hono()
  app.route('/api/auth', auth)
  app.get('/cart', (c) => c.text('your cart'))
  return serve({ fetch: app.fetch, port })
}
