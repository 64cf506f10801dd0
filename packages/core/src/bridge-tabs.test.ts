// oxlint-disable unicorn/require-post-message-target-origin -- a channel never leaves its origin
import { SecureTokenBridge, type BridgeConfig, type BridgeEvent } from '@token-bridge/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { countingTarget, HOUR, MINUTE, NOW, SECOND, settle } from './fixtures.test.support.ts'
import { fakeOrigin, type FakeOrigin } from './tabs/fake-tabs.test.support.ts'

/** What one tab asks the server, and when it arrives there. */
interface Question {
  readonly tab: number
  readonly reason: string
  readonly newerThan: number | undefined
  readonly at: number
}

const delayOf = (span: number): Promise<void> => new Promise((done) => setTimeout(done, span))

/** The host's server: one session, which is refreshed only for who asks for a newer token than the one it has. */
function sessionServer({ latency = 20, lifetime = 5 * MINUTE } = {}) {
  const questions: Question[] = []
  let token: { accessToken: string; expiresAt: number } | null = null
  let isOver = false
  let isDown = false
  let refreshes = 0

  async function answer(): Promise<typeof token> {
    if (isDown) throw new Error('503')
    return isOver ? null : token
  }

  return {
    questions,
    get refreshes() {
      return refreshes
    },
    endSession: () => void (isOver = true),
    beginSession: () => void (isOver = false),
    goDown: () => void (isDown = true),
    sourceOf:
      (tab: number): NonNullable<BridgeConfig['source']> =>
      async ({ reason, newerThan }) => {
        await delayOf(latency / 2)
        const at = Date.now()
        questions.push({ tab, reason, newerThan, at })
        const isGood = token !== null && token.expiresAt > at + MINUTE
        const isAsked = newerThan === undefined || (token?.expiresAt ?? 0) > newerThan
        if (!isOver && !isDown && !(isGood && isAsked)) {
          refreshes += 1
          token = { accessToken: `token-${refreshes}`, expiresAt: at + lifetime }
        }
        const said = await answer()
        await delayOf(latency / 2)
        return said
      },
  }
}

type Server = ReturnType<typeof sessionServer>

/** A tab's own chance: tabs that drew the same numbers would take one another for themselves. */
function chance(seed: number): () => number {
  let state = seed * 7_919 + 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

let opened: SecureTokenBridge[] = []

function openTab(origin: FakeOrigin, server: Server, overrides: BridgeConfig = {}) {
  const tab = origin.openTab()
  const bridge = new SecureTokenBridge({
    source: server.sourceOf(tab.number),
    origins: ['https://api.test'],
    ...overrides,
    environment: {
      openChannel: tab.openChannel,
      locks: tab.locks,
      random: chance(tab.number),
      reportFault: () => {},
      ...overrides.environment,
    },
  })
  opened.push(bridge)
  const events: BridgeEvent[] = []
  bridge.events$.subscribe((event) => events.push(event))
  return {
    tab,
    bridge,
    reader: bridge.reader('orders'),
    events,
    types: () => events.map(({ type }) => type),
  }
}

/** Tabs that hold the same token. */
async function openTabs(count: number, server: Server, origin: FakeOrigin, config?: BridgeConfig) {
  const tabs = Array.from({ length: count }, () => openTab(origin, server, config))
  for (const { bridge } of tabs) bridge.start()
  await vi.advanceTimersByTimeAsync(SECOND)
  server.questions.length = 0
  return tabs
}
type Tab = ReturnType<typeof openTab>

const tokensOf = (tabs: readonly Tab[]) => tabs.map(({ reader }) => reader.current()?.accessToken)
const same = (count: number, value: unknown) => Array.from({ length: count }, () => value)

let origin: FakeOrigin
const newOrigin = (delay = 5) =>
  fakeOrigin({
    setTimer: (callback, span) => setTimeout(callback, span),
    delay: () => delay,
  })

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
  origin = newOrigin()
})
afterEach(() => {
  for (const bridge of opened.splice(0)) bridge.stop()
  vi.useRealTimers()
  const { channels, listeners } = origin.census()
  if (channels + listeners > 0) throw new Error('a stopped bridge has left a channel open')
})

/** A script of the origin that writes on the channel what it likes. */
function stranger() {
  const channel = origin.openTab().openChannel('token-bridge')
  return {
    say: (message: object) => channel.postMessage(message),
    leave: () => channel.close(),
  }
}
const forged = {
  rotated: (expiresAt = Number.MAX_SAFE_INTEGER) => ({ v: 1, from: 1, type: 'rotated', expiresAt }),
  reset: { v: 1, from: 1, type: 'reset' },
  mode: { v: 1, from: 1, type: 'mode' },
}

describe('a rotation in one of eight tabs', () => {
  it('is followed by all others within 250 ms and their latency, with one refresh at the server', async () => {
    const server = sessionServer()
    const tabs = await openTabs(8, server, origin)
    const { refreshes } = server
    const before = Date.now()
    await Promise.all([tabs[0]?.bridge.rotate(), vi.advanceTimersByTimeAsync(20)])
    expect(server.refreshes).toBe(refreshes + 1)
    // Signals take 5 ms and the server 20 ms.
    await vi.advanceTimersByTimeAsync(250 + 5 + 20)
    expect(tokensOf(tabs)).toEqual(same(8, `token-${server.refreshes}`))
    expect(server.refreshes).toBe(refreshes + 1)
    expect(Date.now() - before).toBeLessThanOrEqual(300)
  })

  it('makes the others ask once each, for any valid token, spread over 250 ms', async () => {
    const server = sessionServer()
    const [first, ...others] = await openTabs(8, server, origin)
    await Promise.all([first?.bridge.rotate(), vi.advanceTimersByTimeAsync(20)])
    server.questions.length = 0
    await vi.advanceTimersByTimeAsync(5 * SECOND)
    expect(server.questions.map(({ tab }) => tab).toSorted((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ])
    expect(server.questions.map(({ newerThan }) => newerThan)).toEqual(same(7, undefined))
    expect(server.questions.map(({ reason }) => reason)).toEqual(same(7, 'tab'))
    const times = server.questions.map(({ at }) => at)
    expect(new Set(times).size).toBeGreaterThan(4)
    for (const { types } of others) expect(types()).toEqual(['token-rotated', 'token-rotated'])
  })

  it('is no news to a tab that has the token already: two tabs do not answer each other for ever', async () => {
    const server = sessionServer({ lifetime: 10 * HOUR })
    const tabs = await openTabs(2, server, origin)
    await Promise.all([tabs[0]?.bridge.rotate(), vi.advanceTimersByTimeAsync(SECOND)])
    server.questions.length = 0
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(server.questions).toEqual([])
  })

  it('keeps all together for an hour, at one refresh for each lifetime', async () => {
    const server = sessionServer()
    const tabs = await openTabs(8, server, origin)
    for (let second = 0; second < 3_600; second += 1) {
      await vi.advanceTimersByTimeAsync(SECOND)
      for (const { reader } of tabs) expect(reader.current()).not.toBeNull()
    }
    // 5 min tokens, rotated 204 to 210 s after they came.
    expect(server.refreshes).toBeLessThanOrEqual(19)
    expect(server.questions.length).toBeLessThanOrEqual(19 * 8 * 2)
  })
})

describe('eight tabs that meet an expired token', () => {
  // okta-auth-js#1025, AxaFrance#1171, Duende#966: N tabs renewed together, and all but one lost their session.
  it('cause one refresh at the server, and no request fails', async () => {
    const server = sessionServer()
    const fetch = vi.fn<typeof globalThis.fetch>(async () => new Response('ok'))
    const tabs = await openTabs(8, server, origin, { fetch })
    const { refreshes } = server
    // All slept; all wake at once.
    vi.setSystemTime(Date.now() + 8 * HOUR)
    const requests = tabs.flatMap(({ reader }) =>
      Array.from({ length: 10 }, () => reader.fetch('https://api.test/orders')),
    )
    await vi.advanceTimersByTimeAsync(2 * SECOND)
    const responses = await Promise.all(requests)
    expect(responses.map(({ status }) => status)).toEqual(same(80, 200))
    expect(server.refreshes).toBe(refreshes + 1)
    expect(server.questions.filter(({ newerThan }) => newerThan !== undefined)).toHaveLength(8)
    expect(tokensOf(tabs)).toEqual(same(8, `token-${server.refreshes}`))
  })

  it('are held up by a frozen holder of the lock for 250 ms at most', async () => {
    const server = sessionServer()
    const others = await openTabs(2, server, origin)
    const holder = origin.openTab()
    void holder.locks.request('token-bridge', () => new Promise(() => {}))
    await settle()
    holder.freeze()
    const started = Date.now()
    const rotations = others.map(({ bridge }) => bridge.rotate().then(() => Date.now() - started))
    await vi.advanceTimersByTimeAsync(SECOND)
    for (const duration of await Promise.all(rotations)) {
      expect(duration).toBeGreaterThanOrEqual(250)
      expect(duration).toBeLessThanOrEqual(250 + 20)
    }
    holder.close()
  })

  it('wait for no lock when they have no token', async () => {
    const server = sessionServer()
    const holder = origin.openTab()
    void holder.locks.request('token-bridge', () => new Promise(() => {}))
    const { bridge } = openTab(origin, server)
    bridge.start()
    await vi.advanceTimersByTimeAsync(20)
    expect(bridge.snapshot.status).toBe('ready')
    holder.close()
  })

  it('hold no lock while nobody rotates', async () => {
    const server = sessionServer()
    const tabs = await openTabs(8, server, origin)
    await Promise.all([
      ...tabs.map(({ bridge }) => bridge.rotate()),
      vi.advanceTimersByTimeAsync(5 * SECOND),
    ])
    expect(origin.census()).toMatchObject({ heldLocks: 0, waitingLocks: 0 })
  })
})

describe('a sign-out in one of eight tabs', () => {
  it('empties all others within one second', async () => {
    const server = sessionServer()
    const tabs = await openTabs(8, server, origin)
    server.endSession()
    void tabs[0]?.bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(100)
    expect(tokensOf(tabs)).toEqual(same(8, undefined))
    expect(tabs.map(({ bridge }) => bridge.snapshot.status)).toEqual(same(8, 'signed-out'))
    expect(tabs.flatMap(({ types }) => types().filter((type) => type === 'auth-reset'))).toEqual(
      same(8, 'auth-reset'),
    )
  })

  it('empties them also when the page stops the bridge while its cleanups are still running', async () => {
    const server = sessionServer()
    const tabs = await openTabs(8, server, origin)
    server.endSession()
    tabs[0]?.bridge.onCleanup('slow', () => delayOf(SECOND))
    void tabs[0]?.bridge.reset('sign-out')
    tabs[0]?.bridge.stop()
    await vi.advanceTimersByTimeAsync(100)
    expect(tokensOf(tabs)).toEqual(same(8, undefined))
    expect(
      origin.posted.filter((message) => JSON.stringify(message).includes('reset')),
    ).toHaveLength(2 + 7)
  })

  // okta-auth-js PR #889: the other tabs acted before the first had ended the session.
  it('empties them also when the server ends the session 500 ms after the tabs were told', async () => {
    const server = sessionServer()
    const tabs = await openTabs(8, server, origin)
    void tabs[0]?.bridge.reset('sign-out')
    setTimeout(() => server.endSession(), 500)
    await vi.advanceTimersByTimeAsync(400)
    expect(tokensOf(tabs).filter((token) => token !== undefined)).toHaveLength(7)
    await vi.advanceTimersByTimeAsync(600)
    expect(tokensOf(tabs)).toEqual(same(8, undefined))
    expect(server.refreshes).toBe(1)
  })

  it('empties them also when a cleanup ends the session after seconds: the tabs are told again when it is done', async () => {
    const server = sessionServer()
    const tabs = await openTabs(8, server, origin)
    tabs[0]?.bridge.onCleanup('server-session', async () => {
      await delayOf(3 * SECOND)
      server.endSession()
    })
    void tabs[0]?.bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(2_900)
    expect(tokensOf(tabs).filter((token) => token !== undefined)).toHaveLength(7)
    await vi.advanceTimersByTimeAsync(200)
    expect(tokensOf(tabs)).toEqual(same(8, undefined))
  })

  it('empties them also when the first sign-out did not reach the server, and a second one did', async () => {
    const server = sessionServer()
    const tabs = await openTabs(8, server, origin)
    void tabs[0]?.bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(2 * SECOND)
    expect(tokensOf(tabs).filter((token) => token !== undefined)).toHaveLength(7)
    server.endSession()
    void tabs[0]?.bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(100)
    expect(tokensOf(tabs)).toEqual(same(8, undefined))
  })

  it('empties them also when it is the third in five seconds', async () => {
    const server = sessionServer()
    const tabs = await openTabs(2, server, origin)
    for (let time = 1; time <= 3; time += 1) {
      server.endSession()
      void tabs[0]?.bridge.reset('sign-out')
      await vi.advanceTimersByTimeAsync(100)
      expect(tokensOf(tabs)).toEqual([undefined, undefined])
      server.beginSession()
      for (const { bridge } of tabs)
        await Promise.all([bridge.rotate(), vi.advanceTimersByTimeAsync(200)])
      expect(tokensOf(tabs)).not.toContain(undefined)
      await vi.advanceTimersByTimeAsync(SECOND)
    }
  })

  it('empties a tab that was only just loading its token', async () => {
    const server = sessionServer({ latency: 200 })
    const [first] = await openTabs(1, server, origin)
    const late = openTab(origin, server)
    late.bridge.start()
    // The server has answered, and the answer is on its way.
    await vi.advanceTimersByTimeAsync(110)
    server.endSession()
    void first?.bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(late.bridge.snapshot.status).toBe('signed-out')
    expect(late.reader.current()).toBeNull()
  })

  it('empties a tab whose answers take longer than the second look', async () => {
    const server = sessionServer({ latency: 800 })
    const tabs = await openTabs(2, server, origin)
    void tabs[0]?.bridge.reset('sign-out')
    setTimeout(() => server.endSession(), 500)
    await vi.advanceTimersByTimeAsync(2 * SECOND)
    expect(tabs[1]?.bridge.snapshot.status).toBe('signed-out')
  })

  it('costs the others four questions each, and none a refresh', async () => {
    const server = sessionServer()
    const tabs = await openTabs(8, server, origin)
    const { refreshes } = server
    // The session stays: somebody merely says that it ended.
    void tabs[0]?.bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(server.questions).toHaveLength(7 * 4)
    expect(server.questions.map(({ newerThan }) => newerThan)).toEqual(same(28, undefined))
    expect(server.refreshes).toBe(refreshes)
  })

  it('costs nothing in a tab that holds nothing', async () => {
    const server = sessionServer()
    const tabs = await openTabs(2, server, origin)
    await Promise.all([tabs[1]?.bridge.reset('sign-out'), settle()])
    await vi.advanceTimersByTimeAsync(SECOND)
    server.questions.length = 0
    await Promise.all([tabs[0]?.bridge.reset('sign-out'), settle()])
    await vi.advanceTimersByTimeAsync(10 * SECOND)
    expect(server.questions).toEqual([])
  })

  it('leaves tabs with another name alone', async () => {
    const server = sessionServer()
    const [first] = await openTabs(1, server, origin, { tabs: { name: 'shop' } })
    const [other] = await openTabs(1, server, origin, { tabs: { name: 'admin' } })
    server.endSession()
    void first?.bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(2 * SECOND)
    expect(server.questions).toEqual([])
    expect(other?.reader.current()).not.toBeNull()
  })
})

describe('a sign-in in one tab', () => {
  it('brings back the tabs whose session had ended', async () => {
    const server = sessionServer()
    const tabs = await openTabs(3, server, origin)
    server.endSession()
    void tabs[0]?.bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(tokensOf(tabs)).toEqual(same(3, undefined))
    server.beginSession()
    await Promise.all([tabs[0]?.bridge.rotate(), vi.advanceTimersByTimeAsync(SECOND)])
    expect(tabs.map(({ bridge }) => bridge.snapshot.status)).toEqual(same(3, 'ready'))
  })

  // logto-io/kotlin#253: credentials came back after the user had signed out.
  it('does not bring back a tab in which the user signed out by hand', async () => {
    const server = sessionServer()
    const tabs = await openTabs(2, server, origin)
    await Promise.all([tabs[1]?.bridge.reset('sign-out'), settle()])
    await vi.advanceTimersByTimeAsync(10 * SECOND)
    server.questions.length = 0
    await Promise.all([tabs[0]?.bridge.rotate(), vi.advanceTimersByTimeAsync(10 * SECOND)])
    expect(tabs[1]?.bridge.snapshot.status).toBe('signed-out')
    expect(server.questions.filter(({ tab }) => tab === 1)).toEqual([])
  })

  it('does not bring a token into a tab that is switched off', async () => {
    let enabled = true
    const server = sessionServer()
    const [first] = await openTabs(1, server, origin)
    const off = openTab(origin, server, { enabled: () => enabled })
    off.bridge.start()
    await vi.advanceTimersByTimeAsync(SECOND)
    server.endSession()
    void first?.bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(off.bridge.snapshot.status).toBe('signed-out')
    enabled = false
    await vi.advanceTimersByTimeAsync(2 * SECOND)
    expect(off.bridge.snapshot.mode).toBe('cookie-only')
    server.beginSession()
    server.questions.length = 0
    await Promise.all([first?.bridge.rotate(), vi.advanceTimersByTimeAsync(10 * SECOND)])
    expect(server.questions.filter(({ tab }) => tab === off.tab.number)).toEqual([])
    expect(off.bridge.snapshot).toMatchObject({ mode: 'cookie-only', expiresAt: null })
  })
})

describe('the kill switch, thrown in one of eight tabs', () => {
  it('makes the others ask for it at once, and all move together', async () => {
    let enabled = true
    const server = sessionServer()
    const rechecks: number[] = []
    const tabs = Array.from({ length: 8 }, (_, number) => {
      let next: (value: boolean) => void = () => {}
      const tab = openTab(origin, server, {
        enabled: {
          subscribe(observer) {
            next = observer.next
            observer.next(enabled)
            return { unsubscribe() {} }
          },
          recheck() {
            rechecks.push(number)
            next(enabled)
          },
        },
      })
      return { ...tab, recheck: () => next(enabled) }
    })
    for (const { bridge } of tabs) bridge.start()
    await vi.advanceTimersByTimeAsync(SECOND)
    server.questions.length = 0
    enabled = false
    tabs[0]?.recheck()
    await vi.advanceTimersByTimeAsync(250)
    expect(tabs.map(({ bridge }) => bridge.snapshot.mode)).toEqual(same(8, 'cookie-only'))
    expect(tokensOf(tabs)).toEqual(same(8, undefined))
    // Each of the eight tells the others, who have moved already; each asks its flag three times at most.
    await vi.advanceTimersByTimeAsync(MINUTE)
    for (let number = 0; number < 8; number += 1)
      expect(rechecks.filter((tab) => tab === number).length).toBeLessThanOrEqual(3)
    expect(server.questions).toEqual([])
  })
})

describe('a script of the origin that floods the channel', () => {
  it('makes a tab ask eight times at most for 10,000 signals, and changes nothing by itself', async () => {
    const server = sessionServer({ lifetime: 10 * HOUR })
    const recheck = vi.fn()
    const [tab] = await openTabs(1, server, origin, {
      enabled: {
        subscribe(observer) {
          observer.next(true)
          return { unsubscribe() {} }
        },
        recheck,
      },
    })
    const before = tab?.bridge.snapshot
    const { say, leave } = stranger()
    for (let signal = 0; signal < 3_334; signal += 1) {
      say(forged.rotated())
      say(forged.reset)
      say(forged.mode)
    }
    await vi.advanceTimersByTimeAsync(MINUTE)
    // Twice for "rotated", and the two looks of "reset": now, and when the floor of five seconds is over.
    expect(server.questions).toHaveLength(8)
    expect(server.questions.map(({ newerThan }) => newerThan)).toEqual(same(8, undefined))
    expect(recheck).toHaveBeenCalledTimes(2)
    expect(server.refreshes).toBe(1)
    expect(tab?.bridge.snapshot).toBe(before)
    expect(tab?.types()).toEqual(['token-rotated'])
    leave()
  })

  it('that never stops costs 40 questions in its first minute at most', async () => {
    const server = sessionServer({ lifetime: 10 * HOUR })
    const [tab] = await openTabs(1, server, origin)
    const { say, leave } = stranger()
    for (let tick = 0; tick < 600; tick += 1) {
      say(forged.rotated())
      say(forged.reset)
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(server.questions.length).toBeLessThanOrEqual(40)
    expect(server.refreshes).toBe(1)
    expect(tab?.types()).toEqual(['token-rotated'])
    leave()
  })

  it('cannot sign anybody out, nor bring anybody back', async () => {
    const server = sessionServer()
    const tabs = await openTabs(2, server, origin)
    await Promise.all([tabs[1]?.bridge.reset('sign-out'), settle()])
    await vi.advanceTimersByTimeAsync(10 * SECOND)
    const { say, leave } = stranger()
    for (const message of [forged.reset, forged.rotated(), forged.mode]) say(message)
    await vi.advanceTimersByTimeAsync(10 * SECOND)
    expect(tabs.map(({ bridge }) => bridge.snapshot.status)).toEqual(['ready', 'signed-out'])
    leave()
  })

  it('meets a server that is down with the token kept, and the circuit opened once', async () => {
    const server = sessionServer({ lifetime: 10 * HOUR })
    const [tab] = await openTabs(1, server, origin)
    server.goDown()
    const { say, leave } = stranger()
    for (let tick = 0; tick < 250; tick += 1) {
      say(forged.rotated())
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(server.questions).toHaveLength(3)
    expect(tab?.reader.current()?.accessToken).toBe('token-1')
    leave()
  })
})

describe('a tab on its own', () => {
  it.each([
    ['no channels', { openChannel: undefined }],
    ['no locks', { locks: undefined }],
    ['neither', { openChannel: undefined, locks: undefined }],
    [
      'a channel that is refused',
      {
        openChannel: () => {
          throw new DOMException('opaque origin', 'SecurityError')
        },
      },
    ],
  ])('is fully correct with %s', async (_, environment) => {
    const server = sessionServer()
    const { bridge, reader } = openTab(origin, server, { environment })
    bridge.start()
    await vi.advanceTimersByTimeAsync(30 * MINUTE)
    expect(reader.current()).not.toBeNull()
    expect(server.refreshes).toBeGreaterThanOrEqual(9)
    await Promise.all([bridge.reset('sign-out'), settle()])
    expect(reader.current()).toBeNull()
  })

  it('asks for neither when tabs are switched off', async () => {
    const server = sessionServer()
    const openChannel = vi.fn()
    const request = vi.fn()
    const { bridge } = openTab(origin, server, {
      tabs: false,
      environment: { openChannel, locks: { request } },
    })
    bridge.start()
    await vi.advanceTimersByTimeAsync(30 * MINUTE)
    expect([openChannel.mock.calls.length, request.mock.calls.length]).toEqual([0, 0])
    expect(bridge.snapshot.status).toBe('ready')
  })

  // clerk PR #8969: a throwing postMessage evicted the good token that it was announcing.
  it('keeps its token and finishes its reset when the channel throws', async () => {
    const server = sessionServer()
    const faults: unknown[] = []
    const { bridge, reader } = openTab(origin, server, {
      environment: {
        openChannel: () => ({
          ...countingTarget(),
          postMessage() {
            throw new DOMException('Channel is closed', 'InvalidStateError')
          },
          close() {},
        }),
        reportFault: (fault) => faults.push(fault),
      },
    })
    bridge.start()
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(reader.current()?.accessToken).toBe('token-1')
    const [report] = await Promise.all([bridge.reset('sign-out'), settle()])
    expect(report.steps.map(({ name }) => name)).toEqual([
      'abort',
      'wipe',
      'tell',
      'tabs',
      'telemetry',
      'reauthenticate',
    ])
    expect(faults).toHaveLength(2)
  })

  // nextauthjs/next-auth PR #10762: two channels of one window hear each other, so a tab answered its own messages.
  it('with two bridges moves both, and neither answers the other for ever', async () => {
    const server = sessionServer({ lifetime: 10 * HOUR })
    const tabs = await openTabs(2, server, origin)
    await Promise.all([tabs[1]?.bridge.rotate(), vi.advanceTimersByTimeAsync(HOUR)])
    expect(tokensOf(tabs)).toEqual(['token-2', 'token-2'])
    expect(server.questions.length).toBe(2)
    server.endSession()
    void tabs[1]?.bridge.reset('sign-out')
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(tokensOf(tabs)).toEqual([undefined, undefined])
  })
})

describe('what crosses the channel', () => {
  it('is three kinds of message, and no token', async () => {
    let enabled = true
    const server = sessionServer()
    const [tab] = await openTabs(1, server, origin, { enabled: () => enabled })
    await Promise.all([tab?.bridge.rotate(), settle(), vi.advanceTimersByTimeAsync(SECOND)])
    enabled = false
    await vi.advanceTimersByTimeAsync(2 * SECOND)
    enabled = true
    await vi.advanceTimersByTimeAsync(12 * SECOND)
    await Promise.all([tab?.bridge.reset('sign-out'), settle()])
    const posted = origin.posted as { type: string }[]
    expect(posted.map(({ type }) => type)).toEqual([
      'rotated',
      'rotated',
      'mode',
      'mode',
      'rotated',
      'reset',
    ])
    expect(JSON.stringify(posted)).not.toContain('token-')
  })
})
