import { builtinEnvironments, type Environment } from 'vitest/runtime'

/** What a page asks its servers with. */
const NETWORK = [
  'fetch',
  'Request',
  'Response',
  'Headers',
  'AbortController',
  'AbortSignal',
  'FormData',
  'Blob',
  'URL',
  'URLSearchParams',
] as const

/** happy-dom's page with Node's `fetch`, which MSW can answer: happy-dom's own goes through sockets of its own. */
const environment: Environment = {
  name: 'page',
  viteEnvironment: 'client',
  async setup(global: Record<string, unknown>, options) {
    const network = Object.fromEntries(NETWORK.map((name) => [name, global[name]]))
    const page = await builtinEnvironments['happy-dom'].setup(global, {
      ...options,
      happyDOM: { url: 'https://shop.example/' },
    })
    for (const [name, value] of Object.entries(network)) {
      Object.defineProperty(global, name, { value, configurable: true, writable: true })
    }
    return page
  },
}

// oxlint-disable-next-line import/no-default-export -- Vitest asks for it.
export default environment
