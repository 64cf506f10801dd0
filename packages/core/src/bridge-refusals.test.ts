import type { BridgeConfig } from '@token-bridge/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deferred, MINUTE, payload, settle, testBridge } from './bridge.test.support.ts'
import { HOUR, NOW, SECOND } from './fixtures.test.support.ts'
import { fakeOrigin } from './tabs/fake-tabs.test.support.ts'

const URL_ = 'https://api.test/orders'

const authorizationOf = (init: RequestInit | undefined): string | undefined =>
  (init?.headers as Record<string, string> | undefined)?.['authorization']

/** A bridge, started, in front of an API that answers as the test says, with the tokens that reached it. */
async function apiBridge(
  answer: (token: string | undefined, call: number) => Response | Promise<Response>,
  { lifetime = 5 * MINUTE, ...config }: BridgeConfig & { lifetime?: number } = {},
) {
  const sent: (string | undefined)[] = []
  const parts = testBridge({
    environment: { random: () => 0.5 },
    telemetry: { alerts: false },
    ...config,
    fetch: async (_, init) => {
      sent.push(authorizationOf(init))
      return answer(sent.at(-1), sent.length)
    },
  })
  parts.authority.answerWith(async () =>
    payload(`token-${parts.authority.requests.length}`, lifetime),
  )
  started.push(parts.bridge.start())
  await settle()
  const reasons = () => parts.authority.requests.map(({ reason }) => reason)
  return {
    ...parts,
    sent,
    reasons,
    /** How many rotations 401s have asked for. */
    asked: () => reasons().filter((reason) => reason === 'unauthorized').length,
    reader: parts.bridge.reader('orders'),
  }
}

const refusing = () => new Response(null, { status: 401 })
const refusingOld = (token: string | undefined) =>
  new Response(null, { status: token === 'Bearer token-1' ? 401 : 200 })

const started: { stop(): void }[] = []
beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  for (const bridge of started.splice(0)) bridge.stop()
  vi.useRealTimers()
})

describe('a 401', () => {
  // Invariant 5: a 401 caused by a token already replaced is retried, not refreshed.
  it('on a token that was replaced meanwhile is retried with the current one, without a rotation', async () => {
    const gate = deferred<Response>()
    const { bridge, reader, sent, reasons } = await apiBridge((_, call) =>
      call === 1 ? gate.promise : new Response('ok'),
    )
    const response = reader.fetch(URL_)
    await bridge.rotate()
    gate.resolve(refusing())
    expect((await response).status).toBe(200)
    expect(sent).toEqual(['Bearer token-1', 'Bearer token-2'])
    expect(reasons()).toEqual(['hydrate', 'host'])
  })

  it('on the current token causes one rotation and one replay', async () => {
    const { reader, sent, reasons, types } = await apiBridge(refusingOld)
    expect((await reader.fetch(URL_)).status).toBe(200)
    expect(sent).toEqual(['Bearer token-1', 'Bearer token-2'])
    expect(reasons()).toEqual(['hydrate', 'unauthorized'])
    expect(types()).toEqual(['token-rotated', 'unauthorized', 'token-rotated'])
  })

  it('on a stream causes the rotation and no replay: its body was used up', async () => {
    const { reader, sent, reasons } = await apiBridge(refusingOld)
    const body = new ReadableStream({ start: (controller) => controller.close() })
    const response = await reader.fetch(URL_, {
      method: 'POST',
      body,
      duplex: 'half',
    } as RequestInit)
    expect(response.status).toBe(401)
    expect(sent).toHaveLength(1)
    expect(reasons()).toEqual(['hydrate', 'unauthorized'])
    await reader.fetch(URL_)
    expect(sent.at(-1)).toBe('Bearer token-2')
  })

  it('met by a thousand requests of three remotes causes one rotation, and fails none', async () => {
    const { bridge, sent, asked } = await apiBridge(refusingOld)
    const responses = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => bridge.reader(`remote-${index % 3}`).fetch(URL_)),
    )
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]))
    expect([sent.length, asked()]).toEqual([2_000, 1])
  })

  it('after sign-out begins nothing', async () => {
    const gate = deferred<Response>()
    const { bridge, reader, authority } = await apiBridge(() => gate.promise)
    const { generation } = bridge.snapshot
    void reader.fetch(URL_).catch(() => {})
    await bridge.reset('sign-out')
    reader.report({ generation, status: 401 })
    gate.resolve(refusing())
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(authority.requests).toHaveLength(1)
    expect(bridge.snapshot.status).toBe('signed-out')
  })
})

describe('a remote that gets nothing but 401s', () => {
  // superset-sh/superset PR #5518 (300 times the baseline), supabase#2145 (30,000 to 60,000 an hour), clerk PR #8004.
  it('causes sixteen rotations in its first hour, however often it asks', async () => {
    const { reader, asked, sent, types } = await apiBridge(refusing, { lifetime: 24 * HOUR })
    for (let second = 0; second < 3_600; second += 1) {
      expect((await reader.fetch(URL_)).status).toBe(401)
      await vi.advanceTimersByTimeAsync(SECOND)
    }
    expect(asked()).toBe(16)
    // Each of its requests, and one replay for each rotation.
    expect(sent).toHaveLength(3_600 + 16)
    expect(types().filter((type) => type === 'unauthorized')).toHaveLength(3_600)
  })

  it('is forgiven by the rotations that the schedule makes, and still causes less than one in a minute', async () => {
    const { reader, asked, authority } = await apiBridge(refusing)
    for (let second = 0; second < 3_600; second += 1) {
      await reader.fetch(URL_)
      await vi.advanceTimersByTimeAsync(SECOND)
    }
    expect(asked()).toBeGreaterThan(16)
    expect(asked()).toBeLessThanOrEqual(45)
    expect(authority.requests.length).toBeLessThanOrEqual(60)
  })

  it('is bound in the same way when it reports them by hand', async () => {
    const { bridge, reader, asked } = await apiBridge(refusing, { lifetime: 24 * HOUR })
    for (let second = 0; second < 3_600; second += 1) {
      reader.report({ generation: bridge.snapshot.generation, status: 401 })
      await vi.advanceTimersByTimeAsync(SECOND)
    }
    expect(asked()).toBe(16)
  })

  it('shares its bound with all other remotes', async () => {
    const { bridge, asked } = await apiBridge(refusing, { lifetime: 24 * HOUR })
    for (let second = 0; second < 600; second += 1) {
      for (let remote = 0; remote < 10; remote += 1)
        bridge
          .reader(`remote-${remote}`)
          .report({ generation: bridge.snapshot.generation, status: 401 })
      await vi.advanceTimersByTimeAsync(SECOND)
    }
    expect(asked()).toBe(6)
  })

  it('is bound also when a reported 401 names an older generation: that one is answered by what is held', async () => {
    const { bridge, reader, authority } = await apiBridge(refusing)
    await bridge.rotate()
    for (let count = 0; count < 1_000; count += 1) reader.report({ generation: 1, status: 401 })
    for (let count = 0; count < 1_000; count += 1) reader.report({ generation: 99, status: 401 })
    await settle()
    expect(authority.requests).toHaveLength(2)
  })

  it('is bound also while hints make the bridge ask without end', async () => {
    const origin = fakeOrigin({ setTimer: (callback, span) => setTimeout(callback, span) })
    const { openChannel } = origin.openTab()
    const stranger = origin.openTab().openChannel('token-bridge')
    const { bridge, reader, asked } = await apiBridge(refusing, {
      lifetime: 24 * HOUR,
      environment: { random: () => 0.5, openChannel },
    })
    for (let tick = 0; tick < 6_000; tick += 1) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel never leaves its origin
      stranger.postMessage({ v: 1, from: 1, type: 'reset' })
      reader.report({ generation: bridge.snapshot.generation, status: 401 })
      await vi.advanceTimersByTimeAsync(100)
    }
    stranger.close()
    expect(asked()).toBe(6)
  })

  it('is bound in each of two tabs: they do not forgive one another', async () => {
    const origin = fakeOrigin({ setTimer: (callback, span) => setTimeout(callback, span) })
    let issued = 0
    const tabs = await Promise.all(
      [0.25, 0.75].map((random) => {
        const { openChannel } = origin.openTab()
        return apiBridge(refusing, { environment: { random: () => random, openChannel } })
      }),
    )
    // One session: who asks for any valid token gets the one that there is.
    let held = payload('token-0', 24 * HOUR)
    for (const { authority } of tabs)
      authority.answerWith(async ({ newerThan }) => {
        if (newerThan !== undefined && held.expiresAt <= newerThan) {
          issued += 1
          held = payload(`token-${issued}`, 24 * HOUR)
        }
        return held
      })
    for (let second = 0; second < 3_600; second += 1) {
      for (const { bridge, reader } of tabs)
        reader.report({ generation: bridge.snapshot.generation, status: 401 })
      await vi.advanceTimersByTimeAsync(SECOND)
    }
    for (const { asked } of tabs) expect(asked()).toBeLessThanOrEqual(20)
    expect(issued).toBeLessThanOrEqual(40)
  })
})

describe('the host', () => {
  it('forces a rotation whenever it asks for one', async () => {
    const { bridge, reader, authority, reasons } = await apiBridge(refusing)
    await reader.fetch(URL_)
    for (let count = 0; count < 10; count += 1) await bridge.rotate()
    expect(authority.requests).toHaveLength(12)
    expect(reasons().slice(2)).toEqual(Array.from({ length: 10 }, () => 'host'))
  })

  it('forgives by it: the next 401s begin at ten seconds again', async () => {
    const { bridge, reader, asked } = await apiBridge(refusing, { lifetime: 24 * HOUR })
    const report = () => reader.report({ generation: bridge.snapshot.generation, status: 401 })
    for (let second = 0; second < 100; second += 1) {
      report()
      await vi.advanceTimersByTimeAsync(SECOND)
    }
    // At 0, 10, 30 and 70 s; the next one at 150 s.
    expect(asked()).toBe(4)
    await bridge.rotate()
    for (let second = 0; second < 62; second += 1) {
      report()
      await vi.advanceTimersByTimeAsync(SECOND)
    }
    expect(asked()).toBe(6)
  })
})

describe('what readers send', () => {
  it('never carries an older generation than the bridge has, whenever a rotation comes', async () => {
    for (let ticks = 0; ticks < 30; ticks += 1) {
      const { bridge, reader, types, sent } = await apiBridge(refusingOld)
      const response = reader.fetch(URL_)
      // A rotation by hand, so many instants after the one that the 401 has asked for.
      const rotateLater = async (): Promise<void> => {
        for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve()
        bridge.updateToken(payload('by-hand'))
      }
      bridge.events$.subscribe((event) => {
        if (event.type === 'token-rotated' && event.reason === 'unauthorized') void rotateLater()
      })
      await response
      await settle()
      expect(types()).not.toContain('desync')
      expect(bridge.metrics).toMatchObject({ requests: 2, desyncs: 0, desyncRate: 0 })
      expect(sent).toHaveLength(2)
      bridge.stop()
    }
  })

  it('is desynchronised when a client of its own reports an older generation', async () => {
    const { bridge, reader, events } = await apiBridge(refusing)
    await bridge.rotate()
    reader.report({ generation: 2 })
    reader.report({ generation: 1 })
    expect(events.at(-1)).toMatchObject({
      type: 'desync',
      remote: 'orders',
      generation: 1,
      current: 2,
    })
    expect(bridge.metrics).toMatchObject({ requests: 2, desyncs: 1, desyncRate: 0.5 })
  })
})
