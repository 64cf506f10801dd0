/** clerk/javascript. */
import { AuthError } from '@token-bridge/core'
import { createFakeAuthority } from '@token-bridge/testing'
import { expect, it, vi } from 'vitest'
import {
  API,
  failureOf,
  HOUR,
  inVirtualTime,
  MINUTE,
  openPage,
  pass,
  SECOND,
  settle,
  sleep,
  startPage,
  startTabs,
  watched,
} from './support.ts'

inVirtualTime()

it('clerk PR #8004: a 429 signs nobody out and starts no loop', async () => {
  const { bridge, authority, count } = await startPage()
  authority.fail(429)
  sleep(HOUR)
  const waiting = failureOf(bridge.reader('orders').ready(), 11 * SECOND)
  expect(await waiting).toBe('ERR_MAINTENANCE')
  // Theirs: more than thirty in these eleven seconds.
  expect(authority.calls).toBeLessThanOrEqual(4)
  expect(count('auth-reset')).toBe(0)
  expect(bridge.snapshot.status).toBe('maintenance')
})

it.each([
  ['an empty token', { accessToken: '', expiresAt: 4e12 }],
  ['no token', { expiresAt: 4e12 }],
  ['an empty object', {}],
  ['no expiry', { accessToken: 'token' }],
])('clerk PR #7912: %s in an answer is an error, and never dispatched', async (_what, payload) => {
  const { bridge, reader, authority, count } = await startPage()
  const seen: string[] = []
  reader.getToken().subscribe(({ accessToken }) => seen.push(accessToken))
  authority.answerOnce(payload)
  const rotation = bridge.rotate()
  await settle()
  expect(count('rotation-failed')).toBe(1)
  expect(reader.current()?.accessToken).toBe('fake-token-1')
  await pass(SECOND)
  await rotation
  expect(seen).toEqual(['fake-token-1', 'fake-token-2'])
})

it('clerk#7598: offline has an error of its own, and the user stays signed in', async () => {
  const { bridge, authority, goOffline, count } = await startPage()
  goOffline()
  expect(await failureOf(bridge.rotate())).toBe('ERR_OFFLINE')
  sleep(HOUR)
  await pass(HOUR)
  expect(count('auth-reset')).toBe(0)
  expect(bridge.snapshot.status).toBe('loading')
  expect(authority.calls).toBe(1)
})

it('clerk PR #8969: a channel that throws costs the token that it announces nothing', async () => {
  const target = new EventTarget()
  const channel = {
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
    close() {},
    postMessage() {
      throw new DOMException('The channel is broken', 'DataCloneError')
    },
  }
  const { bridge, reader, faults } = await startPage({
    environment: { openChannel: () => channel },
  })
  const told = vi.fn()
  reader.getToken().subscribe(told)
  await bridge.rotate()
  expect(reader.current()?.generation).toBe(2)
  expect(told).toHaveBeenCalledTimes(2)
  expect(faults).toHaveLength(2)
})

it('clerk PR #9215: eight tabs, seven of them in the background, refresh the session no oftener than one', async () => {
  const refreshesOf = async (count: number): Promise<number> => {
    const { authority, tabs } = await startTabs(Math.max(count, 2))
    for (const { bridge } of tabs.slice(count)) bridge.stop()
    for (const { hide } of tabs.slice(1)) hide()
    await pass(4 * HOUR)
    for (const { bridge } of tabs) bridge.stop()
    return authority.issued.length
  }
  const alone = await refreshesOf(1)
  // Whoever draws the earliest moment decides for all, so a little earlier each time.
  expect(await refreshesOf(8)).toBeLessThanOrEqual(Math.ceil(alone * 1.05))
})

it('clerk PR #7304, #6891, #7317: a tab that hears of a rotation has the same token, without a second refresh', async () => {
  const { authority, tabs } = await startTabs(2)
  const rotation = tabs[0].bridge.rotate()
  await pass(SECOND)
  expect(tabs[1].reader.current()?.accessToken).toBe((await rotation).accessToken)
  expect(authority.issued).toHaveLength(2)
})

it('clerk PR #5397: a slow endpoint has one question at a time from a tab', async () => {
  const authority = createFakeAuthority({ lifetime: 70 * SECOND })
  const server = watched(authority.source, 9 * SECOND)
  const { bridge, reader, focus } = openPage({ authority, source: server.source })
  bridge.start()
  for (let second = 0; second < 600; second += 1) {
    focus()
    void reader.ready().catch(() => {})
    if (second % 7 === 0) void bridge.rotate().catch(() => {})
    await pass(SECOND)
  }
  expect(server.calls).toBeGreaterThan(10)
  expect(server.peak).toBe(1)
})

it('clerk#1616: a refresh that fails in the background crashes nothing, and a 401 is an answer like any other', async () => {
  const unhandled = vi.fn()
  process.on('unhandledRejection', unhandled)
  const { reader, authority, faults, hide, answerWith } = await startPage()
  hide()
  authority.fail(new AuthError('ERR_SYNC_NETWORK', 'No network.', { phase: 'sync' }))
  await pass(3.9 * MINUTE)
  answerWith(401)
  const response = reader.fetch(`${API}/orders`)
  await pass(HOUR)
  expect((await response).status).toBe(401)
  vi.useRealTimers()
  await new Promise((resolve) => setTimeout(resolve, 5))
  vi.useFakeTimers()
  process.off('unhandledRejection', unhandled)
  expect(unhandled).not.toHaveBeenCalled()
  expect(faults).toEqual([])
})
