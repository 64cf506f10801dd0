// oxlint-disable unicorn/require-post-message-target-origin -- a channel never leaves its origin
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../environment.ts'
import { endVirtualTime, rejection, settle, thrown } from '../fixtures.test.support.ts'
import { fakeOrigin, type FakeTab } from './fake-tabs.test.support.ts'

const setTimer: Environment['setTimer'] = (callback, delay) => setTimeout(callback, delay)

/** Everything that a channel hears from now on. */
function record(channel: ReturnType<FakeTab['openChannel']>): unknown[] {
  const heard: unknown[] = []
  channel.addEventListener('message', (event) => void heard.push(event.data))
  return heard
}

type Opened = Pick<FakeTab, 'openChannel' | 'locks'>

const real = (): Opened => ({
  openChannel: (name) => new BroadcastChannel(name),
  locks: navigator.locks,
})

// What holds of the fake holds of the real ones, so that what tests prove on it means something.
describe.each([
  ['the fake', (): (() => Opened) => fakeOrigin({ setTimer }).openTab],
  ['the real ones', (): (() => Opened) => real],
])('%s', (kind, createOrigin) => {
  const name = `fake-tabs ${kind}`

  it('delivers copies, in order, to all other channels of the name', async () => {
    const openTab = createOrigin()
    const [one, two, three] = [openTab(), openTab(), openTab()].map((tab) => tab.openChannel(name))
    const elsewhere = openTab().openChannel(`${name} too`)
    if (!one || !two || !three) throw new Error('three')
    const [own, heard, too, others] = [one, two, three, elsewhere].map(record)
    const message = { list: [1] }
    one.postMessage(message)
    message.list.push(2)
    one.postMessage('second')
    await vi.waitFor(() => {
      for (const log of [heard, too]) expect(log).toEqual([{ list: [1] }, 'second'])
    })
    expect([own, others]).toEqual([[], []])
    for (const channel of [one, two, three, elsewhere]) channel.close()
    expect(thrown(() => one.postMessage('late'))).toMatchObject({ name: 'InvalidStateError' })
  })

  it('refuses what cannot be copied', () => {
    const channel = createOrigin()().openChannel(name)
    expect(thrown(() => channel.postMessage(() => {}))).toMatchObject({ name: 'DataCloneError' })
    channel.close()
  })

  it('grants a lock to one after another, in the order of the requests', async () => {
    const openTab = createOrigin()
    const log: string[] = []
    const use = (who: string) =>
      openTab().locks.request(name, async () => {
        log.push(`${who} in`)
        await new Promise((resolve) => setTimeout(resolve, 2))
        log.push(`${who} out`)
        return who
      })
    expect(await Promise.all([use('a'), use('b'), use('c')])).toEqual(['a', 'b', 'c'])
    expect(log).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
  })

  it('passes on what its holder throws, and frees the lock', async () => {
    const { locks } = createOrigin()()
    const failed = locks.request(name, async () => {
      throw new Error('holder')
    })
    expect(await rejection(failed)).toEqual(new Error('holder'))
    expect(await locks.request(name, () => 'next')).toBe('next')
  })

  it('takes a request out of the queue when its signal aborts, and leaves a holder alone', async () => {
    const openTab = createOrigin()
    let free = (): void => {}
    const [holder, waiter] = [new AbortController(), new AbortController()]
    const holding = openTab().locks.request(
      name,
      { signal: holder.signal },
      () =>
        new Promise<string>((resolve) => {
          free = () => resolve('held')
        }),
    )
    const callback = vi.fn()
    const waiting = rejection(openTab().locks.request(name, { signal: waiter.signal }, callback))
    await new Promise((resolve) => setTimeout(resolve, 20))
    holder.abort()
    waiter.abort(new Error('enough'))
    expect(await waiting).toEqual(new Error('enough'))
    free()
    expect(await holding).toBe('held')
    expect(callback).not.toHaveBeenCalled()
    const aborted = openTab().locks.request(name, { signal: waiter.signal }, callback)
    expect(await rejection(aborted)).toEqual(new Error('enough'))
  })
})

describe('fakeOrigin', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(endVirtualTime)

  it('delays and loses messages as it is told', async () => {
    const origin = fakeOrigin({
      setTimer,
      delay: (_, to) => to * 100,
      isLost: (from, to) => from === 2 && to === 0,
    })
    const channels = [0, 1, 2].map(() => origin.openTab().openChannel('shop'))
    const heard = channels.map(record)
    channels[0]?.postMessage('from 0')
    channels[2]?.postMessage('from 2')
    await vi.advanceTimersByTimeAsync(100)
    expect(heard).toEqual([[], ['from 0', 'from 2'], []])
    await vi.advanceTimersByTimeAsync(100)
    expect(heard).toEqual([[], ['from 0', 'from 2'], ['from 0']])
    expect(origin.posted).toEqual(['from 0', 'from 2'])
  })

  it('keeps what a frozen tab is sent, and its locks', async () => {
    const origin = fakeOrigin({ setTimer })
    const [frozen, other] = [origin.openTab(), origin.openTab()]
    const heard = record(frozen.openChannel('shop'))
    const channel = other.openChannel('shop')
    const granted = vi.fn(() => new Promise(() => {}))
    frozen.freeze()
    void frozen.locks.request('turn', granted)
    const next = vi.fn()
    void other.locks.request('turn', next)
    for (const message of [1, 2, 3]) channel.postMessage(message)
    await settle()
    expect([heard, granted.mock.calls, next.mock.calls]).toEqual([[], [], []])
    expect(origin.census()).toMatchObject({ heldLocks: 1, waitingLocks: 1 })
    frozen.thaw()
    await settle()
    expect([heard, granted.mock.calls.length, next.mock.calls.length]).toEqual([[1, 2, 3], 1, 0])
  })

  it('frees what a closed tab had, and counts what is left', async () => {
    const origin = fakeOrigin({ setTimer })
    const [closed, other] = [origin.openTab(), origin.openTab()]
    const heard = record(closed.openChannel('shop'))
    void closed.locks.request('turn', () => new Promise(() => {}))
    await settle()
    const next = vi.fn()
    void other.locks.request('turn', next)
    other.openChannel('shop').postMessage('late')
    expect(origin.census()).toEqual({ channels: 2, listeners: 1, heldLocks: 1, waitingLocks: 1 })
    closed.close()
    await settle()
    expect([heard, next.mock.calls.length]).toEqual([[], 1])
    expect(origin.census()).toEqual({ channels: 1, listeners: 0, heldLocks: 0, waitingLocks: 0 })
    const late = closed.locks.request('turn', next)
    expect(await rejection(late)).toMatchObject({ name: 'InvalidStateError' })
  })

  it('refuses to steal', async () => {
    const { locks } = fakeOrigin({ setTimer }).openTab()
    expect(() => locks.request('turn', { steal: true }, () => {})).toThrow('steal')
  })
})
