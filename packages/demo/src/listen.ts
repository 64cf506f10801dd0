import { createServer, type RequestListener, type Server } from 'node:http'

/** A server that listens already and says 503 until it is told what to serve: each origin has to know the others. */
export interface Listening {
  readonly origin: string
  readonly port: number
  serve(handler: RequestListener): void
  /** Ends open connections too, so that it takes no longer than a moment. */
  close(): Promise<void>
}

type Hostname = 'localhost' | '127.0.0.1'

const isAddressInUse = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

/**
 * Listens on loopback.
 *
 * @param port - 0 takes any free one.
 * @param tries - how many ports to try, counting up from the first.
 */
export async function listen(hostname: Hostname, port = 0, tries = 1): Promise<Listening> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await open(hostname, port === 0 ? 0 : port + attempt)
    } catch (error) {
      if (!isAddressInUse(error) || attempt + 1 >= tries) throw error
    }
  }
}

async function open(hostname: Hostname, port: number): Promise<Listening> {
  let handler: RequestListener = (_request, response) => {
    response.writeHead(503, { 'Retry-After': '1' }).end()
  }
  const listener: RequestListener = (request, response) => handler(request, response)

  const servers = [await bind(listener, '127.0.0.1', port)]
  const taken = portOf(servers[0])
  // `localhost` is ::1 to some browsers, so that a host listens there as well.
  if (hostname === 'localhost') {
    try {
      servers.push(await bind(listener, '::1', taken))
    } catch (error) {
      if (isAddressInUse(error)) {
        await Promise.all(servers.map(close))
        throw error
      }
    }
  }
  return Object.freeze<Listening>({
    origin: `http://${hostname}:${taken}`,
    port: taken,
    serve(next) {
      handler = next
    },
    close: async () => {
      await Promise.all(servers.map(close))
    },
  })
}

function bind(listener: RequestListener, address: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(listener)
    server.once('error', reject)
    server.listen(port, address, () => resolve(server))
  })
}

function portOf(server: Server | undefined): number {
  const address = server?.address()
  if (typeof address !== 'object' || address === null) throw new Error('The server has no port.')
  return address.port
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
