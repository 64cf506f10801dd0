import type { SimulatedAnswer, SimulatedRequest } from './auth-server.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

export type NetworkState =
  | 'up'
  /** Requests fail at once. */
  | 'refused'
  /** Requests and answers vanish; whoever waits hears nothing for long. */
  | 'hole'

export interface NetworkConditions {
  readonly state: NetworkState
  /** Milliseconds one way. Wide apart, answers overtake each other. */
  readonly latency: readonly [least: number, most: number]
  /** Share of requests that are lost, and of answers. */
  readonly loss: number
}

export const GOOD_NETWORK: NetworkConditions = { state: 'up', latency: [5, 80], loss: 0 }

/** Where tasks of the asking tab go. */
interface Asker {
  readonly isOnline: () => boolean
  readonly post: (span: number, task: () => void) => void
}

/** The wires between the tabs and the servers. */
export interface Network {
  conditions: NetworkConditions
  /** Breaks all connections: who waits for an answer gets an error. */
  cut(): void
  /** A `fetch` for a tab. `onSend` sees what leaves, in the moment it leaves; what it returns sees the answer, or `null` for none. */
  connect(
    asker: Asker,
    onSend: (
      path: string,
      init: RequestInit,
    ) => ((answer: SimulatedAnswer | null) => void) | undefined,
  ): typeof fetch
}

/** How long a connection without an answer lives, in milliseconds. */
const PATIENCE = 40_000

export function createNetwork(
  timeline: Timeline,
  random: Random,
  browser: { cookie: string | null },
  serve: (request: SimulatedRequest) => Promise<SimulatedAnswer> | SimulatedAnswer,
): Network {
  const cuts = new Set<() => void>()
  const network: Network = {
    conditions: GOOD_NETWORK,
    cut() {
      for (const cut of cuts) cut()
    },
    connect: (asker, onSend) => (input, init) => exchange(asker, onSend, input as string, init),
  }
  const span = (): number => random.between(...network.conditions.latency)
  const isLost = (): boolean =>
    network.conditions.state !== 'up' || random.chance(network.conditions.loss)

  function exchange(
    { isOnline, post }: Asker,
    onSend: Parameters<Network['connect']>[1],
    url: string,
    init: RequestInit = {},
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const { signal } = init
      if (signal?.aborted) return reject(signal.reason as Error)
      const path = url.replace('https://api.test', '')
      const onAnswer = onSend(path, init)
      let isSettled = false
      let isCut = false
      const settle = (): boolean => {
        if (isSettled) return false
        isSettled = true
        cuts.delete(cut)
        signal?.removeEventListener('abort', abort)
        return true
      }
      const fail = (): void =>
        post(0, () => {
          if (!settle()) return
          onAnswer?.(null)
          reject(new TypeError('Failed to fetch'))
        })
      const cut = (): void => {
        isCut = true
        fail()
      }
      const abort = (): void => void (settle() && reject(signal?.reason as Error))
      signal?.addEventListener('abort', abort, { once: true })

      if (!isOnline() || network.conditions.state === 'refused') return post(1, fail)
      cuts.add(cut)
      timeline.after(PATIENCE, () => isSettled || fail())
      const request: SimulatedRequest = {
        path,
        cookie: browser.cookie,
        body: (init.body as string | undefined) ?? null,
        authorization:
          (init.headers as Record<string, string> | undefined)?.['authorization'] ?? null,
      }
      if (isLost()) return
      timeline.after(span(), () => void arrive())

      async function arrive(): Promise<void> {
        const answer = await serve(request)
        if (isLost() || isCut) return
        timeline.after(span(), () => {
          if (isCut) return
          // Also when the page has given up on the answer: the browser reads the header first.
          if (answer.cookie !== undefined) browser.cookie = answer.cookie
          post(0, () => {
            if (!settle()) return
            onAnswer?.(answer)
            resolve(response(answer))
          })
        })
      }
    })
  }

  return network
}

/** What the bridge reads of a `Response`, without the cost of a real one. */
function response({ status, type, body, retryAfter }: SimulatedAnswer): Response {
  const headers: Readonly<Record<string, string | undefined>> = {
    'content-type': type,
    'retry-after': retryAfter?.toString(),
  }
  return {
    status,
    ok: status >= 200 && status < 300,
    type: 'basic',
    headers: {
      get: (name: string) => headers[name] ?? null,
      has: (name: string) => headers[name] !== undefined,
    },
    body: null,
    text: async () => body,
    json: async () => JSON.parse(body) as unknown,
  } as unknown as Response
}
