/** AxaFrance/oidc-client. */
import { createFakeAuthority } from '@token-bridge/testing'
import { expect, it } from 'vitest'
import {
  API,
  failureOf,
  HOUR,
  inVirtualTime,
  openPage,
  pass,
  SECOND,
  sleep,
  startPage,
  startTabs,
  watched,
} from './support.ts'

inVirtualTime()

it('axa#1653: requests that meet an expired token and a dead endpoint fail with a reason, and soon', async () => {
  const { bridge, reader, authority, requests } = await startPage()
  authority.fail(500)
  sleep(HOUR)
  const sent = reader.fetch(`${API}/orders`)
  expect(await failureOf(sent, 5 * SECOND)).toBe('ERR_MAINTENANCE')
  expect(bridge.snapshot).toMatchObject({
    status: 'maintenance',
    error: { code: 'ERR_SYNC_STATUS' },
  })
  const calls = authority.calls
  for (let index = 0; index < 100; index += 1) {
    expect(await failureOf(reader.fetch(`${API}/orders/${index}`))).toBe('ERR_MAINTENANCE')
  }
  expect(authority.calls).toBe(calls)
  expect(requests).toEqual([])
})

it('axa#1282: whoever steps away from a dead endpoint and comes back often does not bring it down', async () => {
  const { authority, focus, hide, show } = await startPage()
  authority.fail(500)
  sleep(HOUR)
  for (let second = 0; second < 3_600; second += 1) {
    hide()
    show()
    focus()
    await pass(SECOND)
  }
  // A hundred in a second would be 360,000. Three to open the circuit, then one probe in 30 to 120 seconds.
  expect(authority.calls).toBeLessThanOrEqual(60)
  expect(authority.calls).toBeGreaterThan(20)
})

it('axa#1265, PR #1281, PR #1459: a session that has ended leaves no lock behind in any tab', async () => {
  const { origin, authority, tabs } = await startTabs(4)
  authority.signOut()
  const rotations = tabs.map(({ bridge }) => failureOf(bridge.rotate(), SECOND))
  expect(await Promise.all(rotations)).toEqual(Array(4).fill('ERR_SIGNED_OUT'))
  expect(origin.census()).toMatchObject({ heldLocks: 0, waitingLocks: 0 })
  authority.signIn()
  const again = tabs.map(({ bridge }) => bridge.rotate())
  await pass(SECOND)
  for (const { accessToken } of await Promise.all(again))
    expect(accessToken).toBe(authority.issued.at(-1))
})

it.each([
  ['#1039: two', 2],
  ['#1171: four', 4],
])(
  'axa%s visible tabs renew at once, on a refresh token for one use, and keep the session',
  async (_title, count) => {
    const authority = createFakeAuthority()
    const server = watched(authority.source, 50)
    const { tabs } = await startTabs(count, { authority, source: server.source })
    await pass(SECOND)
    expect(authority.issued).toHaveLength(1)
    sleep(HOUR)
    for (const { focus } of tabs) focus()
    await pass(SECOND)
    expect(authority.issued).toHaveLength(2)
    for (const { reader, count: countOf } of tabs) {
      expect(reader.current()?.accessToken).toBe('fake-token-2')
      expect(countOf('auth-reset')).toBe(0)
    }
  },
)

it('axa#1363, #796, #862: a page whose memory the browser took begins anew with the session it had', async () => {
  const { bridge, authority } = await startPage()
  bridge.stop()
  const { bridge: next, reader } = await startPage({ authority })
  expect(next.snapshot.status).toBe('ready')
  expect(reader.current()?.accessToken).toBe('fake-token-1')
  expect(authority.issued).toHaveLength(1)
})

it('axa#1038: each remote has the access it needs, and one decision for all is not asked for', async () => {
  const { bridge, requests } = await startPage()
  const trusted = bridge.reader('orders')
  const guest = bridge.reader('guest', { access: 'fetch' })
  expect(trusted.current()?.accessToken).toBe('fake-token-1')
  expect(guest.current()).toBeNull()
  expect(await failureOf(guest.ready())).toBe('ERR_TOKEN_WITHHELD')
  await guest.fetch(`${API}/orders`)
  expect(requests).toEqual([{ url: `${API}/orders`, authorization: 'Bearer fake-token-1' }])
})

it('axa#1391, #1604: script of the page cannot add an origin to which the token goes', async () => {
  const origins = [API]
  const { reader, requests } = await startPage({ origins })
  origins.push('https://evil.test')
  await reader.fetch('https://evil.test/collect')
  await reader.fetch(`${API}.evil.test/collect`)
  await reader.fetch('https://user:api.test@evil.test/collect').catch(() => {})
  expect(requests.length).toBeGreaterThan(1)
  for (const { authorization } of requests) expect(authorization).toBeNull()
})

it('axa#1653: an endpoint that comes back is found by itself, within four cooldowns', async () => {
  const { bridge, reader, authority } = openPage()
  authority.fail(500)
  bridge.start()
  await pass(HOUR)
  authority.recover()
  await pass(4 * 30 * SECOND)
  expect(bridge.snapshot.status).toBe('ready')
  expect(reader.current()?.accessToken).toBe('fake-token-1')
})
