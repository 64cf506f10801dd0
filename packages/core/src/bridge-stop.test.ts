import {
  AuthError,
  isAuthError,
  type BridgeConfig,
  type SecureTokenBridge,
  type TelemetrySink,
  type TokenPayload,
} from '@token-bridge/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deferred, MINUTE, payload, settle, testBridge } from './bridge.test.support.ts'
import { countingTarget, HOUR, NOW, SECOND } from './fixtures.test.support.ts'
import { fakeOrigin } from './tabs/fake-tabs.test.support.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A bridge on a page where everything that it takes is counted. Not started. */
function page(config: BridgeConfig = {}) {
  const timers = new Set<unknown>()
  const world = { isOnline: true, enabled: true as boolean | undefined }
  const window = countingTarget()
  const document = Object.assign(countingTarget(), { visibilityState: 'visible' as const })
  const origin = fakeOrigin({ setTimer: (callback, span) => setTimeout(callback, span) })
  const tab = origin.openTab()
  let flags = 0
  let tellFlag: (enabled: boolean) => void = () => {}
  let sinks = 0
  const sink: TelemetrySink = {
    connect(source) {
      sinks += 1
      const leave = source.onEvent(() => {})
      return () => {
        sinks -= 1
        leave()
      }
    },
  }
  const parts = testBridge({
    enabled: {
      subscribe(observer) {
        flags += 1
        tellFlag = observer.next
        if (world.enabled !== undefined) observer.next(world.enabled)
        return { unsubscribe: () => void (flags -= 1) }
      },
    },
    telemetry: { sinks: [sink, sink] },
    fetch: () => new Promise(() => {}),
    ...config,
    environment: {
      random: () => 0.5,
      isOnline: () => world.isOnline,
      window,
      document,
      openChannel: tab.openChannel,
      locks: tab.locks,
      reportFault: () => {},
      setTimer(callback, delay) {
        const timer = setTimeout(() => {
          timers.delete(timer)
          callback()
        }, delay)
        timers.add(timer)
        return timer
      },
      clearTimer(timer) {
        timers.delete(timer)
        clearTimeout(timer as number)
      },
    },
  })
  return {
    ...parts,
    world,
    origin,
    reader: parts.bridge.reader('orders'),
    tellFlag: (enabled: boolean) => tellFlag(enabled),
    /** What the bridge holds of the page. */
    census: () => ({
      timers: timers.size,
      window: window.count,
      document: document.count,
      flags,
      sinks,
      ...origin.census(),
    }),
  }
}
type Page = ReturnType<typeof page>

const NOTHING = {
  timers: 0,
  window: 0,
  document: 0,
  flags: 0,
  sinks: 0,
  channels: 0,
  listeners: 0,
  heldLocks: 0,
  waitingLocks: 0,
}

const down = async (): Promise<never> => {
  throw new AuthError('ERR_SYNC_STATUS', '503', { phase: 'sync', status: 503, retryable: true })
}
const missing = async (): Promise<never> => {
  throw new AuthError('ERR_SYNC_STATUS', '404', { phase: 'sync', status: 404, retryable: true })
}
const ready = async ({ bridge }: Page): Promise<void> => {
  bridge.start()
  await settle()
}

/** Every state in which a bridge can be stopped, and how it gets there. */
const STATES: [string, (page: Page) => Promise<unknown> | void, BridgeConfig?][] = [
  ['never started', () => {}],
  ['started a moment ago', ({ bridge }) => void bridge.start()],
  ['ready', ready],
  [
    'waiting for the flag',
    ({ bridge, world }) => {
      world.enabled = undefined
      bridge.start()
      return settle()
    },
  ],
  [
    'in the middle of hydrating',
    ({ bridge, authority }) => {
      authority.answerWith(() => new Promise(() => {}))
      bridge.start()
      return settle()
    },
  ],
  [
    'in the middle of a rotation',
    async (parts) => {
      await ready(parts)
      parts.authority.answerWith(() => new Promise(() => {}))
      void parts.bridge.rotate().catch(() => {})
      await settle()
    },
  ],
  [
    'holding its turn',
    async (parts) => {
      await ready(parts)
      parts.authority.answerWith(() => new Promise(() => {}))
      void parts.bridge.rotate().catch(() => {})
      await settle()
      expect(parts.census().heldLocks).toBe(1)
    },
  ],
  [
    'between two attempts',
    async (parts) => {
      parts.authority.answerWith(down)
      await ready(parts)
    },
  ],
  [
    'in maintenance',
    async (parts) => {
      parts.authority.answerWith(down)
      parts.bridge.start()
      await vi.advanceTimersByTimeAsync(5 * SECOND)
    },
  ],
  [
    'on the cookie for want of an endpoint',
    async (parts) => {
      parts.authority.answerWith(missing)
      parts.bridge.start()
      await vi.advanceTimersByTimeAsync(5 * SECOND)
    },
  ],
  [
    'offline',
    async (parts) => {
      parts.world.isOnline = false
      parts.bridge.start()
      await vi.advanceTimersByTimeAsync(MINUTE)
    },
  ],
  [
    'switched off',
    async (parts) => {
      parts.world.enabled = false
      await ready(parts)
    },
  ],
  [
    'in legacy mode',
    async (parts) => {
      parts.world.enabled = false
      await ready(parts)
    },
    { legacy: async () => payload('legacy') },
  ],
  [
    'holding back a change of the flag',
    async (parts) => {
      await ready(parts)
      for (const enabled of [false, true, false, true, false]) parts.tellFlag(enabled)
      await settle()
    },
  ],
  [
    'signed out',
    async (parts) => {
      await ready(parts)
      await parts.bridge.reset('sign-out')
    },
  ],
  [
    'in the middle of a reset',
    async (parts) => {
      await ready(parts)
      parts.bridge.onCleanup('hangs', () => new Promise(() => {}))
      void parts.bridge.reset('sign-out')
      await vi.advanceTimersByTimeAsync(100)
    },
  ],
  [
    'in the middle of a reset that other tabs were told of',
    async (parts) => {
      await ready(parts)
      parts.bridge.onCleanup('hangs', () => new Promise(() => {}))
      void parts.bridge.reset('sign-out')
      await vi.advanceTimersByTimeAsync(SECOND)
    },
  ],
  [
    'with hints that it has not followed yet',
    async (parts) => {
      await ready(parts)
      const stranger = parts.origin.openTab().openChannel('token-bridge')
      for (const message of [
        { v: 1, from: 1, type: 'rotated', expiresAt: NOW + HOUR },
        { v: 1, from: 1, type: 'reset' },
        { v: 1, from: 1, type: 'reset' },
        { v: 1, from: 1, type: 'mode' },
        { v: 1, from: 1, type: 'mode' },
      ])
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel never leaves its origin
        stranger.postMessage(message)
      await settle()
      stranger.close()
    },
  ],
  [
    'with an alert that fires',
    async (parts) => {
      await ready(parts)
      parts.bridge.reportMount('orders', 'ERR_REMOTE_UNTRUSTED')
      expect(parts.types()).toContain('alert')
    },
  ],
  [
    'with requests on their way and under way',
    async (parts) => {
      await ready(parts)
      void parts.reader.fetch('https://api.test/orders').catch(() => {})
      await settle()
    },
  ],
]

describe('stop()', () => {
  // okta-auth-js#1194, supabase#2392: disposing left timers, channels or locks behind.
  it.each(STATES)('leaves nothing of the page behind: %s', async (_, arrange, config) => {
    const parts = page(config)
    await arrange(parts)
    parts.bridge.stop()
    await settle()
    expect(parts.census()).toEqual(NOTHING)
    // Nor does it do anything from then on.
    const requests = parts.authority.requests.length
    const { snapshot } = parts.bridge
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(parts.authority.requests).toHaveLength(requests)
    expect(parts.bridge.snapshot).toBe(snapshot)
    expect(parts.census()).toEqual(NOTHING)
  })

  it.each(STATES)(
    'can be called twice, and start() works again: %s',
    async (_, arrange, config) => {
      const parts = page(config)
      await arrange(parts)
      parts.bridge.stop()
      parts.bridge.stop()
      await settle()
      parts.world.isOnline = true
      parts.world.enabled = true
      parts.authority.issueAgain()
      const isSignedOut = parts.bridge.snapshot.status === 'signed-out'
      parts.bridge.start()
      await vi.advanceTimersByTimeAsync(2 * MINUTE)
      expect(parts.bridge.snapshot).toMatchObject({
        status: isSignedOut ? 'signed-out' : 'ready',
        mode: 'bridge',
      })
      expect(parts.census()).toMatchObject({ channels: 1, flags: 1, sinks: 2 })
      parts.bridge.stop()
      await settle()
      expect(parts.census()).toEqual(NOTHING)
    },
  )

  it('shows that the census counts: a started bridge holds all of it', async () => {
    const parts = page()
    await ready(parts)
    expect(parts.census()).toEqual({
      timers: 1,
      window: 3,
      document: 2,
      flags: 1,
      sinks: 2,
      channels: 1,
      listeners: 1,
      heldLocks: 0,
      waitingLocks: 0,
    })
    parts.bridge.stop()
  })

  it('rejects those who wait for a token with ERR_ABORTED, through ready() and through fetch', async () => {
    const parts = page()
    parts.authority.answerWith(() => new Promise(() => {}))
    parts.bridge.start()
    const waits = [
      parts.reader.ready(),
      parts.reader.ready({ timeout: HOUR }),
      parts.reader.fetch('https://api.test/orders'),
      parts.bridge.rotate(),
    ].map((wait) => wait.catch((error: unknown) => error))
    await settle()
    parts.bridge.stop()
    for (const error of await Promise.all(waits))
      expect(isAuthError(error, 'ERR_ABORTED')).toBe(true)
    expect(parts.census()).toEqual(NOTHING)
  })

  it('ends the waits of its time only: after start() one waits again', async () => {
    const parts = page()
    parts.authority.answerWith(() => new Promise(() => {}))
    await ready(parts)
    parts.bridge.stop()
    await settle()
    parts.authority.issueAgain()
    const beforeStart = parts.reader.ready()
    parts.bridge.start()
    const afterStart = parts.reader.ready()
    await settle()
    await expect(Promise.all([beforeStart, afterStart])).resolves.toHaveLength(2)
    parts.bridge.stop()
  })

  it('does not shorten the cleanups of a reset that comes after it, and ends later waits as well', async () => {
    const parts = page()
    await ready(parts)
    parts.bridge.stop()
    parts.bridge.onCleanup('slow', () => new Promise((done) => setTimeout(done, SECOND)))
    const report = parts.bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(SECOND)
    await expect(report).resolves.toMatchObject({
      steps: expect.arrayContaining([{ name: 'slow', outcome: 'done', duration: SECOND }]),
    })
    const other = page()
    other.authority.answerWith(() => new Promise(() => {}))
    for (let round = 0; round < 2; round += 1) {
      other.bridge.start()
      const wait = other.reader.ready().catch((error: unknown) => error)
      await settle()
      other.bridge.stop()
      expect(isAuthError(await wait, 'ERR_ABORTED')).toBe(true)
    }
  })

  it('leaves the token readable until it expires, and no longer', async () => {
    const parts = page()
    await ready(parts)
    parts.bridge.stop()
    expect(parts.reader.current()?.accessToken).toBe('token-1')
    await vi.advanceTimersByTimeAsync(4 * MINUTE)
    expect(parts.reader.current()).toBeNull()
  })

  it('drops the answer of a source that ignores its signal', async () => {
    const parts = page()
    const gate = deferred<TokenPayload>()
    parts.authority.answerWith(() => gate.promise)
    await ready(parts)
    parts.bridge.stop()
    gate.resolve(payload('late'))
    await settle()
    expect(parts.reader.current()).toBeNull()
    expect(parts.types()).toEqual([])
  })

  it.each<[string, (bridge: SecureTokenBridge, stop: () => void) => unknown]>([
    ['an adapter', (bridge, stop) => bridge.attach({ name: 'stops', apply: stop })],
    ['a reader', (bridge, stop) => bridge.reader('stops').subscribe(stop)],
    ['events$', (bridge, stop) => bridge.events$.subscribe(stop)],
    ['a cleanup', (bridge, stop) => bridge.onCleanup('stops', stop)],
  ])('leaves nothing behind when %s calls it in the middle of a reset', async (_, arrange) => {
    const parts = page()
    await ready(parts)
    arrange(parts.bridge, () => parts.bridge.stop())
    parts.bridge.onCleanup('hangs', () => new Promise(() => {}))
    const report = parts.bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(10 * SECOND)
    expect((await report).steps.map(({ name }) => name)).toContain('reauthenticate')
    expect(parts.census()).toEqual(NOTHING)
  })

  it('ends a reset that waits for a cleanup: it reports what was not done', async () => {
    const parts = page()
    await ready(parts)
    parts.bridge.onCleanup('hangs', () => new Promise(() => {}))
    const report = parts.bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(100)
    parts.bridge.stop()
    await expect(report).resolves.toMatchObject({
      steps: expect.arrayContaining([{ name: 'hangs', outcome: 'timed-out', duration: 100 }]),
    })
  })

  it('is what a using block ends with', async () => {
    const parts = page()
    {
      using bridge = parts.bridge.start()
      await settle()
      expect(bridge.snapshot.status).toBe('ready')
    }
    expect(parts.census()).toEqual(NOTHING)
  })

  it('leaves nothing behind after a hundred starts and stops, as under React StrictMode', async () => {
    const parts = page()
    for (let round = 0; round < 100; round += 1) {
      parts.bridge.start()
      parts.bridge.stop()
    }
    await settle()
    expect(parts.census()).toEqual(NOTHING)
    await ready(parts)
    expect(parts.census()).toMatchObject({ timers: 1, channels: 1, flags: 1, sinks: 2 })
    parts.bridge.stop()
  })
})
