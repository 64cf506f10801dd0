import { Hono } from 'hono'
import type { StaticFile } from './static-files.ts'

/** The origin of one remote: files, for the host's pages only. */
export function createRemoteServer(
  files: ReadonlyMap<string, StaticFile>,
  hostOrigin: string,
): Hono {
  const app = new Hono()
  app.get('*', (context) => {
    const file = files.get(context.req.path)
    if (file === undefined) return context.text('Not found', 404)
    return context.body(file.body, 200, {
      'Content-Type': file.type,
      'Cache-Control': 'no-cache',
      'Access-Control-Allow-Origin': hostOrigin,
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'X-Content-Type-Options': 'nosniff',
    })
  })
  return app
}
