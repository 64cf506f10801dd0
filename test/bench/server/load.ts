import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** The app's origin, as the requests have it. */
export const ORIGIN = 'https://shop.example.com'

/** What a browser sends with the bridge's own request. */
export function requestFor(path: string, sessionId: string): Buffer {
  const body = '{}'
  return Buffer.from(
    [
      `POST ${path} HTTP/1.1`,
      'Host: shop.example.com',
      `Origin: ${ORIGIN}`,
      'Sec-Fetch-Site: same-origin',
      'Sec-Fetch-Mode: cors',
      'Sec-Fetch-Dest: empty',
      'Content-Type: application/json',
      'X-Token-Bridge: 1',
      'Accept: application/json',
      'Accept-Encoding: gzip, deflate, br',
      'Accept-Language: en',
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36',
      `Cookie: __Host-Http-sid=${sessionId}`,
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n'),
  )
}

/** A connection that is kept, with one request on its way at a time. */
export interface Connection {
  /** Resolves with the status. */
  send(request: Buffer): Promise<number>
  close(): void
}

/**
 * Opens a connection. It writes requests that are ready and reads no more of an answer than its status and length:
 * with `fetch` the load would be the slower half, and would hide what the server costs.
 */
export async function openConnection(port: number): Promise<Connection> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let settle: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined
  let head = ''
  let missing = -1
  socket.on('data', (chunk: Buffer) => {
    if (missing < 0) {
      head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
      if (length === undefined) return void socket.destroy(new Error('An answer without a length.'))
      missing = Number(length) - (head.length - end - 4)
    } else missing -= chunk.length
    if (missing > 0) return
    const status = Number(head.slice(9, 12))
    head = ''
    missing = -1
    settle?.resolve(status)
  })
  socket.on('error', (error) => settle?.reject(error))
  await once(socket, 'connect')
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        socket.write(request)
      }),
    close: () => socket.destroy(),
  }
}

/** What a stretch of load was like. Latencies are milliseconds. */
export interface Load {
  readonly requests: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

/** Keeps each connection busy for a while, with the requests in turn. Anything but a 200 ends the bench. */
export async function load(
  connections: readonly Connection[],
  requests: readonly Buffer[],
  duration: number,
): Promise<Load> {
  const latencies: number[] = []
  let turn = 0
  const started = performance.now()
  const end = started + duration
  await Promise.all(
    connections.map(async (connection) => {
      for (let now = performance.now(); now < end;) {
        const status = await connection.send(requests[turn++ % requests.length] as Buffer)
        if (status !== 200) throw new Error(`The server answered ${status}.`)
        const answered = performance.now()
        latencies.push(answered - now)
        now = answered
      }
    }),
  )
  const seconds = (performance.now() - started) / 1000
  const sorted = latencies.toSorted((a, b) => a - b)
  return {
    requests: sorted.length,
    perSecond: sorted.length / seconds,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
  }
}
