/** okta/okta-auth-js, okta/okta-oidc-js, okta/okta-react, and the host and sub-app design of okta-js2. */
import { AuthError } from '@token-bridge/core'
import { createFakeAuthority } from '@token-bridge/testing'
import { expect, it } from 'vitest'
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
  watched,
} from './support.ts'

inVirtualTime()

it('okta-auth-js#1001, PR #1019, PR #1117, PR #1106: twenty tabs renew without one HTTP 429', async () => {
  const authority = createFakeAuthority()
  // As the service: more than fifteen at the same time are refused.
  const service = watched(async (request) => {
    if (service.underWay > 15) throw new AuthError('ERR_SYNC_STATUS', '429', { phase: 'sync' })
    const answer = await authority.source(request)
    if (authority.issued.length > 1) await new Promise((resolve) => setTimeout(resolve, 50))
    return answer
  })
  const { tabs } = await startTabs(20, { authority, source: service.source })
  expect(service.calls).toBe(20)
  await pass(4 * MINUTE)
  for (const { reader, count } of tabs) {
    expect(reader.current()?.accessToken).toBe('fake-token-2')
    expect(count('rotation-failed')).toBe(0)
  }
  // To hydrate, and to rotate.
  expect(service.calls).toBe(40)
  expect(service.peak).toBeGreaterThan(1)
  expect(authority.issued).toHaveLength(2)
})

it('okta-auth-js#1164, PR #1354: an expired token is renewed though another tab keeps the turn', async () => {
  const { authority, tabs } = await startTabs(2)
  const [holder, other] = tabs
  await freezeInTurn(holder)
  sleep(HOUR)
  other.focus()
  await pass(250)
  expect(other.count('token-expired')).toBe(1)
  expect(other.reader.current()?.accessToken).toBe(authority.issued.at(-1))
})

it('okta-auth-js#1445, #1474, PR #1450, PR #1512: a tab that was minimised renews when it is shown, before anybody reads', async () => {
  const timers = new Set<() => void>()
  const { reader, authority, hide, show } = await startPage({
    // Nothing fires while the tab is minimised.
    environment: {
      setTimer: (callback) => {
        timers.add(callback)
        return callback
      },
      clearTimer: (timer) => void timers.delete(timer as () => void),
    },
  })
  hide()
  await pass(HOUR)
  expect(authority.calls).toBe(1)
  show()
  await settle()
  expect(authority.calls).toBe(2)
  expect(reader.current()?.accessToken).toBe('fake-token-2')
})

const network = () => new AuthError('ERR_SYNC_NETWORK', 'Bad network.', { phase: 'sync' })

it.each([
  ['429', 429],
  ['403', 403],
  ['500', 500],
  ['503', 503],
  ['a bad network', network()],
  ['HTML', new AuthError('ERR_SYNC_NOT_JSON', 'HTML.', { phase: 'sync' })],
  ['half of an answer', new AuthError('ERR_SYNC_PAYLOAD', 'Half.', { phase: 'sync' })],
] as const)(
  'okta-auth-js#1047, PR #1087, #1575: a renewal that fails with %s takes neither the token nor the session',
  async (_what, problem) => {
    const { bridge, reader, authority, count } = await startPage()
    authority.fail(problem)
    await pass(4 * MINUTE - 1)
    expect(authority.calls).toBeGreaterThan(1)
    expect(reader.current()?.accessToken).toBe('fake-token-1')
    await pass(HOUR)
    expect(reader.current()).toBeNull()
    expect(bridge.snapshot.status).toBe('maintenance')
    authority.recover()
    await pass(3 * MINUTE)
    expect(reader.current()?.accessToken).toBe(authority.issued.at(-1))
    expect(count('auth-reset')).toBe(0)
  },
)

it('okta-auth-js#688: an app that goes offline keeps its valid token, and its session after', async () => {
  const { bridge, reader, authority, goOffline, goOnline } = await startPage()
  goOffline()
  await pass(4 * MINUTE - 1)
  expect(reader.current()?.accessToken).toBe('fake-token-1')
  await pass(HOUR)
  expect(bridge.snapshot.status).not.toBe('signed-out')
  expect(authority.calls).toBe(1)
  goOnline()
  await settle()
  expect(bridge.snapshot.status).toBe('ready')
})

it('okta-oidc-js#894, PR #472, #880: a clock one hour ahead renews as often as a right one', async () => {
  const callsIn = async (error: number): Promise<number> => {
    const { bridge, authority } = await startPage({
      environment: { wallClock: () => Date.now() + error },
    })
    await pass(6 * HOUR)
    bridge.stop()
    return authority.calls
  }
  const right = await callsIn(0)
  expect(right).toBeGreaterThan(90)
  expect(await callsIn(HOUR)).toBe(right)
})

it('okta-oidc-js#894: without a server time, a clock one hour ahead asks at a bounded rate', async () => {
  const server = watched(async () => ({
    accessToken: `token-${server.calls}`,
    expiresAt: Date.now() + 5 * MINUTE,
  }))
  const { count } = await startPage({
    source: server.source,
    environment: { wallClock: () => Date.now() + HOUR },
  })
  await pass(HOUR)
  expect(count('token-rotated')).toBe(0)
  expect(server.calls).toBeLessThanOrEqual(80)
})

it('okta-auth-js#1194, okta-react#232: nothing is said on a channel that was closed', async () => {
  const { authority, tabs, origin } = await startTabs(2)
  const [{ bridge, reader, faults }] = tabs
  const answers = authority.hold({ ignoreAbort: true })
  const rotation = bridge.rotate()
  await settle()
  // StrictMode, or a redirect.
  bridge.stop()
  expect(await failureOf(rotation)).toBe('ERR_ABORTED')
  const posted = origin.posted.length
  answers.release()
  bridge.updateToken({ accessToken: 'by-hand', expiresAt: Date.now() + HOUR })
  void bridge.reset('sign-out')
  await pass(SECOND)
  expect(origin.posted).toHaveLength(posted)
  expect(faults).toEqual([])
  bridge.start()
  const back = bridge.rotate()
  await pass(SECOND)
  expect((await back).accessToken).toBe(reader.current()?.accessToken)
  expect(origin.posted.length).toBeGreaterThan(posted)
})

it('okta-auth-js PR #889: a sign-out in tab A sends no tab to the sign-in before the server has ended the session', async () => {
  const redirects: string[] = []
  const { authority, tabs } = await startTabs(2, {
    reauthenticate: (reason) => redirects.push(reason),
  })
  void tabs[0].bridge.reset('sign-out')
  await pass(400)
  expect(redirects).toEqual(['sign-out'])
  authority.signOut()
  await pass(600)
  expect(redirects).toEqual(['sign-out', 'session-ended'])
  const issued = authority.issued.length
  await pass(HOUR)
  expect(redirects).toHaveLength(2)
  expect(authority.issued).toHaveLength(issued)
})

it('okta-js2 HostOrchestrator: what crosses to a remote is no refresh token, and nothing to write or end a session with', async () => {
  const { bridge, reader } = openPage()
  bridge.updateToken({
    accessToken: 'access',
    refreshToken: 'refresh-secret',
    expiresAt: Date.now() + HOUR,
  })
  const token = reader.current() as object
  expect(JSON.stringify([token, reader.snapshot()])).not.toMatch(/access"|refresh-secret/)
  expect(Reflect.ownKeys(token)).not.toContain('refreshToken')
  for (const write of ['updateToken', 'rotate', 'reset', 'revoke', 'reader', 'attach'])
    expect(reader).not.toHaveProperty(write)
  expect(Object.isFrozen(reader)).toBe(true)
})

it('okta-js2 HostOrchestrator: a remote that is revoked, or signed out, has no cached token to go on with', async () => {
  const { bridge, reader, requests } = await startPage()
  const reports = bridge.reader('reports')
  bridge.revoke('orders')
  expect(reader.current()).toBeNull()
  expect(await failureOf(reader.fetch(`${API}/orders`))).toBe('ERR_READER_REVOKED')
  expect(reports.current()?.generation).toBe(1)
  void bridge.reset('sign-out')
  expect(reports.current()).toBeNull()
  await settle()
  expect(requests).toEqual([])
})
