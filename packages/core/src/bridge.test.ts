import {
  AuthError,
  createTokenBridge,
  isAuthError,
  SecureTokenBridge,
  type TokenPayload,
} from '@token-bridge/core'
import { from } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  countingSource,
  deferred,
  MINUTE,
  payload,
  settle,
  testBridge,
} from './bridge.test.support.ts'

const failing = () => {
  throw new AuthError('ERR_SYNC_STATUS', 'POST /sync answered 503.', {
    phase: 'sync',
    retryable: true,
    status: 503,
  })
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_760_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('hydration', () => {
  it('loads the token from the source when it starts', async () => {
    const { bridge, authority } = testBridge()
    expect(bridge.snapshot).toMatchObject({ status: 'loading', generation: 0, expiresAt: null })
    bridge.start()
    await settle()
    expect(bridge.snapshot).toMatchObject({ status: 'ready', mode: 'bridge', generation: 1 })
    expect(bridge.reader('orders').current()?.accessToken).toBe('token-1')
    expect(authority.requests.map(({ reason }) => reason)).toEqual(['hydrate'])
  })

  it('asks once when it is started twice', async () => {
    const { bridge, authority } = testBridge()
    bridge.start().start()
    await settle()
    expect(authority.requests).toHaveLength(1)
  })

  it('asks nothing before it is started', async () => {
    const { authority } = testBridge()
    await vi.advanceTimersByTimeAsync(10 * MINUTE)
    expect(authority.requests).toHaveLength(0)
  })

  it('is not started by createTokenBridge outside a browser', async () => {
    const authority = countingSource()
    createTokenBridge({ source: authority.source })
    await settle()
    expect(authority.requests).toHaveLength(0)
  })

  it('is signed out when the source says that nobody is signed in', async () => {
    const reasons: string[] = []
    const { bridge, authority, types } = testBridge({
      reauthenticate: (reason) => reasons.push(reason),
    })
    authority.answerWith(async () => null)
    bridge.start()
    await settle()
    expect(bridge.snapshot.status).toBe('signed-out')
    expect(types()).toEqual(['auth-reset'])
    expect(reasons).toEqual(['session-ended'])
    await vi.advanceTimersByTimeAsync(60 * MINUTE)
    expect(authority.requests).toHaveLength(1)
  })

  it('says error while it retries, maintenance after three failures, and comes back by itself', async () => {
    const { bridge, authority, types } = testBridge()
    authority.answerWith(async () => failing())
    bridge.start()
    await settle()
    expect(bridge.snapshot).toMatchObject({ status: 'error', error: { code: 'ERR_SYNC_STATUS' } })
    await vi.advanceTimersByTimeAsync(5_000)
    expect(bridge.snapshot).toMatchObject({
      status: 'maintenance',
      error: { code: 'ERR_SYNC_STATUS' },
    })
    expect(authority.requests).toHaveLength(3)
    authority.issueAgain()
    await vi.advanceTimersByTimeAsync(31_000)
    expect(bridge.snapshot).toMatchObject({ status: 'ready', generation: 1, error: null })
    expect(authority.requests).toHaveLength(4)
    expect(types()).toEqual([
      'rotation-failed',
      'rotation-failed',
      'maintenance-entered',
      'maintenance-left',
      'token-rotated',
    ])
  })

  it.each([
    ['an expired token', () => payload('t', -1), 'ERR_TOKEN_EXPIRED'],
    ['a token that ends inside the skew buffer', () => payload('t', 30_000), 'ERR_TOKEN_LIFETIME'],
    ['an empty token', () => payload(''), 'ERR_TOKEN_MALFORMED'],
    ['no object', () => 'token' as unknown as TokenPayload, 'ERR_TOKEN_MALFORMED'],
    ['undefined', () => undefined as unknown as TokenPayload, 'ERR_TOKEN_MALFORMED'],
  ])('refuses %s with a typed error and stays up', async (_name, answer, code) => {
    const { bridge, authority } = testBridge()
    authority.answerWith(async () => answer())
    bridge.start()
    await settle()
    expect(bridge.snapshot).toMatchObject({ status: 'error', error: { code } })
    expect(bridge.reader('orders').current()).toBeNull()
  })
})

describe('rotation', () => {
  it('rotates ahead of expiry, so that the token never runs out', async () => {
    const { bridge, authority } = testBridge()
    bridge.start()
    const reader = bridge.reader('orders')
    await settle()
    for (let second = 0; second < 30 * 60; second += 1) {
      await vi.advanceTimersByTimeAsync(1_000)
      expect(reader.current()).not.toBeNull()
    }
    // 5 min tokens, 60 s skew buffer, 30 to 36 s of lead: a rotation every 204 to 210 s.
    expect(authority.requests.length).toBeGreaterThanOrEqual(9)
    expect(authority.requests.length).toBeLessThanOrEqual(10)
    expect(authority.requests[1]).toMatchObject({ reason: 'schedule' })
  })

  it('tells the source which expiry the answer has to beat', async () => {
    const { bridge, authority } = testBridge()
    bridge.start()
    await settle()
    const { expiresAt } = bridge.snapshot
    await bridge.rotate()
    expect(authority.requests[0]).not.toHaveProperty('newerThan')
    expect(authority.requests[1]?.newerThan).toBe(expiresAt)
  })

  it('answers a thousand concurrent callers with one call', async () => {
    const { bridge, authority } = testBridge()
    const tokens = await Promise.all(Array.from({ length: 1_000 }, () => bridge.rotate()))
    expect(authority.requests).toHaveLength(1)
    expect(new Set(tokens).size).toBe(1)
    expect(bridge.metrics).toMatchObject({ rotations: 1, joinedCalls: 999, duplicateCalls: 0 })
  })

  it('gives every subscriber each generation once and in order', async () => {
    const { bridge } = testBridge()
    bridge.start()
    await settle()
    const seen: number[][] = [[], [], []]
    for (const list of seen) {
      bridge
        .reader(`remote-${seen.indexOf(list)}`)
        .getToken()
        .subscribe((token) => list.push(token.generation))
    }
    await bridge.rotate()
    await bridge.rotate()
    expect(seen).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  it('tells stores before remotes, and remotes before everybody else', () => {
    const { bridge } = testBridge()
    const told: string[] = []
    bridge.events$.subscribe(() => told.push('events'))
    bridge
      .reader('orders')
      .getToken()
      .subscribe(() => told.push('remote'))
    bridge.attach({ name: 'store', apply: () => told.push('store') })
    bridge.updateToken(payload('t'))
    expect(told).toEqual(['store', 'remote', 'events'])
  })

  it('delivers a generation once to who subscribes while stores are being told of it', () => {
    const { bridge } = testBridge()
    const seen: number[] = []
    bridge.attach({
      name: 'store',
      apply: () =>
        bridge
          .reader('orders')
          .getToken()
          .subscribe(({ generation }) => seen.push(generation)),
    })
    bridge.updateToken(payload('t'))
    expect(seen).toEqual([1])
  })

  it('refuses what the verifier refuses, and keeps what is valid', async () => {
    let forged = false
    const { bridge } = testBridge({
      verify: () => {
        if (forged) throw new AuthError('ERR_TOKEN_SIGNATURE', 'no', { phase: 'validate' })
      },
    })
    await bridge.rotate()
    forged = true
    const rotation = bridge.rotate().catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(isAuthError(await rotation, 'ERR_TOKEN_SIGNATURE')).toBe(true)
    expect(bridge.reader('orders').current()?.generation).toBe(1)
  })

  it('keeps the order for a subscriber that rotates while it is being told', async () => {
    const { bridge } = testBridge()
    const early: number[] = []
    const late: number[] = []
    bridge.getToken().subscribe(({ generation }) => {
      early.push(generation)
      if (generation === 1) bridge.updateToken(payload('second'))
    })
    bridge
      .reader('late')
      .getToken()
      .subscribe(({ generation }) => late.push(generation))
    bridge.updateToken(payload('first'))
    expect(early).toEqual([1, 2])
    expect(late).toEqual([1, 2])
  })

  it('keeps a valid token when an early rotation fails', async () => {
    const { bridge, authority } = testBridge()
    bridge.start()
    await settle()
    authority.answerWith(async () => failing())
    const rotation = bridge.rotate().catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(isAuthError(await rotation, 'ERR_SYNC_STATUS')).toBe(true)
    expect(bridge.reader('orders').current()?.generation).toBe(1)
    expect(bridge.snapshot).toMatchObject({ status: 'maintenance', generation: 1 })
    expect(bridge.snapshot.expiresAt).not.toBeNull()
  })

  it('probes an open circuit when its time is over, also while the token is good for longer', async () => {
    const { bridge, authority } = testBridge({ rotation: { breaker: { cooldown: 10_000 } } })
    bridge.start()
    await settle()
    authority.answerWith(async () => failing())
    void bridge.rotate().catch(() => {})
    await vi.advanceTimersByTimeAsync(5_000)
    expect(bridge.snapshot.status).toBe('maintenance')
    authority.issueAgain()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(bridge.snapshot).toMatchObject({ status: 'ready', generation: 2 })
    expect(authority.requests.map(({ reason }) => reason)).toEqual([
      'hydrate',
      'host',
      'host',
      'host',
      'probe',
    ])
  })

  it('is no rotation when the endpoint answers with the token that is held', async () => {
    const { bridge, authority, types } = testBridge()
    const same = payload('same')
    authority.answerWith(async () => same)
    await bridge.rotate()
    await bridge.rotate()
    expect(types()).toEqual(['token-rotated'])
    expect(bridge.snapshot.generation).toBe(1)
  })

  it('writes the line that the guide looks for', async () => {
    vi.setSystemTime(1_718_900_000_000 - 5 * MINUTE)
    const lines: string[] = []
    const line = (text: string) => lines.push(text)
    const { bridge } = testBridge({
      telemetry: { logger: { info: line, warn: line, error: line } },
    })
    for (const remote of ['dashboard', 'orders', 'reports'])
      bridge
        .reader(remote)
        .getToken()
        .subscribe(() => {})
    await bridge.rotate()
    expect(lines).toEqual(['[bridge] token rotated exp=1718900000 subscribers=3 duplicate_calls=0'])
  })

  it('counts a source call that overlaps another one as a duplicate', async () => {
    const lines: string[] = []
    const line = (text: string) => lines.push(text)
    const { bridge, authority } = testBridge({
      telemetry: { logger: { info: line, warn: line, error: line } },
      rotation: { timeout: 1_000, backoff: { initialDelay: 1, maxDelay: 1 } },
    })
    // Ignores its signal, so the attempt that timed out is still running when the next begins.
    authority.answerWith(() => new Promise(() => {}))
    const rotation = bridge.rotate()
    await vi.advanceTimersByTimeAsync(500)
    authority.issueAgain()
    await vi.advanceTimersByTimeAsync(1_000)
    await rotation
    expect(bridge.metrics.duplicateCalls).toBe(1)
    expect(lines.at(-1)).toMatch(/duplicate_calls=1$/)
  })

  it('announces an expiry that no rotation prevented', async () => {
    const { bridge, authority, types } = testBridge()
    bridge.start()
    await settle()
    authority.answerWith(async () => failing())
    await vi.advanceTimersByTimeAsync(4 * MINUTE + 1_000)
    expect(types()).toContain('token-expired')
    expect(bridge.snapshot).toMatchObject({ status: 'maintenance', expiresAt: null })
    expect(bridge.reader('orders').current()).toBeNull()
  })

  it('ends one caller by its signal and keeps the rotation for the others', async () => {
    const { bridge, authority } = testBridge()
    const gate = deferred<TokenPayload>()
    authority.answerWith(() => gate.promise)
    const controller = new AbortController()
    const impatient = bridge.rotate({ signal: controller.signal })
    const patient = bridge.rotate()
    controller.abort()
    await expect(impatient).rejects.toMatchObject({ name: 'AbortError' })
    gate.resolve(payload('t'))
    await expect(patient).resolves.toMatchObject({ generation: 1 })
  })
})

describe('clocks', () => {
  it('goes by the server time when the machine is two hours ahead', async () => {
    const { bridge, authority } = testBridge()
    const serverTime = Date.now() - 120 * MINUTE
    authority.answerWith(async () => ({
      accessToken: 't',
      expiresAt: serverTime + 5 * MINUTE,
      serverTime,
    }))
    bridge.start()
    await settle()
    expect(bridge.snapshot.status).toBe('ready')
    await vi.advanceTimersByTimeAsync(3 * MINUTE)
    expect(bridge.reader('orders').current()).not.toBeNull()
  })

  it('leaves the clock, and the token that is held, alone when it refuses a payload', async () => {
    const { bridge, authority } = testBridge()
    bridge.updateToken(payload('held', 60 * MINUTE))
    const wrong = Date.now() + 120 * MINUTE
    authority.answerWith(async () => ({ ...payload('t'), serverTime: wrong }))
    void bridge.rotate().catch(() => {})
    await vi.advanceTimersByTimeAsync(10_000)
    expect(bridge.reader('orders').current()?.accessToken).toBe('held')
  })

  it('does not bring an expired token back by an old server time', async () => {
    const { bridge, authority } = testBridge({
      verify: ({ accessToken }) => {
        if (accessToken === 'forged') throw new Error('no')
      },
    })
    await bridge.rotate()
    await vi.advanceTimersByTimeAsync(5 * MINUTE)
    authority.answerWith(async () => ({
      ...payload('forged', 5 * MINUTE),
      serverTime: Date.now() - 60 * MINUTE,
    }))
    void bridge.rotate().catch(() => {})
    await vi.advanceTimersByTimeAsync(10_000)
    expect(bridge.reader('orders').current()).toBeNull()
    const cached = {
      accessToken: 'cached',
      expiresAt: Date.now() - MINUTE,
      serverTime: Date.now() - 20 * MINUTE,
    }
    expect(() => bridge.updateToken(cached)).toThrow(
      expect.objectContaining({ code: 'ERR_TOKEN_EXPIRED' }),
    )
  })

  it('hands out no stale token after a sleep in which no timer ran', async () => {
    const { bridge } = testBridge()
    bridge.start()
    await settle()
    vi.setSystemTime(Date.now() + 8 * 60 * MINUTE)
    expect(bridge.reader('orders').current()).toBeNull()
  })
})

describe('updateToken', () => {
  it('lets a valid payload in', () => {
    const { bridge } = testBridge()
    bridge.updateToken(payload('by-hand'))
    expect(bridge.reader('orders').current()?.accessToken).toBe('by-hand')
  })

  it('throws a typed error for a bad payload and keeps what is valid', () => {
    const { bridge } = testBridge()
    bridge.updateToken(payload('good'))
    expect(() => bridge.updateToken(payload('late', -1))).toThrow(
      expect.objectContaining({ name: 'TokenRejectedError', code: 'ERR_TOKEN_EXPIRED' }),
    )
    expect(() => bridge.updateToken(undefined as unknown as null)).toThrow(
      expect.objectContaining({ code: 'ERR_TOKEN_MALFORMED' }),
    )
    expect(bridge.reader('orders').current()?.accessToken).toBe('good')
  })

  it('signs out on null, at once', () => {
    const { bridge } = testBridge()
    bridge.updateToken(payload('good'))
    bridge.updateToken(null)
    expect(bridge.reader('orders').current()).toBeNull()
    expect(bridge.snapshot.status).toBe('signed-out')
  })

  it.each([
    ['a token', { accessToken: 'late-answer', expiresAt: 1_760_000_000_000 + 5 * MINUTE }],
    ['signed out', null],
  ])('outlasts the late answer of a rotation that was under way: %s', async (_name, answer) => {
    const { bridge, authority, types } = testBridge()
    const gate = deferred<TokenPayload | null>()
    authority.answerWith(() => gate.promise)
    const rotation = bridge.rotate()
    bridge.updateToken(payload('by-hand'))
    gate.resolve(answer)
    await expect(rotation).resolves.toMatchObject({ generation: 1 })
    expect(bridge.reader('orders').current()?.accessToken).toBe('by-hand')
    expect(types()).toEqual(['token-rotated'])
  })

  it('waits for the verifier and drops what it refuses', async () => {
    const { bridge, types } = testBridge({
      verify: async ({ accessToken }) => {
        if (accessToken === 'forged')
          throw new AuthError('ERR_TOKEN_SIGNATURE', 'no', { phase: 'validate' })
      },
    })
    bridge.updateToken(payload('forged'))
    await settle()
    expect(bridge.snapshot).toMatchObject({
      status: 'error',
      error: { code: 'ERR_TOKEN_SIGNATURE' },
    })
    bridge.updateToken(payload('genuine'))
    await settle()
    expect(types()).toEqual(['rotation-failed', 'token-rotated'])
  })

  it('takes the latest of two that are being verified', async () => {
    const { bridge, types } = testBridge({ verify: async () => {} })
    bridge.updateToken(payload('first'))
    bridge.updateToken(payload('second'))
    await settle()
    expect(bridge.reader('orders').current()?.accessToken).toBe('second')
    expect(types()).toEqual(['token-rotated'])
  })

  it('forgets the refresh token that a payload may carry', () => {
    const { bridge } = testBridge()
    bridge.updateToken({ ...payload('t'), refreshToken: 'refresh-secret' })
    const token = bridge.reader('orders').current()
    expect(Reflect.ownKeys(token ?? {})).not.toContain('refreshToken')
  })
})

describe('reset', () => {
  it('wipes, tells, cleans up and asks for a new sign-in, in that order', async () => {
    const steps: string[] = []
    const { bridge } = testBridge({
      reauthenticate: (reason) => steps.push(`reauthenticate ${reason}`),
    })
    bridge.attach({ name: 'store', apply: (event) => steps.push(event.type) })
    bridge.onCleanup('cache', () => void steps.push('cache'))
    bridge.updateToken(payload('t'))
    const reader = bridge.reader('orders')
    const report = await bridge.reset('sign-out')
    expect(reader.current()).toBeNull()
    expect(steps).toEqual(['token-rotated', 'auth-reset', 'cache', 'reauthenticate sign-out'])
    expect(report.steps.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['abort', 'done'],
      ['wipe', 'done'],
      ['tell', 'done'],
      ['cache', 'done'],
      ['tabs', 'done'],
      ['telemetry', 'done'],
      ['reauthenticate', 'done'],
    ])
  })

  it('does its work once, however often it is called', async () => {
    const { bridge } = testBridge()
    const cleanup = vi.fn()
    bridge.onCleanup('cache', cleanup)
    bridge.updateToken(payload('t'))
    const [first, second] = await Promise.all([bridge.reset('sign-out'), bridge.reset('rollback')])
    await bridge.reset('sign-out')
    expect(second).toBe(first)
    expect(cleanup).toHaveBeenCalledTimes(1)
  })

  it('leaves a page signed out whose endpoint goes down afterwards', async () => {
    const { bridge, authority } = testBridge()
    bridge.updateToken(payload('t'))
    await bridge.reset('sign-out')
    authority.answerWith(async () => failing())
    void bridge.rotate().catch(() => {})
    await vi.advanceTimersByTimeAsync(10_000)
    expect(bridge.snapshot.status).toBe('signed-out')
    await expect(bridge.reader('orders').ready()).rejects.toMatchObject({ code: 'ERR_SIGNED_OUT' })
  })

  it('closes the circuit: the breaker guards rotation, not the next sign-in', async () => {
    const { bridge, authority } = testBridge()
    authority.answerWith(async () => failing())
    void bridge.rotate().catch(() => {})
    await vi.advanceTimersByTimeAsync(10_000)
    expect(bridge.snapshot.status).toBe('maintenance')
    await bridge.reset('sign-out')
    authority.issueAgain()
    await expect(bridge.rotate()).resolves.toMatchObject({ generation: 1 })
  })

  it('works again after a new sign-in', async () => {
    const { bridge } = testBridge()
    const cleanup = vi.fn()
    bridge.onCleanup('cache', cleanup)
    bridge.updateToken(payload('a'))
    await bridge.reset('sign-out')
    bridge.updateToken(payload('b'))
    expect(bridge.snapshot).toMatchObject({ status: 'ready', generation: 2 })
    await bridge.reset('sign-out')
    expect(cleanup).toHaveBeenCalledTimes(2)
  })

  // logto-io/kotlin#253: an in-flight refresh resurrects the credentials after signing out.
  it('drops an answer that arrives after it', async () => {
    const { bridge, authority, types } = testBridge()
    const gate = deferred<TokenPayload>()
    authority.answerWith(() => gate.promise)
    const rotation = bridge.rotate().catch((error: unknown) => error)
    await bridge.reset('sign-out')
    gate.resolve(payload('late'))
    await settle()
    expect(isAuthError(await rotation, 'ERR_ABORTED')).toBe(true)
    expect(authority.requests[0]?.signal.aborted).toBe(true)
    expect(bridge.reader('orders').current()).toBeNull()
    expect(types()).toEqual(['auth-reset'])
  })

  it('drops a token that somebody who is being told of a rotation tries to put in after resetting', () => {
    const { bridge } = testBridge()
    bridge.attach({
      name: 'store',
      apply(event) {
        if (event.type !== 'token-rotated' || event.generation !== 1) return
        bridge.updateToken(payload('too-late'))
        void bridge.reset('sign-out')
      },
    })
    bridge.updateToken(payload('t'))
    expect(bridge.reader('orders').current()).toBeNull()
    expect(bridge.snapshot.status).toBe('signed-out')
  })

  it('goes on when a cleanup throws', async () => {
    const faults: unknown[] = []
    const { bridge } = testBridge({ environment: { reportFault: (fault) => faults.push(fault) } })
    bridge.onCleanup('broken', () => {
      throw new Error('boom')
    })
    const report = await bridge.reset('rollback')
    expect(report.steps).toContainEqual(
      expect.objectContaining({ name: 'broken', outcome: 'failed' }),
    )
    expect(report.steps.at(-1)).toMatchObject({ name: 'reauthenticate', outcome: 'done' })
    expect(faults).toHaveLength(1)
  })
})

describe('kill switch', () => {
  it('asks the sync endpoint nothing when it is off from the start', async () => {
    const { bridge, authority } = testBridge({ enabled: false })
    bridge.start()
    await vi.advanceTimersByTimeAsync(60 * MINUTE)
    expect(authority.requests).toHaveLength(0)
    expect(bridge.snapshot).toMatchObject({ mode: 'cookie-only', status: 'ready', expiresAt: null })
  })

  it('turns to the legacy source and back at run time, without a reload', async () => {
    let enabled = true
    const { bridge, authority, types } = testBridge({
      enabled: () => enabled,
      legacy: async () => payload('legacy-token'),
    })
    const seen: string[] = []
    const reader = bridge.reader('orders')
    reader.getToken().subscribe(({ accessToken }) => seen.push(accessToken))
    bridge.start()
    await settle()
    enabled = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(bridge.snapshot).toMatchObject({ mode: 'legacy', status: 'ready' })
    expect(reader.current()?.accessToken).toBe('legacy-token')
    enabled = true
    await vi.advanceTimersByTimeAsync(1_000)
    expect(bridge.snapshot).toMatchObject({ mode: 'bridge', status: 'ready' })
    expect(seen).toEqual(['token-1', 'legacy-token', 'token-2'])
    expect(authority.requests).toHaveLength(2)
    expect(types()).toEqual([
      'token-rotated',
      'auth-reset',
      'mode-changed',
      'token-rotated',
      'auth-reset',
      'mode-changed',
      'token-rotated',
    ])
  })

  it('does not let the 401 of a request from before bring the bridge back', async () => {
    let enabled = true
    const gate = deferred<Response>()
    const { bridge, authority } = testBridge({ enabled: () => enabled, fetch: () => gate.promise })
    bridge.start()
    await settle()
    const response = bridge.reader('orders').fetch('https://api.test/orders')
    enabled = false
    await vi.advanceTimersByTimeAsync(1_000)
    gate.resolve(new Response(null, { status: 401 }))
    expect((await response).status).toBe(401)
    expect(authority.requests).toHaveLength(1)
    expect(bridge.snapshot).toMatchObject({ mode: 'cookie-only', generation: 1, expiresAt: null })
  })

  it('leaves signed out who signed out by hand, there and back', async () => {
    let enabled = true
    const { bridge, authority } = testBridge({ enabled: () => enabled })
    bridge.start()
    await settle()
    await bridge.reset('sign-out')
    enabled = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(bridge.snapshot).toMatchObject({ mode: 'cookie-only', status: 'signed-out' })
    enabled = true
    await vi.advanceTimersByTimeAsync(1_000)
    expect(bridge.snapshot).toMatchObject({ mode: 'bridge', status: 'signed-out' })
    expect(authority.requests).toHaveLength(1)
  })

  it('asks the next source when it was the other one that knew no session', async () => {
    let enabled = true
    const { bridge, authority } = testBridge({
      enabled: () => enabled,
      legacy: async () => payload('legacy-token'),
    })
    authority.answerWith(async () => null)
    bridge.start()
    await settle()
    expect(bridge.snapshot.status).toBe('signed-out')
    enabled = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(bridge.snapshot).toMatchObject({ mode: 'legacy', status: 'ready' })
  })

  it('drops a token that was still being verified, and takes none by hand, in cookie-only mode', async () => {
    let enabled = true
    const gate = deferred<void>()
    const { bridge } = testBridge({ enabled: () => enabled, verify: () => gate.promise })
    bridge.start()
    await bridge.reset('sign-out')
    bridge.updateToken(payload('late'))
    enabled = false
    await vi.advanceTimersByTimeAsync(1_000)
    gate.resolve()
    await settle()
    expect(bridge.snapshot.mode).toBe('cookie-only')
    expect(bridge.reader('orders').current()).toBeNull()
    expect(() => bridge.updateToken(payload('t'))).toThrow(
      expect.objectContaining({ code: 'ERR_COOKIE_ONLY' }),
    )
  })

  it('asks the legacy source at once, also when the circuit of the other source is open', async () => {
    let enabled = true
    const { bridge, authority } = testBridge({
      enabled: () => enabled,
      legacy: async () => payload('legacy-token'),
      rotation: { breaker: { cooldown: 3_600_000 } },
    })
    authority.answerWith(async () => failing())
    bridge.start()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(bridge.snapshot.status).toBe('maintenance')
    enabled = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(bridge.snapshot).toMatchObject({ mode: 'legacy', status: 'ready' })
  })

  it('gives the legacy source its own three failures', async () => {
    let enabled = true
    const { bridge, authority } = testBridge({
      enabled: () => enabled,
      legacy: async () => failing(),
      rotation: { backoff: { initialDelay: 60_000, maxDelay: 60_000 } },
      environment: { random: () => 0.5 },
    })
    authority.answerWith(async () => failing())
    bridge.start()
    await vi.advanceTimersByTimeAsync(3 * 60_000)
    expect(bridge.snapshot.status).toBe('maintenance')
    enabled = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(bridge.snapshot).toMatchObject({ mode: 'legacy', status: 'error' })
  })

  it('runs the cleanups when it is thrown', async () => {
    let enabled = true
    const { bridge } = testBridge({ enabled: () => enabled })
    const cleanup = vi.fn()
    bridge.onCleanup('cache', cleanup)
    bridge.start()
    await settle()
    enabled = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(cleanup).toHaveBeenCalledExactlyOnceWith('mode-change')
    expect(bridge.reader('orders').current()).toBeNull()
  })

  it('keeps the last known value when the flag cannot be read', async () => {
    let broken = false
    const { bridge, types } = testBridge({
      enabled: () => {
        if (broken) throw new Error('flag service down')
        return true
      },
    })
    bridge.start()
    await settle()
    broken = true
    await vi.advanceTimersByTimeAsync(1_000)
    expect(bridge.snapshot.mode).toBe('bridge')
    expect(types()).toContain('flag-failed')
  })
})

describe('stop', () => {
  it('holds when it is called by somebody who is told of the start', () => {
    const { bridge } = testBridge({ enabled: () => false })
    bridge.attach({ name: 'stopper', apply: () => bridge.stop() })
    bridge.start()
    expect(bridge.snapshot.mode).toBe('cookie-only')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('leaves no timer behind', async () => {
    const { bridge, authority } = testBridge({ enabled: () => true })
    bridge.start()
    await settle()
    bridge.stop()
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(60 * MINUTE)
    expect(authority.requests).toHaveLength(1)
  })

  it('leaves no timer behind in the middle of a failing rotation', async () => {
    const { bridge, authority } = testBridge()
    authority.answerWith(async () => failing())
    bridge.start()
    await settle()
    bridge.stop()
    await settle()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('happens by itself at the end of a using block', async () => {
    {
      using bridge = testBridge().bridge.start()
      expect(bridge.snapshot.status).toBe('loading')
    }
    await settle()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('faults of others', () => {
  it('tells the rest when a store or a subscriber throws', async () => {
    const faults: unknown[] = []
    const { bridge, types } = testBridge({
      environment: { reportFault: (fault) => faults.push(fault) },
    })
    bridge.attach({
      name: 'broken',
      apply() {
        throw new Error('store')
      },
    })
    bridge
      .reader('broken')
      .getToken()
      .subscribe(() => {
        throw new Error('subscriber')
      })
    const seen: number[] = []
    bridge
      .reader('fine')
      .getToken()
      .subscribe(({ generation }) => seen.push(generation))
    bridge.updateToken(payload('t'))
    expect(seen).toEqual([1])
    expect(types()).toEqual(['token-rotated'])
    expect(faults).toHaveLength(2)
  })
})

describe('what is public', () => {
  it('shows no token in the snapshot, the events, the metrics or an error', async () => {
    const secret = 'canary-4f2a'
    const seen: unknown[] = []
    const { bridge, authority, events } = testBridge()
    bridge.snapshot$.subscribe((snapshot) => seen.push(snapshot))
    authority.answerWith(async () => payload(secret))
    await bridge.rotate()
    authority.answerWith(async () => payload(secret, 1))
    const error = bridge.rotate().catch((reason: unknown) => reason)
    await vi.advanceTimersByTimeAsync(60_000)
    seen.push(events, bridge.metrics, bridge.snapshot, String(await error), {
      ...((await error) as object),
    })
    expect(JSON.stringify(seen)).not.toContain(secret)
    expect(JSON.stringify(bridge)).not.toContain(secret)
    expect(JSON.stringify(bridge.reader('orders').current())).not.toContain(secret)
  })

  it('streams to RxJS', async () => {
    const { bridge } = testBridge()
    const seen: string[] = []
    from(bridge.reader('orders').getToken()).subscribe(({ accessToken }) => seen.push(accessToken))
    bridge.updateToken(payload('a'))
    expect(seen).toEqual(['a'])
  })

  it('refuses `tabs` that is no choice', () => {
    expect(() => new SecureTokenBridge({ tabs: 'nonsense' as unknown as false })).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', message: expect.stringContaining('`tabs`') }),
    )
    expect(() => new SecureTokenBridge({ tabs: false })).not.toThrow()
  })

  it('is constructed with a config that is checked', () => {
    expect(() => new SecureTokenBridge({ skewBuffer: '60' as unknown as number })).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG',
        message: expect.stringContaining(
          '`skewBuffer` must be a number of milliseconds, got a string',
        ),
      }),
    )
  })
})
