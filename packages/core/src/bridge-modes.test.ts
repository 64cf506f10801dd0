import {
  AuthError,
  isAuthError,
  syncEndpoint,
  TokenRejectedError,
  type BridgeConfig,
} from '@token-bridge/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deferred, MINUTE, testBridge } from './bridge.test.support.ts'
import { countingTarget, HOUR, NOW, SECOND, settle } from './fixtures.test.support.ts'

const API = 'https://api.test/orders'
const SYNC = 'https://app.test/api/auth/sync'

const started: { stop(): void }[] = []
beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  for (const bridge of started.splice(0)) bridge.stop()
  vi.useRealTimers()
})

type Answer = () => Response | Promise<Response>

const good: Answer = () =>
  Response.json({ accessToken: 'good', expiresAt: Date.now() + 5 * MINUTE, serverTime: Date.now() })
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  () =>
    new Response(null, { status: code, headers })
const html: Answer = () =>
  new Response('<!doctype html><title>Shop</title>', { headers: { 'content-type': 'text/html' } })
const networkError: Answer = () => Promise.reject(new TypeError('Failed to fetch'))
const hang: Answer = () => new Promise(() => {})

/** A bridge over `fetch`, with what reached the sync endpoint and the API. Not started. */
function networked(config: BridgeConfig = {}) {
  const world = { sync: good, isOnline: true }
  const synced: number[] = []
  const sent: { authorization: string | null; credentials: string | undefined }[] = []
  const window = countingTarget()
  const parts = testBridge({
    source: syncEndpoint(SYNC),
    environment: { random: () => 0.5, isOnline: () => world.isOnline, window },
    ...config,
    fetch: async (input, init) => {
      if (input === SYNC) {
        synced.push(Date.now() - NOW)
        return world.sync()
      }
      sent.push({
        authorization: new Headers(init?.headers).get('authorization'),
        credentials: init?.credentials,
      })
      return new Response('ok')
    },
  })
  started.push(parts.bridge)
  return { ...parts, world, synced, sent, window, reader: parts.bridge.reader('orders') }
}
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'fulfilled',
    (error: unknown) => (isAuthError(error) ? error.code : String(error)),
  )

const LATER: [string, Answer, string][] = [
  ['403', status(403), 'ERR_SYNC_STATUS'],
  ['429', status(429), 'ERR_SYNC_STATUS'],
  ['500', status(500), 'ERR_SYNC_STATUS'],
  ['502', status(502), 'ERR_SYNC_STATUS'],
  ['503', status(503), 'ERR_SYNC_STATUS'],
  ['a network error', networkError, 'ERR_SYNC_NETWORK'],
  ['HTML', html, 'ERR_SYNC_NOT_JSON'],
  ['no answer', hang, 'ERR_SYNC_TIMEOUT'],
]

describe('an early rotation that meets', () => {
  it('401 signs out: the server says so', async () => {
    const { bridge, world, reader, synced } = networked()
    bridge.start()
    await settle()
    world.sync = status(401)
    expect(await codeOf(bridge.rotate())).toBe('ERR_SIGNED_OUT')
    expect(bridge.snapshot.status).toBe('signed-out')
    expect(reader.current()).toBeNull()
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(synced).toHaveLength(2)
  })

  // clerk PR #8004, okta-auth-js#1047, supabase#2145: any failure signed people out whose token was still good.
  it.each(LATER)(
    '%s means later: the valid token stays, and so does the session',
    async (_, answer, code) => {
      const { bridge, world, reader, synced, types, sent } = networked()
      bridge.start()
      await settle()
      world.sync = answer
      const rotation = codeOf(bridge.rotate())
      await vi.advanceTimersByTimeAsync(35 * SECOND)
      expect(await rotation).toBe(code)
      // Hydration, three attempts, and no more until the cooldown is over.
      expect(synced.filter((at) => at < 30_000)).toHaveLength(4)
      expect(reader.current()?.accessToken).toBe('good')
      expect(types()).not.toContain('auth-reset')
      expect(bridge.snapshot).toMatchObject({ status: 'maintenance', error: { code } })
      expect(bridge.snapshot.expiresAt).not.toBeNull()
      // Requests go on with it.
      await reader.fetch(API)
      expect(sent).toMatchObject([{ authorization: 'Bearer good' }])
    },
  )

  it.each(LATER)('%s comes back by itself, also after the token has expired', async (_, answer) => {
    const { bridge, world, reader, types } = networked()
    bridge.start()
    await settle()
    world.sync = answer
    await vi.advanceTimersByTimeAsync(10 * MINUTE)
    expect(reader.current()).toBeNull()
    expect(types()).not.toContain('auth-reset')
    world.sync = good
    // Four times the cooldown at the most, and a timeout.
    await vi.advanceTimersByTimeAsync(2 * MINUTE + 10 * SECOND)
    expect(bridge.snapshot.status).toBe('ready')
    expect(reader.current()?.accessToken).toBe('good')
  })
})

describe('Retry-After', () => {
  it.each([429, 503])(
    'of a %i is waited for, and its requests are not counted twice',
    async (code) => {
      const { bridge, world, synced } = networked()
      world.sync = status(code, { 'retry-after': '5' })
      bridge.start()
      await vi.advanceTimersByTimeAsync(4_999)
      expect(synced).toEqual([0])
      world.sync = good
      await vi.advanceTimersByTimeAsync(1)
      expect(synced).toEqual([0, 5_000])
      expect(bridge.snapshot.status).toBe('ready')
    },
  )

  it('of two minutes opens the circuit at once', async () => {
    const { bridge, world, synced, reader } = networked()
    world.sync = status(503, { 'retry-after': '120' })
    bridge.start()
    await settle()
    expect(bridge.snapshot.status).toBe('maintenance')
    expect(await codeOf(reader.fetch(API))).toBe('ERR_MAINTENANCE')
    await vi.advanceTimersByTimeAsync(119_999)
    expect(synced).toHaveLength(1)
    world.sync = good
    await vi.advanceTimersByTimeAsync(1)
    expect(synced).toEqual([0, 120_000])
    expect(bridge.snapshot.status).toBe('ready')
  })
})

describe('maintenance', () => {
  async function inMaintenance() {
    const parts = networked()
    parts.world.sync = status(503)
    parts.bridge.start()
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    expect(parts.bridge.snapshot.status).toBe('maintenance')
    parts.synced.length = 0
    return parts
  }

  it('fails the requests of remotes fast, with a typed error and without a request', async () => {
    const { bridge, reader, sent, synced } = await inMaintenance()
    const errors = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        bridge
          .reader(`remote-${index % 5}`)
          .fetch(API)
          .catch((error: unknown) => error),
      ),
    )
    for (const error of errors) {
      expect(isAuthError(error, 'ERR_MAINTENANCE')).toBe(true)
      expect((error as AuthError).retryable).toBe(true)
      expect((error as AuthError).retryAfter).toBeGreaterThan(0)
    }
    expect(await codeOf(reader.ready())).toBe('ERR_MAINTENANCE')
    expect([sent.length, synced.length]).toEqual([0, 0])
  })

  it('is probed once when it is half-open, however many ask, and comes back by itself', async () => {
    const { bridge, reader, world, synced, sent } = await inMaintenance()
    await vi.advanceTimersByTimeAsync(24 * SECOND)
    const gate = deferred<Response>()
    world.sync = () => gate.promise
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    const outcomes = Array.from({ length: 1_000 }, () => codeOf(reader.fetch(API)))
    await settle()
    expect(synced).toHaveLength(1)
    gate.resolve(await good())
    await settle()
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['ERR_MAINTENANCE']))
    expect(bridge.snapshot.status).toBe('ready')
    await reader.fetch(API)
    expect([synced.length, sent.length]).toEqual([1, 1])
  })

  it('does not keep the user from signing in', async () => {
    const { bridge, reader } = await inMaintenance()
    bridge.updateToken({ accessToken: 'by-hand', expiresAt: Date.now() + 5 * MINUTE })
    expect(reader.current()?.accessToken).toBe('by-hand')
    expect(bridge.snapshot.status).toBe('ready')
  })

  it('costs a dead endpoint 65 requests in the first hour at most', async () => {
    const { synced } = await inMaintenance()
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(synced.length).toBeLessThanOrEqual(65)
    expect(synced.length).toBeGreaterThanOrEqual(30)
  })
})

describe('offline', () => {
  // clerk PR #7912: offline looked like signed out. oidc-client-ts#251: woken before the network was there.
  it('costs no request at all, and one rotation when online again', async () => {
    const { bridge, world, reader, window, synced, types } = networked()
    bridge.start()
    await settle()
    world.isOnline = false
    await vi.advanceTimersByTimeAsync(8 * HOUR)
    for (let count = 0; count < 100; count += 1) {
      void reader.ready().catch(() => {})
      window.fire('focus')
    }
    expect(await codeOf(bridge.rotate())).toBe('ERR_OFFLINE')
    expect(synced).toHaveLength(1)
    expect(bridge.snapshot.status).toBe('loading')
    expect(types()).toEqual(['token-rotated', 'token-expired'])
    world.isOnline = true
    for (const name of ['online', 'focus', 'online']) window.fire(name)
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(synced).toHaveLength(2)
    expect(reader.current()?.accessToken).toBe('good')
  })

  it('ends within thirty seconds also when no event says so', async () => {
    const { bridge, world, reader, synced } = networked()
    bridge.start()
    await settle()
    world.isOnline = false
    await vi.advanceTimersByTimeAsync(HOUR)
    world.isOnline = true
    await vi.advanceTimersByTimeAsync(30 * SECOND)
    expect(synced).toHaveLength(2)
    expect(reader.current()).not.toBeNull()
  })
})

const MISSING: [string, Answer, string][] = [
  ['404', status(404), 'ERR_SYNC_STATUS'],
  ['405', status(405), 'ERR_SYNC_STATUS'],
  ['501', status(501), 'ERR_SYNC_STATUS'],
  ['HTML', html, 'ERR_SYNC_NOT_JSON'],
]

describe('a sync endpoint that is not there from the start', () => {
  it.each(MISSING)(
    '(%s) leaves the page on its cookie after three failures, in maintenance and with the code',
    async (_, answer, code) => {
      const { bridge, world, synced, events } = networked()
      world.sync = answer
      bridge.start()
      await settle()
      expect(bridge.snapshot).toMatchObject({ mode: 'bridge', status: 'error' })
      await vi.advanceTimersByTimeAsync(5 * SECOND)
      expect(synced).toHaveLength(3)
      expect(bridge.snapshot).toMatchObject({
        mode: 'cookie-only',
        status: 'maintenance',
        expiresAt: null,
        error: { code },
      })
      expect(events.map(({ type }) => type)).toEqual([
        'rotation-failed',
        'rotation-failed',
        'mode-changed',
        'maintenance-entered',
      ])
    },
  )

  it.each(MISSING)(
    '(%s) lets requests go out with the cookie and without Authorization, those that wait included',
    async (_, answer, code) => {
      const { bridge, world, reader, sent } = networked()
      world.sync = answer
      bridge.start()
      const waiting = reader.fetch(API)
      await vi.advanceTimersByTimeAsync(5 * SECOND)
      expect((await waiting).status).toBe(200)
      await reader.fetch(API)
      expect(sent).toEqual([
        { authorization: null, credentials: 'include' },
        { authorization: null, credentials: 'include' },
      ])
      const error = await reader.ready().catch((reason: unknown) => reason)
      expect(isAuthError(error, 'ERR_COOKIE_ONLY')).toBe(true)
      expect((error as Error).message).toContain(code)
    },
  )

  it.each(MISSING)('(%s) is found by itself once it is there', async (_, answer) => {
    const { bridge, world, reader, sent, types } = networked()
    world.sync = answer
    bridge.start()
    await vi.advanceTimersByTimeAsync(10 * MINUTE)
    expect(bridge.snapshot.mode).toBe('cookie-only')
    world.sync = good
    await vi.advanceTimersByTimeAsync(2 * MINUTE)
    expect(bridge.snapshot).toMatchObject({
      mode: 'bridge',
      status: 'ready',
      generation: 1,
      error: null,
    })
    expect(types().slice(-3)).toEqual(['maintenance-left', 'mode-changed', 'token-rotated'])
    await reader.fetch(API)
    expect(sent).toEqual([{ authorization: 'Bearer good', credentials: undefined }])
  })

  it('leaves the page on its cookie when the verifier refuses a token that the host puts in', async () => {
    const { bridge, world } = networked({
      verify: async () => {
        throw new TokenRejectedError('ERR_TOKEN_SIGNATURE', 'Refused.', { phase: 'validate' })
      },
    })
    world.sync = status(404)
    bridge.start()
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    bridge.updateToken({ accessToken: 'by-hand', expiresAt: Date.now() + 5 * MINUTE })
    await settle()
    expect(bridge.snapshot).toMatchObject({ mode: 'cookie-only', expiresAt: null })
  })

  it('leaves signed out who signed out meanwhile, and is not asked again and again once it is there', async () => {
    const { bridge, world, synced } = networked()
    world.sync = html
    bridge.start()
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    await bridge.reset('sign-out')
    world.sync = status(401)
    synced.length = 0
    await bridge.rotate().catch(() => {})
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(bridge.snapshot).toMatchObject({ mode: 'bridge', status: 'signed-out' })
    expect(synced).toHaveLength(1)
  })

  it('is asked less and less while it is not: 65 times an hour at most', async () => {
    const { bridge, world, synced } = networked()
    world.sync = status(404)
    bridge.start()
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(synced.length).toBeLessThanOrEqual(65)
    expect(bridge.snapshot.mode).toBe('cookie-only')
  })

  it('stays an own mode while it answers 503 on its way to being there', async () => {
    const { bridge, world } = networked()
    world.sync = status(404)
    bridge.start()
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    world.sync = status(503)
    await vi.advanceTimersByTimeAsync(5 * MINUTE)
    expect(bridge.snapshot).toMatchObject({ mode: 'cookie-only', status: 'maintenance' })
  })

  it('is left when the endpoint says that nobody is signed in', async () => {
    const { bridge, world } = networked()
    world.sync = status(404)
    bridge.start()
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    world.sync = status(401)
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(bridge.snapshot).toMatchObject({ mode: 'bridge', status: 'signed-out' })
  })

  it('is left when the host puts a token in by hand', async () => {
    const { bridge, world, reader } = networked()
    world.sync = status(404)
    bridge.start()
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    bridge.updateToken({ accessToken: 'by-hand', expiresAt: Date.now() + 5 * MINUTE })
    expect(bridge.snapshot).toMatchObject({ mode: 'bridge', status: 'ready' })
    expect(reader.current()?.accessToken).toBe('by-hand')
  })

  it.each([
    ['503', status(503)],
    ['429', status(429)],
    ['403', status(403)],
    ['a network error', networkError],
    ['no answer', hang],
  ])('is another thing than one that is down (%s): then requests fail fast', async (_, answer) => {
    const { bridge, world, reader, sent } = networked()
    world.sync = answer
    bridge.start()
    await vi.advanceTimersByTimeAsync(35 * SECOND)
    expect(bridge.snapshot).toMatchObject({ mode: 'bridge', status: 'maintenance' })
    expect(await codeOf(reader.fetch(API))).toBe('ERR_MAINTENANCE')
    expect(sent).toEqual([])
  })

  it.each(MISSING)(
    'is another thing than one that vanished later (%s): who had a token once does not fall back',
    async (_, answer) => {
      const { bridge, world } = networked()
      bridge.start()
      await settle()
      world.sync = answer
      await vi.advanceTimersByTimeAsync(10 * MINUTE)
      expect(bridge.snapshot).toMatchObject({ mode: 'bridge', status: 'maintenance' })
    },
  )

  it('leaves signed out who is signed out', async () => {
    const { bridge, world } = networked()
    bridge.start()
    world.sync = status(404)
    await bridge.reset('sign-out')
    const rotation = codeOf(bridge.rotate())
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    expect(await rotation).toBe('ERR_SYNC_STATUS')
    expect(bridge.snapshot).toMatchObject({ mode: 'bridge', status: 'signed-out' })
  })

  it('says nothing of the legacy source: one that is not there is one that is down', async () => {
    const { bridge } = networked({
      enabled: false,
      legacy: async () => {
        throw new AuthError('ERR_SYNC_STATUS', '404', { phase: 'sync', status: 404 })
      },
    })
    bridge.start()
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    expect(bridge.snapshot).toMatchObject({ mode: 'legacy', status: 'maintenance' })
  })

  it('gives way to the kill switch, and is met anew when that is thrown back', async () => {
    let enabled = true
    const { bridge, world, synced, reader, sent } = networked({ enabled: () => enabled })
    world.sync = status(404)
    bridge.start()
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    enabled = false
    await vi.advanceTimersByTimeAsync(2 * SECOND)
    expect(bridge.snapshot).toMatchObject({ mode: 'cookie-only', status: 'ready', error: null })
    synced.length = 0
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(synced).toEqual([])
    await reader.fetch(API)
    expect(sent).toEqual([{ authorization: null, credentials: 'include' }])
    world.sync = good
    enabled = true
    await vi.advanceTimersByTimeAsync(2 * SECOND)
    expect(bridge.snapshot).toMatchObject({ mode: 'bridge', status: 'ready' })
    expect(synced).toHaveLength(1)
  })

  it('gives way to the legacy source when the kill switch is thrown', async () => {
    let enabled = true
    const { bridge, world, reader } = networked({
      enabled: () => enabled,
      legacy: async () => ({ accessToken: 'legacy', expiresAt: Date.now() + 5 * MINUTE }),
    })
    world.sync = status(404)
    bridge.start()
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    enabled = false
    await vi.advanceTimersByTimeAsync(2 * SECOND)
    expect(bridge.snapshot).toMatchObject({ mode: 'legacy', status: 'ready' })
    expect(reader.current()?.accessToken).toBe('legacy')
  })
})

describe('a page that comes out of the back/forward cache', () => {
  type Parts = ReturnType<typeof networked>
  const restore = ({ window }: Parts) => window.fire('pageshow', { persisted: true })
  async function readyPage(config?: BridgeConfig) {
    const parts = networked(config)
    parts.bridge.start()
    await settle()
    parts.synced.length = 0
    parts.events.length = 0
    return parts
  }

  it('holds nothing and says so before anything can be painted', async () => {
    const parts = await readyPage()
    const seen: unknown[] = []
    parts.reader.subscribe(() => seen.push(parts.reader.snapshot().status))
    parts.bridge.attach({ name: 'store', apply: ({ type }) => seen.push(type) })
    restore(parts)
    // Not one microtask has run since the event.
    expect(parts.reader.current()).toBeNull()
    expect(parts.bridge.snapshot).toMatchObject({ status: 'loading', expiresAt: null })
    expect(seen).toEqual(['page-restored', 'loading'])
  })

  it('asks the server once, for any valid token', async () => {
    const parts = await readyPage()
    restore(parts)
    for (const name of ['focus', 'online']) parts.window.fire(name)
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(parts.synced).toHaveLength(1)
    expect(parts.bridge.snapshot).toMatchObject({ status: 'ready', generation: 2 })
    expect(parts.types()).toEqual(['page-restored', 'token-rotated'])
  })

  it('is signed out when the server says so, and was never anything but empty', async () => {
    const parts = await readyPage()
    const tokens: unknown[] = []
    parts.world.sync = status(401)
    restore(parts)
    parts.reader.getToken().subscribe((token) => tokens.push(token))
    await settle()
    expect(parts.bridge.snapshot.status).toBe('signed-out')
    expect(tokens).toEqual([])
  })

  it('stays empty while it is offline, and asks when it is online', async () => {
    const parts = await readyPage()
    parts.world.isOnline = false
    restore(parts)
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(parts.bridge.snapshot.status).toBe('loading')
    expect(parts.reader.current()).toBeNull()
    expect(parts.synced).toEqual([])
    parts.world.isOnline = true
    parts.window.fire('online')
    await settle()
    expect(parts.synced).toHaveLength(1)
    expect(parts.bridge.snapshot.status).toBe('ready')
  })

  it.each<[string, (parts: Parts) => Promise<void>]>([
    ['that had a token', async ({ bridge }) => (bridge.start(), void (await settle()))],
    ['that was still loading', async () => {}],
  ])('drops the answer to a question from before, in a page %s', async (_, arrange) => {
    const parts = networked()
    await arrange(parts)
    const gate = deferred<Response>()
    parts.world.sync = () => gate.promise
    parts.bridge.start()
    void parts.bridge.rotate().catch(() => {})
    await settle()
    parts.world.sync = status(401)
    restore(parts)
    gate.resolve(Response.json({ accessToken: 'from-before', expiresAt: Date.now() + 5 * MINUTE }))
    await settle()
    expect(parts.reader.current()).toBeNull()
    expect(parts.bridge.snapshot.status).toBe('signed-out')
  })

  it.each<[string, (parts: Parts) => unknown]>([
    ['signed out', ({ bridge }) => bridge.reset('sign-out')],
    ['stopped', ({ bridge }) => bridge.stop()],
  ])('does nothing when it was %s', async (_, arrange) => {
    const parts = await readyPage()
    await arrange(parts)
    parts.events.length = 0
    const before = parts.bridge.snapshot
    restore(parts)
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(parts.bridge.snapshot.status).toBe(before.status)
    expect([
      parts.synced.length,
      parts.types().filter((type) => type !== 'token-expired').length,
    ]).toEqual([0, 0])
  })

  it('does nothing in cookie-only mode', async () => {
    const parts = await readyPage({ enabled: false })
    restore(parts)
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(parts.synced).toEqual([])
    expect(parts.bridge.snapshot).toMatchObject({ mode: 'cookie-only', status: 'ready' })
  })

  it('asks for the kill switch as well', async () => {
    const recheck = vi.fn()
    const parts = await readyPage({
      enabled: {
        subscribe(observer) {
          observer.next(true)
          return { unsubscribe() {} }
        },
        recheck,
      },
    })
    restore(parts)
    expect(recheck).toHaveBeenCalledTimes(1)
    await settle()
  })
})

describe('telemetry through the bridge', () => {
  it('counts, measures, and writes the lines that operators look for', async () => {
    vi.setSystemTime(1_718_900_000_000 - 5 * MINUTE)
    const lines: string[] = []
    const line = (text: string) => void lines.push(text)
    const { bridge, world, reader } = networked({
      telemetry: { logger: { info: line, warn: line, error: line } },
    })
    world.sync = async () => {
      await new Promise((done) => setTimeout(done, 40))
      return Response.json({ accessToken: 't', expiresAt: 1_718_900_000_000 })
    }
    reader.getToken().subscribe(() => {})
    bridge
      .reader('reports')
      .getToken()
      .subscribe(() => {})
    bridge.reader('reports').subscribe(() => {})
    bridge.start()
    await Promise.all([bridge.rotate(), bridge.rotate(), vi.advanceTimersByTimeAsync(40)])
    await reader.fetch(API)
    expect(lines).toEqual(['[bridge] token rotated exp=1718900000 subscribers=3 duplicate_calls=0'])
    expect(bridge.metrics).toMatchObject({
      requests: 1,
      rotations: 1,
      joinedCalls: 2,
      duplicateCalls: 0,
      refreshLatency: { count: 1, last: 40, mean: 40, max: 40 },
      desyncs: 0,
    })
  })

  it('alerts when the desync rate goes over its threshold, once, and clears', async () => {
    const { bridge, reader, events } = networked()
    bridge.start()
    await settle()
    const alerts = () =>
      events.flatMap((event) => (event.type === 'alert' ? [[event.rule, event.state]] : []))
    for (let count = 0; count < 199; count += 1) reader.report({ generation: 9 })
    reader.report({ generation: 0 })
    // One in two hundred is 0.5 %, which is the threshold and not above it.
    expect(alerts()).toEqual([])
    reader.report({ generation: 0 })
    reader.report({ generation: 0 })
    expect(alerts()).toEqual([['desync', 'firing']])
    await vi.advanceTimersByTimeAsync(6 * MINUTE)
    expect(alerts()).toEqual([
      ['desync', 'firing'],
      ['desync', 'cleared'],
    ])
  })

  it('alerts on a spike of 401s and on a remote that cannot be mounted', async () => {
    const { bridge, reader, events } = networked()
    bridge.start()
    await settle()
    for (let count = 0; count < 11; count += 1) reader.report({ generation: 0, status: 401 })
    bridge.reportMount('orders', 'ERR_REMOTE_UNTRUSTED')
    expect(
      events.flatMap((event) => (event.type === 'alert' ? [`${event.rule} ${event.state}`] : [])),
    ).toEqual(['unauthorized firing', 'remote-mount-failed firing'])
    expect(bridge.metrics).toMatchObject({ unauthorized: 11, remoteMountFailures: 1 })
  })
})
