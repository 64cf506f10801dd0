// oxlint-disable unicorn/require-post-message-target-origin -- a channel never leaves its origin
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../environment.ts'
import {
  endVirtualTime,
  NOW,
  recordedEnvironment,
  rejection,
  SECOND,
  SECRET,
  settle,
} from '../fixtures.test.support.ts'
import { fakeOrigin, type FakeOrigin } from './fake-tabs.test.support.ts'
import type { TabSignal } from './signal.ts'
import { createTabs } from './tabs.ts'

const ROTATED: TabSignal = { type: 'rotated', expiresAt: NOW }
const RESET: TabSignal = { type: 'reset' }
const MODE: TabSignal = { type: 'mode' }

/** Tabs with what they heard. Each draws its own id, as `Math.random` makes sure of. */
function listening(overrides: Partial<Environment>, name = 'token-bridge') {
  const heard: TabSignal[] = []
  const environment = recordedEnvironment({ random: Math.random, ...overrides })
  const onSignal = vi.fn((signal: TabSignal) => void heard.push(signal))
  const tabs = createTabs({ name }, environment, { onSignal })
  return { tabs, heard, onSignal, faults: environment.faults }
}

const openTab = (origin: FakeOrigin, name?: string) => {
  const { openChannel, locks } = origin.openTab()
  return listening({ openChannel, locks }, name)
}

const nothingOpen = { channels: 0, listeners: 0, heldLocks: 0, waitingLocks: 0 }

describe('createTabs', () => {
  let origin: FakeOrigin
  beforeEach(() => {
    vi.useFakeTimers()
    origin = fakeOrigin({ setTimer: (callback, delay) => setTimeout(callback, delay) })
  })
  afterEach(endVirtualTime)

  it('tells every other tab, and not itself', async () => {
    const [teller, ...others] = [openTab(origin), openTab(origin), openTab(origin)]
    for (const { tabs } of [teller, ...others]) tabs.start()
    for (const signal of [ROTATED, MODE, RESET]) teller.tabs.tell(signal)
    await settle()
    for (const { heard } of others) expect(heard).toEqual([ROTATED, MODE, RESET])
    expect(teller.heard).toEqual([])
  })

  it('tells twice, the second time 600 ms later, however often it is asked to meanwhile', async () => {
    const [teller, other] = [openTab(origin), openTab(origin)]
    teller.tabs.start()
    other.tabs.start()
    for (let count = 0; count < 3; count += 1) teller.tabs.tellTwice(RESET)
    await vi.advanceTimersByTimeAsync(599)
    expect(other.heard).toEqual([RESET])
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(other.heard).toEqual([RESET, RESET])
    teller.tabs.tellTwice(RESET)
    await vi.advanceTimersByTimeAsync(SECOND)
    expect(other.heard).toHaveLength(4)
  })

  it('tells the second time when it is stopped before, and keeps no timer', async () => {
    const [teller, other] = [openTab(origin), openTab(origin)]
    other.tabs.start()
    teller.tabs.tellTwice(RESET)
    teller.tabs.start()
    teller.tabs.tellTwice(RESET)
    teller.tabs.stop()
    expect(vi.getTimerCount()).toBe(2)
    await settle()
    expect(other.heard).toEqual([RESET, RESET])
  })

  it('puts nothing but signals on the channel', () => {
    const { tabs } = openTab(origin)
    tabs.start()
    tabs.tell({ ...ROTATED, accessToken: SECRET } as TabSignal)
    tabs.tell(RESET)
    const from = expect.any(Number) as number
    expect(origin.posted).toStrictEqual([
      { v: 1, from, type: 'rotated', expiresAt: NOW },
      { v: 1, from, type: 'reset' },
    ])
    tabs.stop()
  })

  it('keeps apps of different names apart', async () => {
    const [shop, admin] = [openTab(origin, 'shop'), openTab(origin, 'admin')]
    shop.tabs.start()
    admin.tabs.start()
    shop.tabs.tell(RESET)
    await settle()
    expect(admin.heard).toEqual([])
  })

  // nextauthjs/next-auth PR #10762: channel objects of one name in one window hear each other; a tab answered itself.
  it('does not hear itself, even through a second channel of its window', async () => {
    const channels: EventTarget[] = []
    const openChannel = (): BroadcastChannel =>
      Object.assign(new EventTarget(), {
        postMessage(data: unknown) {
          for (const channel of channels) {
            channel.dispatchEvent(new MessageEvent('message', { data }))
          }
        },
        close() {},
      }) as unknown as BroadcastChannel
    const open = () => {
      const channel = openChannel()
      channels.push(channel)
      return channel
    }
    const [one, other] = [listening({ openChannel: open }), listening({ openChannel: open })]
    one.tabs.start()
    other.tabs.start()
    one.tabs.tell(RESET)
    expect([one.heard, other.heard]).toEqual([[], [RESET]])
  })

  it('hears nothing in messages that are not its own format', async () => {
    const { tabs, heard, faults } = openTab(origin)
    tabs.start()
    const hostile = origin.openTab().openChannel('token-bridge')
    for (const data of [null, 'reset', RESET, { v: 1, from: 1, type: 'reset', more: 1 }, [], 7n]) {
      hostile.postMessage(data)
    }
    await settle()
    expect([heard, faults]).toEqual([[], []])
    hostile.postMessage({ v: 1, from: 1, type: 'reset' })
    await settle()
    expect(heard).toEqual([RESET])
    tabs.stop()
    hostile.close()
  })

  it('reports a listener that throws and goes on hearing', async () => {
    const [teller, listener] = [openTab(origin), openTab(origin)]
    teller.tabs.start()
    listener.tabs.start()
    const fault = new Error('listener')
    listener.onSignal.mockImplementationOnce(() => {
      throw fault
    })
    teller.tabs.tell(MODE)
    teller.tabs.tell(RESET)
    await settle()
    expect([listener.faults, listener.heard]).toEqual([[fault], [RESET]])
  })

  // clerk/javascript PR #8969: a postMessage that threw evicted the token it announced.
  // okta/okta-auth-js#1194: 'Channel is closed' as an unhandled rejection.
  it('reports a channel that throws, and harms nobody', () => {
    const { openChannel } = origin.openTab()
    const opened: ReturnType<typeof openChannel>[] = []
    const { tabs, faults } = listening({
      openChannel: (name) => {
        const channel = openChannel(name)
        opened.push(channel)
        return channel
      },
    })
    tabs.start()
    opened[0]?.close()
    expect(() => tabs.tell(ROTATED)).not.toThrow()
    expect(faults).toEqual([expect.objectContaining({ name: 'InvalidStateError' })])
    expect(tabs.stop).not.toThrow()
  })

  it('tells and hears nothing before start() and after stop()', async () => {
    const [teller, listener] = [openTab(origin), openTab(origin)]
    teller.tabs.tell(RESET)
    teller.tabs.start()
    listener.tabs.start()
    teller.tabs.tell(MODE)
    // What is on its way when the tab stops comes too late.
    listener.tabs.stop()
    await settle()
    teller.tabs.stop()
    teller.tabs.tell(RESET)
    listener.tabs.start()
    await settle()
    expect([listener.heard, teller.faults, origin.posted.length]).toEqual([[], [], 1])
    listener.tabs.stop()
  })

  it('leaves nothing open, however often it is started and stopped', async () => {
    const [teller, listener] = [openTab(origin), openTab(origin)]
    for (const { tabs } of [teller, listener]) {
      tabs.start()
      tabs.start()
    }
    expect(origin.census()).toMatchObject({ channels: 2, listeners: 2 })
    const end = await Promise.all([listener.tabs.turn(new AbortController().signal), settle()])
    const caller = new AbortController()
    const waiting = rejection(teller.tabs.turn(caller.signal))
    await settle()
    expect(origin.census()).toMatchObject({ heldLocks: 1, waitingLocks: 1 })
    caller.abort()
    await waiting
    end[0]()
    for (const { tabs } of [teller, listener]) {
      tabs.stop()
      tabs.stop()
    }
    await settle()
    expect([origin.census(), vi.getTimerCount()]).toEqual([nothingOpen, 0])
  })

  it('hears again when it is started again', async () => {
    const [teller, listener] = [openTab(origin), openTab(origin)]
    teller.tabs.start()
    listener.tabs.start()
    listener.tabs.stop()
    listener.tabs.start()
    teller.tabs.tell(RESET)
    await settle()
    expect(listener.heard).toEqual([RESET])
    teller.tabs.stop()
    listener.tabs.stop()
    expect(origin.census()).toEqual(nothingOpen)
  })

  it('reports once that channels are refused, and is a single tab from then on', async () => {
    const refusal = new DOMException('opaque origin', 'SecurityError')
    const openChannel = vi.fn(() => {
      throw refusal
    })
    const { tabs, faults } = listening({ openChannel, locks: undefined })
    for (let time = 0; time < 3; time += 1) {
      tabs.start()
      tabs.tell(RESET)
      tabs.stop()
    }
    const end = await tabs.turn(new AbortController().signal)
    end()
    expect([faults, openChannel.mock.calls.length]).toEqual([[refusal], 1])
  })

  it('needs neither channels nor locks', async () => {
    const { tabs, faults } = listening({ openChannel: undefined, locks: undefined })
    tabs.start()
    tabs.tell(RESET)
    const end = await tabs.turn(new AbortController().signal)
    end()
    tabs.stop()
    expect([faults, vi.getTimerCount()]).toEqual([[], 0])
  })

  it('takes turns under its name', async () => {
    const [shop, again, admin] = [
      openTab(origin, 'shop'),
      openTab(origin, 'shop'),
      openTab(origin, 'admin'),
    ]
    const { signal } = new AbortController()
    const ends = await Promise.all([shop.tabs.turn(signal), admin.tabs.turn(signal), settle()])
    const waiting = again.tabs.turn(signal)
    await settle()
    expect(origin.census()).toMatchObject({ heldLocks: 2, waitingLocks: 1 })
    ends[0]()
    ends[1]()
    await settle()
    const end = await waiting
    end()
    await settle()
    expect(origin.census()).toEqual(nothingOpen)
  })
})

describe('createTabs on the real BroadcastChannel and Web Locks', () => {
  const openChannel = (name: string): BroadcastChannel => new BroadcastChannel(name)

  it('tells eight tabs of a sign-out within one second', async () => {
    const all = Array.from({ length: 8 }, () =>
      listening({ openChannel, locks: navigator.locks }, 'real-tabs'),
    )
    for (const { tabs } of all) tabs.start()
    const [teller, ...others] = all
    const told = performance.now()
    teller?.tabs.tell(RESET)
    await vi.waitFor(() => {
      for (const { heard } of others) expect(heard).toEqual([RESET])
    }, SECOND)
    expect(performance.now() - told).toBeLessThan(SECOND)
    expect(teller?.heard).toEqual([])
    for (const { tabs } of all) tabs.stop()
  })

  it('hears nothing once stopped, and hears again once started', async () => {
    const [teller, stopped, listener] = [1, 2, 3].map(() =>
      listening({ openChannel, locks: navigator.locks }, 'real-stop'),
    )
    for (const tab of [teller, stopped, listener]) tab?.tabs.start()
    stopped?.tabs.stop()
    teller?.tabs.tell(MODE)
    await vi.waitFor(() => expect(listener?.heard).toEqual([MODE]))
    expect(stopped?.heard).toEqual([])
    stopped?.tabs.start()
    teller?.tabs.tell(ROTATED)
    await vi.waitFor(() => expect(stopped?.heard).toEqual([ROTATED]))
    for (const tab of [teller, stopped, listener]) tab?.tabs.stop()
    expect([teller, stopped, listener].flatMap((tab) => tab?.faults)).toEqual([])
  })

  it('holds no lock after its turn', async () => {
    const { tabs } = listening({ openChannel, locks: navigator.locks }, 'real-turn')
    tabs.start()
    const end = await tabs.turn(new AbortController().signal)
    const held = async () =>
      (await navigator.locks.query()).held?.filter(({ name }) => name === 'real-turn').length
    expect(await held()).toBe(1)
    end()
    tabs.stop()
    await vi.waitFor(async () => expect(await held()).toBe(0))
  })
})
