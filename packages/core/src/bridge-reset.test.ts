import {
  AuthError,
  isAuthError,
  type BridgeConfig,
  type BridgeEvent,
  type SecureTokenBridge,
  type TokenPayload,
} from '@token-bridge/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deferred, MINUTE, payload, settle, testBridge } from './bridge.test.support.ts'
import { countingTarget, HOUR, NOW, SECOND } from './fixtures.test.support.ts'

const URL_ = 'https://api.test/orders'

const started: SecureTokenBridge[] = []
beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  for (const bridge of started.splice(0)) bridge.stop()
  vi.useRealTimers()
})

/** A bridge whose every effect is written down, in order. */
function writtenDown(config: BridgeConfig = {}) {
  const log: string[] = []
  const line = (text: string): void => void log.push(`logger ${text}`)
  const channel = { ...countingTarget(), close() {} }
  const parts = testBridge({
    ...config,
    telemetry: { logger: { info: line, warn: line, error: line } },
    reauthenticate: (reason) => {
      log.push(`reauthenticate ${reason}`)
      config.reauthenticate?.(reason)
    },
    environment: {
      random: () => 0.5,
      openChannel: () => ({
        ...channel,
        postMessage: (message: { type: string }) => void log.push(`tabs ${message.type}`),
      }),
      reportFault: () => {},
      ...config.environment,
    },
  })
  const { bridge } = parts
  started.push(bridge)
  const note = (who: string) => (event: BridgeEvent) => void log.push(`${who} ${event.type}`)
  bridge.attach({ name: 'store', apply: note('adapter') })
  const reader = bridge.reader('orders')
  let before = reader.snapshot()
  reader.subscribe(() => {
    if (reader.snapshot() === before) return
    before = reader.snapshot()
    log.push(`reader ${before.status}`)
  })
  bridge.events$.subscribe(note('events'))
  return { ...parts, log, reader }
}

async function ready(config: BridgeConfig = {}) {
  const parts = writtenDown(config)
  parts.bridge.start()
  await settle()
  parts.log.length = 0
  parts.events.length = 0
  return parts
}

const names = (report: { steps: readonly { name: string; outcome: string }[] }) =>
  report.steps.map(({ name, outcome }) => `${name} ${outcome}`)
const ALL_DONE = [
  'abort done',
  'wipe done',
  'tell done',
  'tabs done',
  'telemetry done',
  'reauthenticate done',
]

describe('the order of a reset', () => {
  it('is abort, wipe, adapters, readers, cleanups, tabs, telemetry, reauthenticate, each once', async () => {
    const { bridge, authority, log, reader } = await ready({
      fetch: (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => {
            log.push('request aborted')
            reject(init.signal?.reason as Error)
          })
        }),
    })
    authority.answerWith(
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            // The vault is wiped after this, and whatever is said from here on is worthless already.
            log.push(
              `rotation aborted, token ${bridge.snapshot.expiresAt === null ? 'gone' : 'here'}`,
            )
            reject(signal.reason as Error)
          })
        }),
    )
    const request = reader.fetch(URL_).catch(() => {})
    const rotation = bridge.rotate().catch(() => {})
    await settle()
    for (const name of ['cache', 'socket'])
      bridge.onCleanup(name, (reason) => {
        expect(reader.current()).toBeNull()
        log.push(`cleanup ${name} ${reason}`)
      })
    const report = await bridge.reset('sign-out')
    await Promise.all([request, rotation])
    expect(log).toEqual([
      'rotation aborted, token here',
      'request aborted',
      'adapter auth-reset',
      'reader signed-out',
      'cleanup cache sign-out',
      'cleanup socket sign-out',
      'tabs reset',
      'logger [bridge] auth reset reason=sign-out',
      'events auth-reset',
      'reauthenticate sign-out',
      'logger [bridge] reset finished reason=sign-out abort=done wipe=done tell=done cache=done socket=done tabs=done telemetry=done reauthenticate=done',
    ])
    expect(names(report)).toEqual([
      ...ALL_DONE.slice(0, 3),
      'cache done',
      'socket done',
      ...ALL_DONE.slice(3),
    ])
    expect(Object.isFrozen(report) && Object.isFrozen(report.steps)).toBe(true)
  })

  it('is over for vault, stores, readers and other tabs before reset() returns, with no cleanup to wait for', async () => {
    const { bridge, log, reader } = await ready()
    void bridge.reset('sign-out')
    expect(reader.current()).toBeNull()
    expect(log.slice(0, 2)).toEqual(['adapter auth-reset', 'reader signed-out'])
    expect(log).toContain('tabs reset')
    expect(log).toContain('events auth-reset')
  })

  it('drops what the host had put in by hand and the verifier had not let in yet', async () => {
    const gate = deferred<void>()
    let isSlow = false
    const { bridge, reader, types } = await ready({
      verify: () => (isSlow ? gate.promise : undefined),
    })
    isSlow = true
    bridge.updateToken(payload('late'))
    void bridge.reset('sign-out')
    gate.resolve()
    await settle()
    expect(reader.current()).toBeNull()
    expect(types()).toEqual(['auth-reset'])
  })
})

describe('cleanups', () => {
  it('that throw, at once or later, keep nothing else from happening', async () => {
    const { bridge, log } = await ready()
    bridge.onCleanup('throws', () => {
      throw new Error('thrown')
    })
    bridge.onCleanup('rejects', async () => {
      throw new Error('rejected')
    })
    const report = await bridge.reset('sign-out')
    expect(names(report)).toEqual([
      ...ALL_DONE.slice(0, 3),
      'throws failed',
      'rejects failed',
      ...ALL_DONE.slice(3),
    ])
    expect(log).toContain('reauthenticate sign-out')
  })

  it('that hang hold up the other tabs for 400 ms, and reauthenticate for five seconds', async () => {
    const { bridge, log } = await ready()
    bridge.onCleanup('hangs', () => new Promise(() => {}))
    const times: Record<string, number> = {}
    const from = Date.now()
    let report: { steps: readonly { name: string; outcome: string }[] } | undefined
    void bridge.reset('sign-out').then((value) => (report = value))
    for (let at = 0; at <= 6_000; at += 50) {
      for (const entry of log) times[entry] ??= Date.now() - from
      await vi.advanceTimersByTimeAsync(50)
    }
    expect(times['adapter auth-reset']).toBe(0)
    expect(times['tabs reset']).toBe(400)
    expect(times['events auth-reset']).toBe(400)
    expect(times['reauthenticate sign-out']).toBe(5_000)
    expect(names(report as never)).toContain('hangs timed-out')
    expect(report?.steps.find(({ name }) => name === 'hangs')).toMatchObject({ duration: 5_000 })
  })

  it('that resets and waits for it is waited for no longer than any other', async () => {
    const { bridge, log } = await ready()
    bridge.onCleanup('again', async () => void (await bridge.reset('rollback')))
    const reset = bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    expect(names(await reset)).toContain('again timed-out')
    expect(log.filter((entry) => entry.startsWith('reauthenticate'))).toEqual([
      'reauthenticate sign-out',
    ])
  })

  it('during which the user signs in again leave the new session alone', async () => {
    const { bridge, reader, log } = await ready()
    const gate = deferred<void>()
    bridge.onCleanup('slow', () => gate.promise)
    const reset = bridge.reset('sign-out')
    bridge.updateToken(payload('second-session'))
    gate.resolve()
    await vi.advanceTimersByTimeAsync(SECOND)
    await reset
    expect(reader.current()?.accessToken).toBe('second-session')
    expect(bridge.snapshot.status).toBe('ready')
    expect(log).not.toContain('reauthenticate sign-out')
    // And that session ends like any other.
    const next = await bridge.reset('rollback')
    expect(next.reason).toBe('rollback')
    expect(log).toContain('reauthenticate rollback')
    expect(reader.current()).toBeNull()
  })
})

describe('a reset from within', () => {
  const once = (log: readonly string[]) => {
    for (const entry of ['adapter auth-reset', 'reader signed-out', 'events auth-reset'])
      expect(log.filter((each) => each === entry)).toHaveLength(1)
    // Once now and once 600 ms later.
    expect(log.filter((each) => each === 'tabs reset')).toHaveLength(2)
    expect(log.filter((each) => each.startsWith('reauthenticate'))).toHaveLength(1)
  }

  it.each<[string, (bridge: SecureTokenBridge, again: () => void) => unknown]>([
    ['an adapter', (bridge, again) => bridge.attach({ name: 'again', apply: again })],
    ['a reader', (bridge, again) => bridge.reader('again').subscribe(again)],
    ['a token stream', (bridge, again) => bridge.reader('again').getToken().subscribe(again)],
    ['a cleanup', (bridge, again) => bridge.onCleanup('again', again)],
    ['events$', (bridge, again) => bridge.events$.subscribe(again)],
    ['snapshot$', (bridge, again) => bridge.snapshot$.subscribe(again)],
  ])('of %s that is told of one changes nothing', async (_, arrange) => {
    const { bridge, log, reader } = await ready()
    const reports = new Set<unknown>()
    let isArranged = false
    arrange(bridge, () => {
      if (isArranged) reports.add(bridge.reset('rollback'))
    })
    isArranged = true
    const first = bridge.reset('sign-out')
    reports.add(first)
    await settle()
    await vi.advanceTimersByTimeAsync(SECOND)
    await first
    once(log)
    expect(reports.size).toBe(1)
    expect((await first).reason).toBe('sign-out')
    expect(reader.current()).toBeNull()
  })

  it('of reauthenticate changes nothing', async () => {
    let bridge: SecureTokenBridge | undefined
    const again: unknown[] = []
    const parts = await ready({ reauthenticate: () => void again.push(bridge?.reset('rollback')) })
    bridge = parts.bridge
    const first = bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(SECOND)
    once(parts.log)
    expect(again).toEqual([first])
  })

  it.each<[string, (bridge: SecureTokenBridge, told: () => void) => unknown]>([
    ['an adapter', (bridge, told) => bridge.attach({ name: 'again', apply: told })],
    ['a reader', (bridge, told) => bridge.reader('again').subscribe(told)],
    ['events$', (bridge, told) => bridge.events$.subscribe(told)],
  ])('of %s that is told of a rotation is whole, and comes after it', async (_, arrange) => {
    const { bridge, log, reader } = await ready()
    bridge.onCleanup('cache', () => void log.push('cleanup'))
    let isDone = false
    let report: Promise<unknown> | undefined
    arrange(bridge, () => {
      if (isDone) return
      isDone = true
      report = bridge.reset('sign-out')
      expect(reader.current()).toBeNull()
    })
    bridge.updateToken(payload('t'))
    await settle()
    await report
    await vi.advanceTimersByTimeAsync(SECOND)
    once(log)
    expect(log.indexOf('cleanup')).toBeGreaterThan(log.indexOf('reader signed-out'))
    const mine = log.filter((entry) => /^adapter|^events/.test(entry))
    expect(mine).toEqual([
      'adapter token-rotated',
      ...(mine[1] === 'events token-rotated' ? ['events token-rotated', 'adapter auth-reset'] : []),
      ...(mine[1] === 'events token-rotated' ? [] : ['adapter auth-reset', 'events token-rotated']),
      'events auth-reset',
    ])
  })
})

describe('a reset in any state', () => {
  const down = async (): Promise<never> => {
    throw new AuthError('ERR_SYNC_STATUS', '503', { phase: 'sync', status: 503, retryable: true })
  }
  type Parts = ReturnType<typeof writtenDown>
  const states: [string, BridgeConfig, (parts: Parts) => Promise<unknown> | void][] = [
    ['before start()', {}, () => {}],
    [
      'loading',
      {},
      ({ bridge, authority }) => {
        authority.answerWith(() => new Promise(() => {}))
        bridge.start()
      },
    ],
    ['ready', {}, ({ bridge }) => (bridge.start(), settle())],
    [
      'error',
      {},
      ({ bridge, authority }) => {
        authority.answerWith(down)
        bridge.start()
        return settle()
      },
    ],
    [
      'maintenance',
      {},
      ({ bridge, authority }) => {
        authority.answerWith(down)
        bridge.start()
        return vi.advanceTimersByTimeAsync(5 * SECOND)
      },
    ],
    ['cookie-only', { enabled: false }, ({ bridge }) => (bridge.start(), settle())],
    [
      'legacy',
      { enabled: false, legacy: async () => payload('legacy') },
      ({ bridge }) => (bridge.start(), settle()),
    ],
    [
      'cookie-only for want of an endpoint',
      {},
      ({ bridge, authority }) => {
        authority.answerWith(async () => {
          throw new AuthError('ERR_SYNC_STATUS', '404', { phase: 'sync', status: 404 })
        })
        bridge.start()
        return vi.advanceTimersByTimeAsync(5 * SECOND)
      },
    ],
    [
      'after stop()',
      {},
      async ({ bridge }) => {
        bridge.start()
        await settle()
        bridge.stop()
      },
    ],
  ]

  it.each(states)(
    'signs out, does each step once and asks nobody any more: %s',
    async (_, config, arrange) => {
      const parts = writtenDown(config)
      const { bridge, authority, reader, log } = parts
      await arrange(parts)
      log.length = 0
      authority.requests.length = 0
      const report = await Promise.race([bridge.reset('sign-out'), settle()])
      expect(names(report as never)).toEqual(ALL_DONE)
      expect(bridge.snapshot).toMatchObject({ status: 'signed-out', expiresAt: null, error: null })
      expect(reader.current()).toBeNull()
      expect(log.filter((entry) => entry === 'reauthenticate sign-out')).toHaveLength(1)
      expect(await bridge.reset('sign-out')).toBe(report)
      await vi.advanceTimersByTimeAsync(HOUR)
      expect(authority.requests).toEqual([])
      expect(bridge.snapshot.status).toBe('signed-out')
    },
  )

  it('that is signed out already by the server does it no second time, and only tells the other tabs', async () => {
    const { bridge, authority, log } = writtenDown()
    authority.answerWith(async () => null)
    bridge.start()
    await settle()
    log.length = 0
    const report = await bridge.reset('sign-out')
    expect(report.reason).toBe('session-ended')
    expect(log).toEqual(['tabs reset'])
  })
})

describe('what is under way when a reset comes', () => {
  it('of the remotes’ requests is aborted, with a typed error', async () => {
    const signals: AbortSignal[] = []
    const { bridge, reader } = await ready({
      fetch: (_, init) =>
        new Promise((_resolve, reject) => {
          const signal = init?.signal as AbortSignal
          signals.push(signal)
          signal.addEventListener('abort', () => reject(signal.reason as Error))
        }),
    })
    const requests = Array.from({ length: 100 }, () =>
      reader.fetch(URL_).catch((error: unknown) => error),
    )
    await settle()
    void bridge.reset('sign-out')
    for (const error of await Promise.all(requests))
      expect(isAuthError(error, 'ERR_ABORTED')).toBe(true)
    expect(signals).toHaveLength(100)
    expect(signals.every(({ aborted }) => aborted)).toBe(true)
  })

  // logto-io/kotlin#253: an in-flight refresh resurrected the credentials after sign-out.
  it.each([
    ['a token', payload('late', HOUR + 1_000_000_000)],
    ['signed out', null],
  ])('of a source that ignores its signal changes nothing when it says %s', async (_, answer) => {
    const { bridge, authority, log, reader } = await ready()
    const gate = deferred<TokenPayload | null>()
    authority.answerWith(() => gate.promise)
    void bridge.rotate().catch(() => {})
    await settle()
    await bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(SECOND)
    log.length = 0
    gate.resolve(answer)
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(log).toEqual([])
    expect(reader.current()).toBeNull()
  })

  it('of a verifier that ignores its signal changes nothing, whether it lets pass or refuses', async () => {
    for (const verdict of ['resolve', 'reject'] as const) {
      const gate = deferred<void>()
      let isSlow = false
      const { bridge, log, reader } = await ready({
        verify: () => (isSlow ? gate.promise : undefined),
      })
      isSlow = true
      const rotation = bridge.rotate().catch((error: unknown) => error)
      await settle()
      await bridge.reset('sign-out')
      await vi.advanceTimersByTimeAsync(SECOND)
      log.length = 0
      gate[verdict](undefined)
      await vi.advanceTimersByTimeAsync(MINUTE)
      expect(isAuthError(await rotation, 'ERR_ABORTED')).toBe(true)
      expect(log).toEqual([])
      expect(reader.current()).toBeNull()
    }
  })

  it('of those who wait for a token is told that nobody is signed in', async () => {
    const { bridge, authority, reader } = writtenDown()
    authority.answerWith(() => new Promise(() => {}))
    bridge.start()
    const waiting = reader.ready().catch((error: unknown) => error)
    await settle()
    void bridge.reset('sign-out')
    expect(isAuthError(await waiting, 'ERR_SIGNED_OUT')).toBe(true)
  })
})
