import { AuthError, isAuthError } from '@token-bridge/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deferred, MINUTE, payload, settle, testBridge } from './bridge.test.support.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_760_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a reader', () => {
  it('is the same for the same remote', () => {
    const { bridge } = testBridge()
    expect(bridge.reader('orders')).toBe(bridge.reader('orders'))
    expect(bridge.reader('orders')).not.toBe(bridge.reader('reports'))
  })

  it('is frozen, without a prototype, and has only what the contract names', () => {
    const reader = testBridge().bridge.reader('orders')
    expect(Object.isFrozen(reader)).toBe(true)
    expect(Object.getPrototypeOf(reader)).toBeNull()
    expect(Object.keys(reader).toSorted()).toEqual([
      'current',
      'fetch',
      'getToken',
      'ready',
      'remote',
      'report',
      'snapshot',
      'snapshot$',
      'subscribe',
      'validateToken',
    ])
  })

  it('hands out tokens that cannot be changed', () => {
    const { bridge } = testBridge()
    bridge.updateToken(payload('t'))
    bridge
      .reader('orders')
      .getToken()
      .subscribe((token) => {
        expect(() => {
          ;(token as { accessToken: string }).accessToken = 'tampered'
        }).toThrow(TypeError)
      })
    expect(bridge.reader('orders').current()?.accessToken).toBe('t')
  })

  it('reads the same token object until it rotates', () => {
    const { bridge } = testBridge()
    bridge.updateToken(payload('t'))
    const reader = bridge.reader('orders')
    expect(reader.current()).toBe(reader.current())
  })

  // Walks whatever a remote can reach from its reader, its streams, its subscriptions and its token.
  it('leads to no writer, by any chain of properties, prototypes or return values', async () => {
    const { bridge } = testBridge()
    bridge.updateToken({ ...payload('t'), refreshToken: 'refresh' })
    const reader = bridge.reader('orders')
    const found: string[] = []
    const seen = new Set<unknown>()
    const natural = new Set<unknown>([
      Object.prototype,
      Function.prototype,
      Promise.prototype,
      Symbol.prototype,
      String.prototype,
    ])
    const walk = (value: unknown, path: string): void => {
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return
      if (seen.has(value) || natural.has(value)) return
      seen.add(value)
      if (value === bridge || Object.getPrototypeOf(value) === Object.getPrototypeOf(bridge))
        found.push(path)
      for (const key of Reflect.ownKeys(value)) {
        if (
          /^(next|updateToken|rotate|reset|revoke|attach|source|operator|destination|observers|_subscribe)$/.test(
            String(key),
          )
        )
          found.push(`${path}.${String(key)}`)
        if (key === 'caller' || key === 'arguments') continue
        walk((value as Record<PropertyKey, unknown>)[key], `${path}.${String(key)}`)
      }
      walk(Object.getPrototypeOf(value), `${path}.[[Prototype]]`)
    }
    const subscription = reader.getToken().subscribe(() => {})
    for (const [name, value] of Object.entries({
      reader,
      stream: reader.getToken(),
      observable: reader.getToken()[Symbol.observable ?? ('@@observable' as never)]?.(),
      subscription,
      token: reader.current(),
      ready: await reader.ready(),
      snapshot: reader.snapshot(),
      leave: reader.subscribe(() => {}),
    }))
      walk(value, name)
    expect(found).toEqual([])
    expect(seen.size).toBeGreaterThan(10)
  })

  it('says whether a token can be acted on', () => {
    const { bridge } = testBridge()
    const reader = bridge.reader('orders')
    expect(reader.validateToken(payload('t', 61_000))).toBe(true)
    expect(reader.validateToken(payload('t', 60_000))).toBe(false)
    expect(reader.validateToken(null)).toBe(false)
    expect(reader.validateToken({ accessToken: '', expiresAt: Date.now() + MINUTE * 5 })).toBe(
      false,
    )
  })

  it('is given a token inside the skew buffer never', async () => {
    const { bridge } = testBridge()
    bridge.updateToken(payload('t', 61_000))
    const reader = bridge.reader('orders')
    expect(reader.current()).not.toBeNull()
    vi.setSystemTime(Date.now() + 1_001)
    expect(reader.current()).toBeNull()
    const seen: unknown[] = []
    reader.getToken().subscribe((token) => seen.push(token))
    expect(seen).toEqual([])
  })

  it('refuses a name or an access that is not one', () => {
    const { bridge } = testBridge()
    for (const name of ['', ' ', 'a\nb', ' a', 7 as unknown as string]) {
      expect(() => bridge.reader(name)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG' }))
    }
    expect(bridge.reader('@team/orders v2').remote).toBe('@team/orders v2')
    expect(() => bridge.reader('a', { access: 'write' as 'token' })).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG' }),
    )
    bridge.reader('a')
    expect(() => bridge.reader('a', { access: 'fetch' })).toThrow(/already has a reader/)
    expect(() => bridge.reader('a').subscribe('x' as never)).toThrow(TypeError)
  })
})

describe('ready()', () => {
  it('waits for the first token', async () => {
    const { bridge } = testBridge()
    const ready = bridge.reader('orders').ready()
    bridge.start()
    await settle()
    await expect(ready).resolves.toMatchObject({ generation: 1 })
  })

  it('rejects at once when nobody is signed in', async () => {
    const { bridge } = testBridge()
    await bridge.reset('sign-out')
    await expect(bridge.reader('orders').ready()).rejects.toMatchObject({ code: 'ERR_SIGNED_OUT' })
  })

  it('rejects who waits when the session ends', async () => {
    const { bridge } = testBridge()
    const ready = bridge
      .reader('orders')
      .ready()
      .catch((error: unknown) => error)
    await bridge.reset('sign-out')
    expect(isAuthError(await ready, 'ERR_SIGNED_OUT')).toBe(true)
  })

  it('fails fast in maintenance, and says that it can be tried again', async () => {
    const { bridge, authority } = testBridge()
    authority.answerWith(async () => {
      throw new AuthError('ERR_SYNC_STATUS', 'POST /sync answered 503.', {
        phase: 'sync',
        retryable: true,
      })
    })
    bridge.start()
    await vi.advanceTimersByTimeAsync(10_000)
    const before = authority.requests.length
    await expect(bridge.reader('orders').ready()).rejects.toMatchObject({
      code: 'ERR_MAINTENANCE',
      retryable: true,
    })
    expect(authority.requests).toHaveLength(before)
  })

  it('gives up after its timeout and by its signal, and leaves no timer', async () => {
    const { bridge } = testBridge()
    const reader = bridge.reader('orders')
    const late = reader.ready({ timeout: 1_000 }).catch((error: unknown) => error)
    const controller = new AbortController()
    const aborted = reader
      .ready({ signal: controller.signal, timeout: 5_000 })
      .catch((error: unknown) => error)
    controller.abort()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(isAuthError(await late, 'ERR_READY_TIMEOUT')).toBe(true)
    expect(await aborted).toMatchObject({ name: 'AbortError' })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('takes a timeout that no timer could hold, and refuses one that is none', async () => {
    const { bridge } = testBridge()
    const reader = bridge.reader('orders')
    const settled = vi.fn()
    void reader.ready({ timeout: Number.POSITIVE_INFINITY }).then(settled, settled)
    await vi.advanceTimersByTimeAsync(60 * MINUTE)
    expect(settled).not.toHaveBeenCalled()
    await expect(reader.ready({ timeout: Number.NaN })).rejects.toThrow(TypeError)
  })

  // auth0-spa-js#343: an expired token is returned because the timer did not run in sleep.
  it('brings a fresh token after a sleep in which no timer ran', async () => {
    const { bridge, authority } = testBridge()
    bridge.start()
    await settle()
    vi.setSystemTime(Date.now() + 60 * MINUTE)
    const token = await bridge.reader('orders').ready()
    expect(token.generation).toBe(2)
    expect(authority.requests).toHaveLength(2)
  })
})

describe('revocation', () => {
  it('cuts off one remote and leaves the others alone', async () => {
    const { bridge, types } = testBridge()
    bridge.updateToken(payload('t'))
    const cut = bridge.reader('cut')
    const kept = bridge.reader('kept')
    const errors: unknown[] = []
    const seen: number[] = []
    const calls = vi.fn()
    cut.getToken().subscribe({
      next: ({ generation }) => seen.push(generation),
      error: (error) => errors.push(error),
    })
    cut.subscribe(calls)
    bridge.revoke('cut')
    bridge.updateToken(payload('u'))
    expect(seen).toEqual([1])
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_READER_REVOKED' })])
    expect(calls).toHaveBeenCalledTimes(1)
    expect(cut.current()).toBeNull()
    expect(cut.validateToken(payload('t'))).toBe(false)
    expect(cut.snapshot()).toMatchObject({
      status: 'error',
      expiresAt: null,
      error: { code: 'ERR_READER_REVOKED' },
    })
    await expect(cut.ready()).rejects.toMatchObject({ code: 'ERR_READER_REVOKED' })
    await expect(cut.fetch('https://api.test/orders')).rejects.toMatchObject({
      code: 'ERR_READER_REVOKED',
    })
    expect(kept.current()?.accessToken).toBe('u')
    expect(types()).toEqual(['token-rotated', 'reader-revoked', 'token-rotated'])
  })

  it('ends a request that waits or is under way, and hands its 401 on', async () => {
    const signals: (AbortSignal | null | undefined)[] = []
    const { bridge } = testBridge({
      fetch: (_input, init) => {
        signals.push(init?.signal)
        return new Promise((_resolve, reject) =>
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)),
        )
      },
    })
    const cut = bridge.reader('cut')
    const waiting = cut.fetch('https://api.test/orders').catch((error: unknown) => error)
    bridge.revoke('cut')
    expect(isAuthError(await waiting, 'ERR_READER_REVOKED')).toBe(true)
    bridge.updateToken(payload('t'))
    const again = bridge.reader('cut')
    const underWay = again.fetch('https://api.test/orders').catch((error: unknown) => error)
    bridge.revoke('cut')
    expect(isAuthError(await underWay, 'ERR_READER_REVOKED')).toBe(true)
    expect(signals).toHaveLength(1)
  })

  it('ends a wait that is under way', async () => {
    const { bridge } = testBridge()
    const ready = bridge
      .reader('cut')
      .ready()
      .catch((error: unknown) => error)
    bridge.revoke('cut')
    expect(isAuthError(await ready, 'ERR_READER_REVOKED')).toBe(true)
  })

  it('lets the host give the name to a new reader', () => {
    const { bridge } = testBridge()
    const first = bridge.reader('orders')
    bridge.revoke('orders')
    expect(bridge.reader('orders')).not.toBe(first)
    expect(first.snapshot().error?.code).toBe('ERR_READER_REVOKED')
  })
})

describe("access: 'fetch'", () => {
  it('signs requests for a remote that never sees the token', async () => {
    const sent: (string | null)[] = []
    const { bridge } = testBridge({
      fetch: async (_input, init) => {
        sent.push(new Headers(init?.headers).get('authorization'))
        return new Response('{}')
      },
    })
    bridge.updateToken(payload('hidden'))
    const reader = bridge.reader('orders', { access: 'fetch' })
    await reader.fetch('https://api.test/orders')
    expect(sent).toEqual(['Bearer hidden'])
    expect(reader.current()).toBeNull()
    await expect(reader.ready()).rejects.toMatchObject({ code: 'ERR_TOKEN_WITHHELD' })
    const seen: unknown[] = []
    reader
      .getToken()
      .subscribe({ next: (token) => seen.push(token), error: (error) => seen.push(error) })
    bridge.updateToken(payload('hidden-too'))
    expect(seen).toEqual([expect.objectContaining({ code: 'ERR_TOKEN_WITHHELD' })])
  })
})

describe('a reader that never sees the token', () => {
  it('may still ask for one to be there, and hears why there is none', async () => {
    const source = vi.fn(async () => payload('hidden'))
    const { bridge } = testBridge({ source })
    const reader = bridge.reader('orders', { access: 'fetch' })
    bridge.start()
    await expect(reader.ready()).rejects.toMatchObject({ code: 'ERR_TOKEN_WITHHELD' })
    expect(source).toHaveBeenCalledTimes(1)
    expect(reader.snapshot().status).toBe('ready')
    await bridge.reset('sign-out')
    await expect(reader.ready()).rejects.toMatchObject({ code: 'ERR_SIGNED_OUT' })
    bridge.stop()
  })
})

describe('fetch', () => {
  const api = (answers: (authorization: string | null) => number) => {
    const sent: (string | null)[] = []
    const fetch: typeof globalThis.fetch = async (_input, init) => {
      const authorization = new Headers(init?.headers).get('authorization')
      sent.push(authorization)
      return new Response(null, { status: answers(authorization) })
    }
    return { sent, fetch }
  }

  it('keeps to the listed origins when a remote has patched what lists are searched with', async () => {
    const { sent, fetch } = api(() => 200)
    const { bridge } = testBridge({ fetch })
    bridge.updateToken(payload('t'))
    const reader = bridge.reader('orders', { access: 'fetch' })
    vi.spyOn(Set.prototype, 'has').mockReturnValue(true)
    vi.spyOn(Array.prototype, 'includes').mockReturnValue(true)
    vi.spyOn(Array.prototype, 'some').mockReturnValue(true)
    const response = reader.fetch('https://evil.test/')
    vi.restoreAllMocks()
    await response
    expect(sent).toEqual([null])
  })

  it('waits for the first token, so that a remote cannot be too early', async () => {
    const { sent, fetch } = api(() => 200)
    const { bridge } = testBridge({ fetch })
    const response = bridge.reader('orders').fetch('https://api.test/orders')
    bridge.start()
    expect((await response).status).toBe(200)
    expect(sent).toEqual(['Bearer token-1'])
  })

  it('rotates once for a thousand requests on a revoked token, and fails none', async () => {
    const { sent, fetch } = api((authorization) => (authorization === 'Bearer token-1' ? 401 : 200))
    const { bridge, authority } = testBridge({ fetch })
    bridge.start()
    await settle()
    const reader = bridge.reader('orders')
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, () => reader.fetch('https://api.test/orders')),
    )
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect(authority.requests).toHaveLength(2)
    expect(sent).toHaveLength(2_000)
  })

  it('sends and hands out nothing when the token it waited for is wiped in the same turn', async () => {
    const { sent, fetch } = api(() => 200)
    const { bridge } = testBridge({ fetch })
    const reader = bridge.reader('orders')
    const response = reader.fetch('https://api.test/orders').catch((error: unknown) => error)
    const ready = reader.ready().catch((error: unknown) => error)
    bridge.updateToken(payload('wiped'))
    await bridge.reset('sign-out')
    expect(isAuthError(await response)).toBe(true)
    expect(isAuthError(await ready, 'ERR_SIGNED_OUT')).toBe(true)
    expect(sent).toEqual([])
  })

  it('asks for one rotation and no more when the API refuses every token', async () => {
    const { fetch } = api(() => 401)
    const { bridge, authority } = testBridge({ fetch })
    bridge.start()
    await settle()
    const reader = bridge.reader('orders')
    for (let request = 0; request < 50; request += 1) {
      expect((await reader.fetch('https://api.test/orders')).status).toBe(401)
    }
    expect(authority.requests).toHaveLength(2)
  })

  it('hands the 401 on, and sends nothing again, when no newer token is to be had', async () => {
    const { sent, fetch } = api(() => 401)
    const { bridge, authority } = testBridge({ fetch })
    bridge.start()
    await settle()
    authority.answerWith(async () => {
      throw new AuthError('ERR_SYNC_STATUS', 'down', { phase: 'sync', retryable: true })
    })
    const response = bridge.reader('orders').fetch('https://api.test/orders')
    await vi.advanceTimersByTimeAsync(10_000)
    expect((await response).status).toBe(401)
    expect(sent).toEqual(['Bearer token-1'])
  })

  it('lets a request that is on its way finish when the kill switch is thrown', async () => {
    let enabled = true
    const gate = deferred<Response>()
    const { bridge } = testBridge({
      enabled: () => enabled,
      fetch: (_input, init) => {
        init?.signal?.addEventListener('abort', () => gate.reject(init.signal?.reason))
        return gate.promise
      },
    })
    bridge.start()
    await settle()
    const response = bridge.reader('orders').fetch('https://api.test/orders')
    enabled = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(bridge.snapshot.mode).toBe('cookie-only')
    gate.resolve(new Response(null, { status: 204 }))
    expect((await response).status).toBe(204)
    bridge.stop()
  })

  it('sends nothing after the session has ended, and ends what is under way', async () => {
    const signals: (AbortSignal | null | undefined)[] = []
    const { bridge } = testBridge({
      fetch: (_input, init) => {
        signals.push(init?.signal)
        return new Promise((_resolve, reject) =>
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)),
        )
      },
    })
    bridge.updateToken(payload('t'))
    const reader = bridge.reader('orders')
    const pending = reader.fetch('https://api.test/orders').catch((error: unknown) => error)
    await bridge.reset('sign-out')
    expect(isAuthError(await pending, 'ERR_ABORTED')).toBe(true)
    await expect(reader.fetch('https://api.test/orders')).rejects.toMatchObject({
      code: 'ERR_SIGNED_OUT',
    })
    expect(signals).toHaveLength(1)
  })

  it('goes with the cookie when the kill switch is thrown while it waits', async () => {
    let enabled = true
    const sent: RequestInit[] = []
    const { bridge, authority } = testBridge({
      enabled: () => enabled,
      fetch: async (_input, init) => {
        sent.push(init ?? {})
        return new Response('{}')
      },
    })
    authority.answerWith(() => new Promise(() => {}))
    bridge.start()
    const response = bridge.reader('orders').fetch('https://api.test/orders')
    enabled = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect((await response).ok).toBe(true)
    expect(sent).toEqual([expect.objectContaining({ credentials: 'include' })])
    bridge.stop()
  })

  it('goes with the cookie and without a token in cookie-only mode', async () => {
    const sent: RequestInit[] = []
    const { bridge } = testBridge({
      enabled: false,
      fetch: async (_input, init) => {
        sent.push(init ?? {})
        return new Response('{}')
      },
    })
    bridge.start()
    await bridge.reader('orders').fetch('https://api.test/orders')
    expect(sent).toEqual([expect.objectContaining({ credentials: 'include' })])
    expect(new Headers(sent[0]?.headers).has('authorization')).toBe(false)
  })
})

describe('report', () => {
  it('counts a request without a status, and a 401 as one, and nothing else', async () => {
    const { bridge, authority, types } = testBridge()
    bridge.updateToken(payload('t'))
    const reader = bridge.reader('orders')
    for (const status of [200, 204, 400, 403, 404, 429, 500, 503])
      reader.report({ generation: 1, status })
    expect([bridge.metrics.requests, types(), authority.requests.length]).toEqual([
      0,
      ['token-rotated'],
      0,
    ])
    reader.report({ generation: 1 })
    expect(bridge.metrics).toMatchObject({ requests: 1, desyncs: 0, unauthorized: 0 })
    reader.report({ generation: 1, status: 401 })
    await settle()
    expect(bridge.metrics).toMatchObject({ requests: 1, desyncs: 0, unauthorized: 1 })
    expect(authority.requests.map(({ reason }) => reason)).toEqual(['unauthorized'])
  })

  it.each([undefined, '1', 1.5, Number.NaN, null])('refuses %s for a generation', (generation) => {
    const reader = testBridge().bridge.reader('orders')
    expect(() => reader.report({ generation: generation as number })).toThrow(TypeError)
  })

  it('is no way to read or to rotate for a reader that was revoked', () => {
    const { bridge, authority } = testBridge()
    bridge.updateToken(payload('t'))
    const reader = bridge.reader('orders')
    bridge.revoke('orders')
    expect(() => reader.report({ generation: 1, status: 401 })).toThrow(
      expect.objectContaining({ code: 'ERR_READER_REVOKED' }),
    )
    expect(authority.requests).toHaveLength(0)
  })

  it('works for a reader that never sees the token', async () => {
    const { bridge, authority } = testBridge()
    bridge.updateToken(payload('t'))
    bridge.reader('orders', { access: 'fetch' }).report({ generation: 1, status: 401 })
    await settle()
    expect(authority.requests).toHaveLength(1)
  })
})
