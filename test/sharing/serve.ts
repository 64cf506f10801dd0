/** Serves a remote by Vite's development server, with its cache in the folder that it is given, and prints the address. */
import { createServer } from 'vite'
import { REMOTE, viteConfig } from './remote-config.ts'

const cacheDir = process.argv[2] ?? ''
const server = await createServer({
  ...viteConfig('vite_serve', 'development', REMOTE, cacheDir),
  base: '/',
  cacheDir,
  server: { port: 0, host: '127.0.0.1', hmr: false },
})
await server.listen()
process.stdout.write(`${server.resolvedUrls?.local[0]}\n`)
