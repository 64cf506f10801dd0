import {
  SecureTokenBridge,
  syncEndpoint,
  type BridgeConfig,
  type TokenReader,
} from '@token-bridge/core'
import { createFakeAuthority } from '@token-bridge/testing'
import { authHandlers } from '@token-bridge/testing/msw'
import { http, HttpResponse } from 'msw/http'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, vi } from 'vitest'

const HOST = 'https://shop.example'
const API = 'https://api.example'

/** What the way from before the bridge gives, where a recipe has one. The API takes it. */
export const LEGACY_TOKEN = 'legacy-token'

/** Where a test adds what is not of the page. */
export const server = setupServer()
const open: SecureTokenBridge[] = []

beforeAll(() => server.listen({ onUnhandledFrame: 'error' }))
afterEach(() => {
  for (const bridge of open.splice(0)) bridge.stop()
  server.resetHandlers()
})
afterAll(() => server.close())

/** What the API was asked, and what it answered. */
interface ApiCall {
  readonly token: string | null
  readonly status: number
}

/** A page with a bridge, the host's auth endpoint, and an API on another origin that takes the latest token only. */
export interface Page {
  readonly bridge: SecureTokenBridge
  /** The remote's. */
  readonly reader: TokenReader
  /** Every request to the API, oldest first. */
  readonly calls: readonly ApiCall[]
  /** How often the auth endpoint was asked. */
  readonly syncs: number
  /** The API refuses the token that was issued last, which by the clock is still good. */
  revokeToken(): void
  /** The API will refuse the token that is issued next, too. */
  revokeNextToken(): void
  /** The token runs out while the machine sleeps: no timer has run. */
  expireToken(): void
}

export interface PageOptions extends BridgeConfig {
  /** Default: a bridge that is started. */
  readonly makeBridge?: (config: BridgeConfig) => SecureTokenBridge
}

/** Opens a page whose bridge is started. */
export function openPage({
  makeBridge = (config) => new SecureTokenBridge(config).start(),
  ...config
}: PageOptions = {}): Page {
  let asleep = 0
  const authority = createFakeAuthority({ now: () => Date.now() + asleep, prefix: 'token' })
  const refused = new Set<string>()
  const refuse = (number: number) => void refused.add(`token-${number}`)
  const calls: ApiCall[] = []
  server.use(
    ...authHandlers(authority, { baseUrl: HOST }),
    http.all(`${API}/*`, ({ request }) => {
      const token = request.headers.get('authorization')?.replace(/^Bearer /, '') ?? null
      const isGood =
        token === LEGACY_TOKEN ||
        (token !== null && token === authority.issued.at(-1) && !refused.has(token))
      calls.push({ token, status: isGood ? 200 : 401 })
      if (!isGood) return HttpResponse.json({ error: 'invalid_token' }, { status: 401 })
      return HttpResponse.json([{ id: 1, customer: 'Ada' }])
    }),
  )
  const bridge = makeBridge({
    source: syncEndpoint(`${HOST}/api/auth/sync`),
    origins: [API],
    tabs: false,
    environment: {
      wallClock: () => Date.now() + asleep,
      monotonic: () => performance.now() + asleep,
    },
    ...config,
  })
  open.push(bridge)
  return {
    bridge,
    reader: bridge.reader('orders'),
    calls,
    get syncs() {
      return authority.calls
    },
    revokeToken: () => refuse(authority.issued.length),
    revokeNextToken: () => refuse(authority.issued.length + 1),
    expireToken: () => void (asleep += 600_000),
  }
}

/** Under `/slow` the API answers when it is told to. `isAsked`: the first request has come. */
export function slowApi() {
  let answer = (): void => {}
  const isTold = new Promise<void>((resolve) => {
    answer = resolve
  })
  const isAsked = new Promise<void>((resolve) => {
    server.use(
      http.get(`${API}/slow`, async () => {
        resolve()
        await isTold
        return HttpResponse.json([{ id: 1, customer: 'of the last session' }])
      }),
    )
  })
  return { isAsked, answer }
}

/** As many calls as a busy page makes at once. */
export const many = <T>(call: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 10 }, call))

/** What ended a promise that must not succeed. */
export const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => {
      throw new Error('It succeeded.')
    },
    (error: unknown) => error,
  )

/** The same reader, and the subscriptions on it that nobody has ended. */
export function subscriptions(reader: TokenReader) {
  const left = new Set<symbol>()
  const subscribe = (listener: () => void) => {
    const own = Symbol('subscription')
    left.add(own)
    const leave = reader.subscribe(listener)
    return () => {
      left.delete(own)
      leave()
    }
  }
  return { left, reader: { ...reader, subscribe } satisfies TokenReader }
}

/** Waits until the expectation holds. */
export const eventually = (expectation: () => void): Promise<void> =>
  vi.waitFor(expectation, 10_000)
