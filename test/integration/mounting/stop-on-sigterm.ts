import type { ServerType } from '@hono/node-server'
import type { AuthRoutes, SqliteStore } from '@token-bridge/server'

export function stopOnSigterm(server: ServerType, auth: AuthRoutes, store: SqliteStore): void {
  process.once('SIGTERM', () => {
    // No new connections; those under way get their answers.
    server.close()
    // Then the process ends by itself, because nothing is left that it waits for.
    void auth.close().then(() => store.close())
  })
}
