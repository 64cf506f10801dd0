/** authts/oidc-client-ts, its ancestor IdentityModel/oidc-client-js, authts/react-oidc-context. */
import { AuthError, type TokenPayload } from '@token-bridge/core'
import { useAuthToken } from '@token-bridge/react'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { expect, it, vi } from 'vitest'
import {
  failureOf,
  HOUR,
  inVirtualTime,
  MINUTE,
  pass,
  SECOND,
  settle,
  sleep,
  startPage,
  startTabs,
} from './support.ts'

inVirtualTime()

const unreachable = () =>
  new AuthError('ERR_SYNC_NETWORK', 'No network yet.', { phase: 'sync', retryable: true })

it('oidc-client-ts#430: tabs that rotate at the same time cost one refresh and no session', async () => {
  const { authority, tabs } = await startTabs(4)
  const rotations = tabs.map(({ bridge }) => bridge.rotate())
  await pass(SECOND)
  for (const token of await Promise.all(rotations)) expect(token.accessToken).toBe('fake-token-2')
  expect(authority.issued).toHaveLength(2)
})

it('oidc-client-ts#1618: the automatic renewal and one by hand are the same one', async () => {
  const { bridge, reader, authority } = await startPage()
  const answers = authority.hold()
  await pass(3.5 * MINUTE)
  expect(authority.requests.map(({ reason }) => reason)).toEqual(['hydrate', 'schedule'])
  const byHand = bridge.rotate()
  sleep(2 * MINUTE)
  const byRemote = reader.ready()
  answers.release()
  expect((await byHand).generation).toBe(2)
  expect((await byRemote).generation).toBe(2)
  expect(authority.calls).toBe(2)
})

it('oidc-client-ts#251: a wake-up before the network is there does not end the renewals', async () => {
  const { reader, authority, focus } = await startPage()
  authority.fail(unreachable())
  sleep(HOUR)
  focus()
  await pass(5 * MINUTE)
  authority.recover()
  await pass(2 * MINUTE)
  expect(reader.current()?.accessToken).toBe(authority.issued.at(-1))
  const before = authority.issued.length
  await pass(5 * MINUTE)
  expect(authority.issued.length).toBeGreaterThan(before)
})

it('oidc-client-ts#251: without a network nothing is asked, and once when it is back', async () => {
  const { reader, authority, goOffline, goOnline, focus } = await startPage()
  goOffline()
  sleep(HOUR)
  focus()
  await pass(HOUR)
  expect(authority.calls).toBe(1)
  goOnline()
  await settle()
  expect(reader.current()?.accessToken).toBe('fake-token-2')
  expect(authority.calls).toBe(2)
})

it('oidc-client-ts#954: timers that a hidden tab holds back let no stale token out', async () => {
  // As browsers do it to a hidden tab: once a minute, on the minute.
  const setTimer = (callback: () => void, delay: number): unknown => {
    const due = Math.ceil((Date.now() + delay) / MINUTE) * MINUTE
    return setTimeout(callback, due - Date.now())
  }
  const { reader, authority, hide } = await startPage({ environment: { setTimer } })
  hide()
  for (let minute = 0; minute < 30; minute += 1) {
    await pass(MINUTE - 1)
    const { expiresAt } = reader.current() ?? { expiresAt: Number.POSITIVE_INFINITY }
    expect(expiresAt).toBeGreaterThan(Date.now() + MINUTE)
    await pass(1)
  }
  // Not one more than a tab whose timers are punctual needs.
  expect(authority.calls).toBeLessThanOrEqual(10)
  const token = reader.ready()
  await settle()
  expect((await token).expiresAt).toBeGreaterThan(Date.now() + MINUTE)
})

it('oidc-client-ts#2289: an endpoint that hangs is told of, and asked less and less', async () => {
  const { source, calls } = hangingSource()
  const { bridge, reader, count } = await startPage({ source })
  expect(await failureOf(reader.ready(), MINUTE)).toBe('ERR_MAINTENANCE')
  expect(count('maintenance-entered')).toBe(1)
  expect(bridge.snapshot).toMatchObject({
    status: 'maintenance',
    error: { code: 'ERR_SYNC_TIMEOUT' },
  })
  await pass(HOUR)
  // Every five seconds would be 720.
  expect(calls()).toBeLessThanOrEqual(60)
  expect(calls()).toBeGreaterThan(20)
})

function hangingSource() {
  let calls = 0
  return {
    calls: () => calls,
    source: () => {
      calls += 1
      return new Promise<TokenPayload | null>(() => {})
    },
  }
}

it('oidc-client-ts#1601: a token that has already expired is renewed when the bridge starts', async () => {
  const { bridge, reader, authority } = await startPage()
  bridge.stop()
  await pass(HOUR)
  expect(reader.current()).toBeNull()
  bridge.start()
  await settle()
  expect(authority.requests.at(-1)?.reason).toBe('expired')
  expect(reader.current()?.accessToken).toBe('fake-token-2')
})

it('oidc-client-js#1046: a renewal that ends after the sign-out signs nobody in', async () => {
  const { bridge, reader, authority, count } = await startPage()
  const late = authority.hold({ ignoreAbort: true })
  await pass(3.5 * MINUTE)
  expect(late.waiting).toBe(1)
  const report = bridge.reset('sign-out')
  late.release()
  await report
  await pass(HOUR)
  expect(bridge.snapshot.status).toBe('signed-out')
  expect(reader.current()).toBeNull()
  expect(count('token-rotated')).toBe(1)
})

it('oidc-client-js#143: without any event of the browser, half a minute after the sleep all is well', async () => {
  const { reader, authority, count } = await startPage()
  sleep(8 * HOUR)
  await pass(30 * SECOND)
  expect(count('token-expired')).toBe(1)
  expect(reader.current()?.accessToken).toBe('fake-token-2')
  expect(authority.calls).toBe(2)
})

it('oidc-client-js#440: a renewal that fails is tried again by itself', async () => {
  const { reader, authority } = await startPage()
  authority.fail(503, { times: 1, retryAfter: 0 })
  await pass(4 * MINUTE)
  expect(authority.calls).toBe(3)
  expect(reader.current()?.accessToken).toBe('fake-token-2')
})

it('react-oidc-context#1861, #372, PR #859: a hook outside its provider says so at once', () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const Lost = () => useAuthToken()
  expect(() => renderToString(createElement(Lost))).toThrow('AuthProvider')
})
