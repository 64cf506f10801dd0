/** Storms, wake-ups and self-answers of others: superset, LangAlpha, workos, next-auth, oidc-spa. */
import { createFakeAuthority } from '@token-bridge/testing'
import { expect, it, vi } from 'vitest'
import type { TabChannel } from '@token-bridge/core'
import {
  API,
  failureOf,
  freezeInTurn,
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
} from './support.ts'

inVirtualTime()

it('superset#5513, PR #5518: a broken session costs few calls, and the breaker does not lock the sign-in out', async () => {
  const { bridge, reader, authority, requests } = await startPage()
  const answered = authority.calls
  authority.fail(500)
  sleep(HOUR)
  for (let minute = 0; minute < 60; minute += 1) {
    for (let times = 0; times < 50; times += 1) void reader.fetch(`${API}/orders`).catch(() => {})
    await pass(MINUTE)
  }
  expect(authority.calls - answered).toBeLessThanOrEqual(60)
  expect(requests).toEqual([])
  // The person signs in anew, and the circuit is still open.
  expect(bridge.snapshot.status).toBe('maintenance')
  bridge.updateToken({ accessToken: 'signed-in', expiresAt: Date.now() + 10 * MINUTE })
  expect(bridge.snapshot.status).toBe('ready')
  await reader.fetch(`${API}/orders`)
  expect(requests).toEqual([{ url: `${API}/orders`, authorization: 'Bearer signed-in' }])
})

it('superset#5513: an API that refuses every token costs a bounded number of refreshes', async () => {
  const { bridge, reader, authority, answerWith } = await startPage()
  const reports = bridge.reader('reports')
  answerWith(401)
  for (let second = 0; second < 3_600; second += 1) {
    for (const each of [reader, reports, reader]) void each.fetch(`${API}/orders`).catch(() => {})
    await pass(SECOND)
  }
  // Of its own accord it rotates seventeen times in an hour.
  expect(authority.calls).toBeLessThanOrEqual(50)
})

it.each([429, 503])(
  'LangAlpha PR #387: a %i is "later" behind the same breaker, and no remap makes more calls of it',
  async (status) => {
    const { bridge, reader, authority } = await startPage()
    authority.fail(status)
    sleep(HOUR)
    expect(await failureOf(reader.ready(), MINUTE)).toBe('ERR_MAINTENANCE')
    // Theirs: nine without the remap, forty with it.
    expect(authority.calls - 1).toBeLessThanOrEqual(5)
    expect(bridge.snapshot.status).toBe('maintenance')
    // The breaker is for rotation only.
    authority.recover()
    void bridge.reset('sign-out')
    const signIn = bridge.rotate()
    await settle()
    expect((await signIn).accessToken).toBe('fake-token-2')
  },
)

it('LangAlpha PR #387: an expiry of the server is never compared with the clock of the machine', async () => {
  const year = 365 * 24 * HOUR
  const { reader, authority, count } = await startPage({
    environment: { wallClock: () => Date.now() - year },
  })
  await pass(HOUR)
  expect(reader.current()?.accessToken).toBe(authority.issued.at(-1))
  expect(authority.calls).toBeLessThanOrEqual(19)
  expect(count('token-expired')).toBe(0)
})

it('workos PR #117: a sleep in the middle of a wait for the lock ends in a token, not in an error', async () => {
  const { authority, tabs } = await startTabs(2)
  const [holder, other] = tabs
  await freezeInTurn(holder)
  const rotation = other.bridge.rotate()
  await pass(100)
  // A valid token beats the lock.
  expect((await other.reader.ready()).generation).toBe(1)
  sleep(8 * HOUR)
  await pass(150)
  expect((await rotation).accessToken).toBe(authority.issued.at(-1))
  expect(other.count('rotation-failed')).toBe(0)
})

it('next-auth PR #10762: a tab does not answer its own messages', async () => {
  const channels: EventTarget[] = []
  // Everybody in the window hears it, whoever says it.
  const openChannel = (): TabChannel => {
    const target = new EventTarget()
    channels.push(target)
    return Object.assign(target, {
      close() {},
      postMessage(data: unknown) {
        for (const channel of channels) channel.dispatchEvent(new MessageEvent('message', { data }))
      },
    })
  }
  const recheck = vi.fn()
  let tell = (_enabled: boolean): void => {}
  const { bridge, authority, count } = await startPage({
    environment: { openChannel },
    enabled: {
      subscribe({ next }) {
        tell = next
        next(true)
        return { unsubscribe() {} }
      },
      recheck,
    },
  })
  const rotation = bridge.rotate()
  await pass(10 * SECOND)
  expect((await rotation).generation).toBe(2)
  void bridge.reset('sign-out')
  await pass(10 * SECOND)
  expect(authority.calls).toBe(2)
  expect(count('auth-reset')).toBe(1)
  tell(false)
  await pass(10 * SECOND)
  expect(count('mode-changed')).toBe(1)
  expect(recheck).not.toHaveBeenCalled()
})

it('oidc-spa#32: the same remote gets the same reader, and different demands are refused with a reason', () => {
  const { bridge } = openPage()
  expect(bridge.reader('reports')).toBe(bridge.reader('reports'))
  expect(() => bridge.reader('reports', { access: 'fetch' })).toThrow(
    expect.objectContaining({ code: 'ERR_CONFIG' }),
  )
})

it.each([-HOUR, HOUR])(
  'oidc-spa#82: a clock that is out by %i ms delays no renewal',
  async (error) => {
    const { reader, authority } = await startPage({
      authority: createFakeAuthority({ lifetime: 10 * MINUTE }),
      environment: { wallClock: () => Date.now() + error },
    })
    await pass(8 * MINUTE)
    expect(authority.calls).toBe(1)
    await pass(MINUTE - 1)
    expect(authority.calls).toBe(2)
    expect(reader.current()?.generation).toBe(2)
  },
)
