/** A server of its own for `shutdown.test.ts`: `node replica.ts <file> <options as JSON>`; tells its port. */
import type { AddressInfo } from 'node:net'
import { authRoutes, sqliteStore, type AuthOptions } from '@token-bridge/server'
import { startNodeServer } from './node-server.ts'
import { stopOnSigterm } from './stop-on-sigterm.ts'

const [, , file = '', options = ''] = process.argv
const store = sqliteStore(file)
const auth = authRoutes({ ...(JSON.parse(options) as AuthOptions), store })
const server = startNodeServer(auth, 0)
stopOnSigterm(server, auth, store)
server.once('listening', () => {
  process.send?.((server.address() as AddressInfo).port)
  process.disconnect()
})
