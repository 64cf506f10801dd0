import {
  AuthError,
  SecureTokenBridge,
  type BridgeEvent,
  type TokenPayload,
} from '@token-bridge/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadGatedRemote } from './runtime.ts'

const MINUTE = 60_000
const payload = (lifetime = 5 * MINUTE): TokenPayload => ({
  accessToken: 'token',
  expiresAt: Date.now() + lifetime,
})
const missing = (): AuthError =>
  new AuthError('ERR_SYNC_STATUS', 'not there', { phase: 'sync', status: 404 })
const down = (): AuthError =>
  new AuthError('ERR_SYNC_STATUS', 'down', { phase: 'sync', status: 503, retryable: true })

/** A real bridge whose source answers as it is told; `started` bridges ask it at once. */
function host(answer: () => Promise<TokenPayload | null>, enabled: boolean = true) {
  let current = answer
  const bridge = new SecureTokenBridge({
    source: () => current(),
    enabled,
    origins: ['https://api.test'],
    rotation: { breaker: { threshold: 1, cooldown: 10_000 } },
    telemetry: { logger: { info() {}, warn() {}, error() {} } },
  })
  const events: BridgeEvent[] = []
  bridge.events$.subscribe((event) => events.push(event))
  const load = vi.fn<() => Promise<string>>(async () => 'mounted')
  const subscribe = vi.spyOn(bridge.snapshot$, 'subscribe')
  bridges.push(bridge)
  return {
    bridge,
    load,
    answerWith(next: typeof answer) {
      current = next
    },
    mounts: () => events.filter(({ type }) => type.startsWith('remote-mount')),
    openSubscriptions: () =>
      subscribe.mock.results.filter(({ value }) => !(value as { closed: boolean }).closed).length,
  }
}

const bridges: SecureTokenBridge[] = []
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  for (const bridge of bridges.splice(0)) bridge.stop()
  vi.useRealTimers()
})

describe('loadGatedRemote', () => {
  it('loads at once when the session is ready, and reports the mount', async () => {
    const { bridge, load, mounts, openSubscriptions } = host(async () => payload())
    bridge.start()
    await settle()

    const loading = loadGatedRemote(bridge, 'orders', load)
    expect(load).toHaveBeenCalledTimes(1)
    await expect(loading).resolves.toBe('mounted')

    expect(mounts()).toEqual([
      expect.objectContaining({ type: 'remote-mounted', remote: 'orders' }),
    ])
    expect(openSubscriptions()).toBe(0)
  })

  it('requests nothing before the session is settled', async () => {
    const { bridge, load, openSubscriptions } = host(
      () => new Promise((resolve) => setTimeout(() => resolve(payload()), 1_000)),
    )
    bridge.start()
    const loading = loadGatedRemote(bridge, 'orders', load)
    await settle(900)
    expect(load).not.toHaveBeenCalled()
    expect(openSubscriptions()).toBe(1)

    await settle(200)
    await expect(loading).resolves.toBe('mounted')
    expect(load).toHaveBeenCalledTimes(1)
    expect(openSubscriptions()).toBe(0)
  })

  it('goes on waiting while nobody is signed in, and loads after a sign-in', async () => {
    const { bridge, load } = host(async () => null)
    bridge.start()
    const loading = loadGatedRemote(bridge, 'orders', load)
    await settle(60 * MINUTE)
    expect(bridge.snapshot.status).toBe('signed-out')
    expect(load).not.toHaveBeenCalled()

    bridge.updateToken(payload())
    await expect(loading).resolves.toBe('mounted')
  })

  it('loads nothing in cookie-only mode, and loads when the missing endpoint is there', async () => {
    const { bridge, load, answerWith } = host(() => Promise.reject(missing()))
    bridge.start()
    const loading = loadGatedRemote(bridge, 'orders', load)
    await settle(5_000)
    expect(bridge.snapshot).toMatchObject({ mode: 'cookie-only', status: 'maintenance' })
    expect(load).not.toHaveBeenCalled()

    answerWith(async () => payload())
    await settle(10_000)
    await expect(loading).resolves.toBe('mounted')
    expect(bridge.snapshot.mode).toBe('bridge')
  })

  it('loads nothing while the kill switch is off, whose status is ready', async () => {
    const { bridge, load } = host(async () => payload(), false)
    bridge.start()
    void loadGatedRemote(bridge, 'orders', load)
    await settle(MINUTE)
    expect(bridge.snapshot).toMatchObject({ mode: 'cookie-only', status: 'ready' })
    expect(load).not.toHaveBeenCalled()
  })

  it('loads during a maintenance that the token outlives, and not during one without a token', async () => {
    const { bridge, load, answerWith } = host(async () => payload())
    bridge.start()
    await settle()
    answerWith(() => Promise.reject(down()))
    await bridge.rotate().catch(() => {})
    expect(bridge.snapshot.status).toBe('maintenance')
    await expect(loadGatedRemote(bridge, 'orders', load)).resolves.toBe('mounted')

    await settle(5 * MINUTE)
    expect(bridge.snapshot).toMatchObject({ status: 'maintenance', expiresAt: null })
    void loadGatedRemote(bridge, 'reports', load)
    await settle()
    expect(load).toHaveBeenCalledTimes(1)
  })

  it('loads nothing when the session ends between the news and the load', async () => {
    const { bridge, load } = host(async () => null)
    bridge.start()
    void loadGatedRemote(bridge, 'orders', load)
    await settle()
    bridge.updateToken(payload())
    void bridge.reset('sign-out')
    await settle()
    expect(load).not.toHaveBeenCalled()
    bridge.updateToken(payload())
    await settle()
    expect(load).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['load-failed', new Error('chunk 7 of https://user:secret@cdn.test is not there')],
    ['ERR_ABORTED', new AuthError('ERR_ABORTED', 'ended', { phase: 'sync' })],
  ])('reports a failure as %s and throws what the load threw', async (reason, error) => {
    const { bridge, load, mounts } = host(async () => payload())
    bridge.start()
    await settle()
    load.mockRejectedValue(error)

    await expect(loadGatedRemote(bridge, 'orders', load)).rejects.toBe(error)
    expect(mounts()).toEqual([
      expect.objectContaining({ type: 'remote-mount-failed', remote: 'orders', reason }),
    ])
    expect(bridge.metrics).toMatchObject({ remotesMounted: 0, remoteMountFailures: 1 })
  })

  it('stops waiting when the signal aborts, with its reason, and leaves no subscription behind', async () => {
    const { bridge, load, mounts, openSubscriptions } = host(async () => null)
    bridge.start()
    await settle()
    const controller = new AbortController()
    const reason = new Error('the page has moved on')
    const loading = loadGatedRemote(bridge, 'orders', load, { signal: controller.signal })
    expect(openSubscriptions()).toBe(1)
    controller.abort(reason)

    await expect(loading).rejects.toBe(reason)
    expect(openSubscriptions()).toBe(0)
    await expect(
      loadGatedRemote(bridge, 'orders', load, { signal: controller.signal }),
    ).rejects.toBe(reason)
    bridge.updateToken(payload())
    await settle()
    expect(load).not.toHaveBeenCalled()
    expect(mounts()).toEqual([])
  })

  it('adds nothing to what somebody else has reported of this remote meanwhile, and does of others', async () => {
    const { bridge, load, mounts } = host(async () => payload())
    bridge.start()
    await settle()
    load.mockImplementation(async () => {
      bridge.reportMount('orders', 'ERR_REMOTE_TAMPERED')
      return 'fallback'
    })
    await expect(loadGatedRemote(bridge, 'orders', load)).resolves.toBe('fallback')
    load.mockImplementation(async () => {
      bridge.reportMount('orders', 'ERR_REMOTE_TAMPERED')
      throw new AuthError('ERR_REMOTE_TAMPERED', 'other bytes', { phase: 'load' })
    })
    await expect(loadGatedRemote(bridge, 'orders', load)).rejects.toThrow('other bytes')
    await loadGatedRemote(bridge, 'reports', async () => bridge.reportMount('orders', 'later'))

    const named = mounts().map((event) => [event.type, 'remote' in event && event.remote])
    expect(named).toEqual([
      ['remote-mount-failed', 'orders'],
      ['remote-mount-failed', 'orders'],
      ['remote-mount-failed', 'orders'],
      ['remote-mounted', 'reports'],
    ])
  })

  it('reports neither success nor failure of a load that nobody waits for any more', async () => {
    const { bridge, mounts } = host(async () => payload())
    bridge.start()
    await settle()
    const controller = new AbortController()
    const loading = loadGatedRemote(
      bridge,
      'orders',
      async () => {
        controller.abort()
        controller.signal.throwIfAborted()
      },
      { signal: controller.signal },
    )
    await expect(loading).rejects.toThrow(/abort/i)
    expect(mounts()).toEqual([])
  })
})
