import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'

/** Why the suites on Redis cannot run here, or `undefined` when they can. */
export const redisIsMissing: string | undefined =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not installed; on Debian: apt-get install redis-server'

/** A Redis of our own. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string
  /** A new connection; closed with the server. */
  connect(): Promise<TestRedisClient>
}

export type TestRedisClient = Awaited<ReturnType<typeof open>>

const open = (url: string) =>
  createClient({ url, socket: { reconnectStrategy: false } })
    .on('error', () => {})
    .connect()

/**
 * Starts `redis-server` on a free port, in a directory of its own, keeping nothing.
 *
 * @param options - further ones of the server.
 */
export async function startRedis(...options: string[]): Promise<TestRedis> {
  const directory = mkdtempSync(join(tmpdir(), 'redis-'))
  const port = await freePort()
  const server = spawn(
    'redis-server',
    [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      directory,
      ...options,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exit = once(server, 'exit')
  for await (const lines of server.stdout.iterator({ destroyOnReturn: false })) {
    if (String(lines).includes('Ready to accept connections')) break
  }
  // What is not read fills the pipe and stops the server.
  server.stdout.resume()
  const url = `redis://127.0.0.1:${port}`
  const clients: TestRedisClient[] = []
  return {
    url,
    async connect() {
      const client = await open(url)
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) if (client.isOpen) client.destroy()
      server.kill('SIGKILL')
      await exit
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
