import { AuthError, syncEndpoint, type BridgeConfig } from '@token-bridge/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { countingSource, deferred, testBridge } from './bridge.test.support.ts'
import {
  countingTarget,
  handClocks,
  HOUR,
  MINUTE,
  NOW,
  SECOND,
  settle,
} from './fixtures.test.support.ts'
import type { TokenPayload } from './wire.ts'

const DAY = 24 * HOUR
/** Milliseconds that a token of five minutes may be used: all but the skew buffer. */
const IDEAL = 4 * MINUTE

const started: { stop(): void }[] = []
beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  for (const bridge of started.splice(0)) bridge.stop()
  vi.useRealTimers()
})

function startedBridge(config: BridgeConfig = {}) {
  const parts = testBridge({ environment: { random: () => 0.5 }, ...config })
  started.push(parts.bridge)
  return { ...parts, reader: parts.bridge.reader('orders') }
}

/**
 * A machine whose wall clock is `error` milliseconds off and can be set, in front of a server whose clock is right.
 * The server's own time is the fake `Date`.
 */
function machine(error: number) {
  let wallError = error
  return {
    environment: { random: () => 0.5, wallClock: () => Date.now() + wallError },
    setWall: (by: number) => void (wallError += by),
  }
}

/** Answers like a server: with the time in the body, in the `Date` header, or nowhere. */
function endpoint(tells: 'serverTime' | 'Date' | 'nothing', latency = 0) {
  let calls = 0
  const fetch: typeof globalThis.fetch = async () => {
    calls += 1
    if (latency > 0) await new Promise((done) => setTimeout(done, latency))
    const now = Date.now()
    return new Response(
      JSON.stringify({
        accessToken: `token-${calls}`,
        expiresAt: now + 5 * MINUTE,
        ...(tells === 'serverTime' && { serverTime: now }),
      }),
      {
        headers: {
          'content-type': 'application/json',
          ...(tells === 'Date' && { date: new Date(now).toUTCString() }),
        },
      },
    )
  }
  return {
    fetch,
    source: syncEndpoint('https://app.test/api/auth/sync'),
    get calls() {
      return calls
    },
  }
}

/** How long the current token goes on being handed out, to a tenth of a second, with no rotation in between. */
function usableFor(parts: ReturnType<typeof startedBridge>): number {
  const token = parts.reader.current()
  parts.bridge.stop()
  if (token === null) return 0
  let usable = 0
  for (; parts.reader.current() === token && usable < 3 * HOUR; usable += 100)
    vi.advanceTimersByTime(100)
  return usable
}

describe('the floor', () => {
  // AxaFrance#1282: 100 requests a second brought the provider down.
  it('keeps tokens of five seconds from being asked for more than twelve times a minute', async () => {
    const source = countingSource(5_000)
    const parts = startedBridge({ skewBuffer: 1_000, source: source.source })
    parts.bridge.start()
    for (let second = 0; second < 60; second += 1) {
      // A crowd that waits for a token changes nothing.
      for (let waiter = 0; waiter < 20; waiter += 1) void parts.reader.ready().catch(() => {})
      await vi.advanceTimersByTimeAsync(SECOND)
    }
    expect(source.requests.length).toBeGreaterThanOrEqual(11)
    expect(source.requests.length).toBeLessThanOrEqual(13)
  })

  it('bounds what a server costs that answers with the same token for ever', async () => {
    const same: TokenPayload = { accessToken: 'same', expiresAt: NOW + 5 * MINUTE }
    const { bridge, authority, types } = startedBridge()
    authority.answerWith(async () => same)
    bridge.start()
    await vi.advanceTimersByTimeAsync(HOUR)
    const perHour = authority.requests.length
    expect(types().filter((type) => type === 'token-rotated')).toHaveLength(1)
    // Until its end the pauses halve down to the floor; from then on its answers are failures, behind a breaker.
    expect(perHour).toBeLessThanOrEqual(75)
    authority.requests.length = 0
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(authority.requests.length).toBeLessThanOrEqual(63)
  })
})

describe('lifetimes beyond what timers can hold', () => {
  // keycloak-js#107: a token of more than 24.8 days expired immediately.
  it.each([25, 60, 400])(
    'rotates a token of %d days once, ahead of its end, and not at once',
    async (days) => {
      const { bridge, authority, reader } = startedBridge()
      authority.answerWith(async () => ({
        accessToken: `token-${authority.requests.length}`,
        expiresAt: Date.now() + days * DAY,
      }))
      bridge.start()
      await vi.advanceTimersByTimeAsync(HOUR)
      expect(authority.requests).toHaveLength(1)
      expect(reader.current()?.accessToken).toBe('token-1')
      // One look every thirty seconds is a lot of looks: jump to shortly before the end.
      vi.setSystemTime(NOW + days * DAY - 2 * MINUTE)
      await vi.advanceTimersByTimeAsync(MINUTE)
      expect(authority.requests.map(({ reason }) => reason)).toEqual(['hydrate', 'schedule'])
      expect(reader.current()?.accessToken).toBe('token-2')
    },
  )
})

describe('a slow answer', () => {
  it('makes the token expire early, never late: expiry counts from when the request was sent', async () => {
    const { bridge, authority, reader } = startedBridge()
    const gate = deferred<TokenPayload>()
    authority.answerWith(() => gate.promise)
    bridge.start()
    await settle()
    const answeredAt = Date.now()
    // The server's answer is eight seconds on its way.
    await vi.advanceTimersByTimeAsync(8 * SECOND)
    gate.resolve({
      accessToken: 't',
      expiresAt: answeredAt + 5 * MINUTE,
      serverTime: answeredAt,
    })
    await settle()
    bridge.stop()
    await vi.advanceTimersByTimeAsync(IDEAL - 8 * SECOND - 1)
    expect(reader.current()).not.toBeNull()
    await vi.advanceTimersByTimeAsync(1)
    expect(reader.current()).toBeNull()
  })
})

describe('a wall clock that is wrong from the start', () => {
  // okta-oidc-js#894, oidc-spa#82: a clock one hour ahead meant endless renewals.
  it.each([
    ['ahead', 'serverTime', 2 * HOUR],
    ['behind', 'serverTime', -2 * HOUR],
    ['ahead', 'Date', 2 * HOUR],
    ['behind', 'Date', -2 * HOUR],
  ] as const)(
    'two hours %s costs less than two seconds of lifetime and no request, told by %s',
    async (_, tells, error) => {
      const { environment } = machine(error)
      const server = endpoint(tells)
      const parts = startedBridge({ environment, fetch: server.fetch, source: server.source })
      parts.bridge.start()
      await vi.advanceTimersByTimeAsync(HOUR)
      // 204 to 210 s each.
      expect(server.calls).toBeLessThanOrEqual(18)
      await parts.bridge.rotate()
      expect(Math.abs(usableFor(parts) - IDEAL)).toBeLessThanOrEqual(2 * SECOND)
    },
  )

  it('two hours ahead, with a server that never tells its time, fails closed and bounded', async () => {
    const { environment } = machine(2 * HOUR)
    const server = endpoint('nothing')
    const parts = startedBridge({ environment, fetch: server.fetch, source: server.source })
    parts.bridge.start()
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(parts.reader.current()).toBeNull()
    expect(parts.bridge.snapshot.error?.code).toBe('ERR_TOKEN_EXPIRED')
    expect(server.calls).toBeLessThanOrEqual(65)
  })

  it('two hours behind, with a server that never tells its time, causes no loop', async () => {
    const { environment } = machine(-2 * HOUR)
    const server = endpoint('nothing')
    const parts = startedBridge({ environment, fetch: server.fetch, source: server.source })
    parts.bridge.start()
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(server.calls).toBeLessThanOrEqual(18)
  })
})

describe('a wall clock that is set while the bridge runs', () => {
  it.each([
    ['forward', 'serverTime', 2 * HOUR],
    ['back', 'serverTime', -2 * HOUR],
    ['forward', 'Date', 2 * HOUR],
    ['back', 'Date', -2 * HOUR],
    ['back', 'nothing', -2 * HOUR],
  ] as const)(
    'two hours %s costs the next tokens less than two seconds, and causes no loop, told by %s',
    async (_, tells, by) => {
      const { environment, setWall } = machine(0)
      const server = endpoint(tells)
      const parts = startedBridge({ environment, fetch: server.fetch, source: server.source })
      parts.bridge.start()
      await vi.advanceTimersByTimeAsync(MINUTE)
      setWall(by)
      await vi.advanceTimersByTimeAsync(HOUR)
      expect(server.calls).toBeLessThanOrEqual(20)
      for (let round = 0; round < 2; round += 1) {
        parts.bridge.start()
        await parts.bridge.rotate()
        const usable = usableFor(parts)
        // Back, without a server to ask: nothing says which time is the right one.
        const tolerance = tells === 'nothing' ? 2 * HOUR : 2 * SECOND
        expect(Math.abs(usable - IDEAL)).toBeLessThanOrEqual(tolerance)
      }
    },
  )

  it('ends the token that is held at its time when it is set back, and not two hours later', async () => {
    const { environment, setWall } = machine(0)
    const server = endpoint('serverTime')
    const parts = startedBridge({ environment, fetch: server.fetch, source: server.source })
    parts.bridge.start()
    await vi.advanceTimersByTimeAsync(MINUTE)
    setWall(-2 * HOUR)
    expect(Math.abs(usableFor(parts) - (IDEAL - MINUTE))).toBeLessThanOrEqual(2 * SECOND)
  })

  it('is told by thirty seconds at the latest that it was set forward, and asks once', async () => {
    const { environment, setWall } = machine(0)
    const server = endpoint('serverTime')
    const parts = startedBridge({ environment, fetch: server.fetch, source: server.source })
    parts.bridge.start()
    await vi.advanceTimersByTimeAsync(MINUTE)
    setWall(2 * HOUR)
    expect(parts.reader.current()).toBeNull()
    await vi.advanceTimersByTimeAsync(30 * SECOND)
    expect(server.calls).toBe(2)
    expect(parts.reader.current()?.accessToken).toBe('token-2')
  })

  it.each([2 * HOUR, -2 * HOUR])('again and again, by %d ms, causes no loop', async (by) => {
    const { environment, setWall } = machine(0)
    const server = endpoint('serverTime')
    const parts = startedBridge({ environment, fetch: server.fetch, source: server.source })
    parts.bridge.start()
    for (let minute = 0; minute < 60; minute += 1) {
      setWall(minute % 2 === 0 ? by : -by)
      await vi.advanceTimersByTimeAsync(MINUTE)
    }
    expect(server.calls).toBeLessThanOrEqual(62)
    expect(parts.reader.current()).not.toBeNull()
  })
})

describe('sleep', () => {
  /** A machine whose monotonic clock and timers stand still while it sleeps. */
  async function sleeper() {
    const clocks = handClocks()
    const window = countingTarget()
    const document = Object.assign(countingTarget(), { visibilityState: 'visible' as const })
    const server = { now: () => clocks.wallClock() }
    const parts = startedBridge({
      environment: {
        random: () => 0.5,
        wallClock: clocks.wallClock,
        monotonic: clocks.monotonic,
        window,
        document,
      },
    })
    parts.authority.answerWith(async () => ({
      accessToken: `token-${parts.authority.requests.length}`,
      expiresAt: server.now() + 5 * MINUTE,
    }))
    parts.bridge.start()
    await settle()
    const pass = async (span: number): Promise<void> => {
      for (let at = 0; at < span; at += SECOND) {
        clocks.advance(SECOND)
        await vi.advanceTimersByTimeAsync(SECOND)
      }
    }
    return { ...parts, clocks, window, document, pass }
  }

  // auth0-spa-js#589, oidc-client-ts#1601: a token that had expired in sleep was handed out, or never renewed.
  it('ends with null for who reads first, before any timer has run', async () => {
    const { clocks, reader } = await sleeper()
    clocks.sleep(8 * HOUR)
    expect(reader.current()).toBeNull()
  })

  it('is noticed within thirty seconds without any event, and costs one request', async () => {
    const { clocks, reader, authority, events, pass } = await sleeper()
    clocks.sleep(8 * HOUR)
    await pass(30 * SECOND)
    expect(reader.current()?.accessToken).toBe('token-2')
    expect(authority.requests.map(({ reason }) => reason)).toEqual(['hydrate', 'expired'])
    expect(events.map(({ type }) => type)).toEqual([
      'token-rotated',
      'token-expired',
      'token-rotated',
    ])
  })

  it.each<[string, (parts: Awaited<ReturnType<typeof sleeper>>) => void]>([
    ['visibilitychange', ({ document }) => document.fire('visibilitychange')],
    ['resume', ({ document }) => document.fire('resume')],
    ['focus', ({ window }) => window.fire('focus')],
    ['online', ({ window }) => window.fire('online')],
    ['pageshow', ({ window }) => window.fire('pageshow', { persisted: false })],
    ['a reader that waits', ({ reader }) => void reader.ready()],
  ])('is over at once for the bridge on %s', async (_, wakeUp) => {
    const parts = await sleeper()
    parts.clocks.sleep(8 * HOUR)
    wakeUp(parts)
    await settle()
    expect(parts.authority.requests).toHaveLength(2)
    expect(parts.reader.current()?.accessToken).toBe('token-2')
  })

  it('is over once, however many events say so', async () => {
    const { clocks, window, document, authority } = await sleeper()
    clocks.sleep(8 * HOUR)
    for (let round = 0; round < 10; round += 1) {
      for (const name of ['focus', 'online', 'pageshow']) window.fire(name)
      for (const name of ['visibilitychange', 'resume']) document.fire(name)
      await settle()
    }
    expect(authority.requests).toHaveLength(2)
  })

  // supabase#442: coming back to the tab was an event of its own for the app.
  it('shorter than the token lives costs nothing when the page comes back', async () => {
    const { clocks, window, document, authority, types } = await sleeper()
    clocks.sleep(MINUTE)
    for (let round = 0; round < 100; round += 1) {
      window.fire('focus')
      document.fire('visibilitychange')
    }
    await settle()
    expect(authority.requests).toHaveLength(1)
    expect(types()).toEqual(['token-rotated'])
  })
})

describe('a thousand callers that meet an expired token', () => {
  // oidc-client-ts#1618, MSAL#3646, Duende#966.
  it.each<[string, (parts: ReturnType<typeof startedBridge>) => Promise<unknown>]>([
    ['rotate()', ({ bridge }) => bridge.rotate()],
    ['ready()', ({ reader }) => reader.ready()],
    ['fetch', ({ reader }) => reader.fetch('https://api.test/orders')],
  ])('by %s cause one call to the source', async (_, call) => {
    const sent: unknown[] = []
    const parts = startedBridge({
      fetch: async (_input, init) => {
        sent.push(new Headers(init?.headers).get('authorization'))
        return new Response('ok')
      },
    })
    parts.bridge.start()
    await settle()
    vi.setSystemTime(NOW + 8 * HOUR)
    await Promise.all([
      ...Array.from({ length: 1_000 }, () => call(parts)),
      vi.advanceTimersByTimeAsync(SECOND),
    ])
    expect(parts.authority.requests).toHaveLength(2)
    expect(new Set(sent).size).toBeLessThanOrEqual(1)
    expect(sent.every((header) => header === 'Bearer token-2')).toBe(true)
    expect(parts.bridge.metrics.duplicateCalls).toBe(0)
  })

  it('and find the source down cause three, and hear why', async () => {
    const parts = startedBridge({ fetch: async () => new Response('ok') })
    parts.bridge.start()
    await settle()
    vi.setSystemTime(NOW + 8 * HOUR)
    parts.authority.answerWith(async () => {
      throw new AuthError('ERR_SYNC_STATUS', '503', { phase: 'sync', status: 503 })
    })
    const outcomes = Promise.allSettled(
      Array.from({ length: 1_000 }, () => parts.reader.fetch('https://api.test/orders')),
    )
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    const codes = (await outcomes).map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as AuthError).code : 'fulfilled',
    )
    expect(new Set(codes)).toEqual(new Set(['ERR_MAINTENANCE']))
    expect(parts.authority.requests).toHaveLength(4)
  })
})
