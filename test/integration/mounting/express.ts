import type { Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { AuthRoutes } from '@token-bridge/server'
import express from 'express'

export function startExpress(auth: AuthRoutes, port: number): Server {
  const app = express()
  // Before every body parser: what that has read, nobody can read again.
  app.use('/api/auth', getRequestListener(auth.fetch))
  app.use(express.json())
  app.get('/cart', (_request, response) => void response.send('your cart'))
  return app.listen(port)
}
