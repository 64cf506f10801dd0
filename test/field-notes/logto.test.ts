/** logto-io/js, logto-io/kotlin. */
import { SecureTokenBridge } from '@token-bridge/core'
import { expect, it } from 'vitest'
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
} from './support.ts'

inVirtualTime()

it('logto#1073: whatever a page does in its first moment after the sign-in is one exchange', async () => {
  const { bridge, reader, authority, requests, focus, show } = openPage()
  bridge.start()
  bridge.start()
  const waiting = [
    reader.ready(),
    bridge.reader('reports').ready(),
    bridge.rotate(),
    reader.fetch(`${API}/orders`),
  ]
  focus()
  show()
  await settle()
  await Promise.all(waiting)
  expect(authority.calls).toBe(1)
  expect(requests[0]?.authorization).toBe('Bearer fake-token-1')
})

it('logto#503: no token is asked for twice with the same question', async () => {
  const { authority, tabs } = await startTabs(3)
  for (let round = 0; round < 5; round += 1) {
    sleep(HOUR)
    for (const { focus } of tabs) focus()
    await pass(10 * SECOND)
  }
  expect(authority.issued).toHaveLength(6)
  expect(authority.requests.filter(({ reason }) => reason === 'hydrate')).toHaveLength(3)
})

it('logto#732: an expired token is neither "signed in" nor an endless wait', async () => {
  const { bridge, reader, authority, count } = await startPage()
  expect(bridge.snapshot.status).toBe('ready')
  authority.fail(500)
  sleep(HOUR)
  const waiting = failureOf(reader.ready(), 30 * SECOND)
  expect(count('token-expired')).toBe(1)
  expect(bridge.snapshot).toMatchObject({ status: 'loading', expiresAt: null })
  expect(await waiting).toBe('ERR_MAINTENANCE')
  expect(bridge.snapshot.status).toBe('maintenance')
})

it('logto#527: a session that is dead on the server is over here, and the next one works without any clearing', async () => {
  const reasons: string[] = []
  const { bridge, reader, authority } = await startPage({
    reauthenticate: (reason) => reasons.push(reason),
  })
  authority.signOut()
  await pass(4 * MINUTE)
  expect(bridge.snapshot.status).toBe('signed-out')
  expect(reasons).toEqual(['session-ended'])
  authority.signIn()
  const rotation = bridge.rotate()
  await settle()
  expect((await rotation).accessToken).toBe('fake-token-2')
  expect(bridge.snapshot.status).toBe('ready')
  await pass(4 * MINUTE)
  expect(reader.current()?.accessToken).toBe('fake-token-3')
})

it('logto kotlin#253: neither a refresh nor a verification under way brings a session back after the sign-out', async () => {
  const { bridge, reader, authority } = openPage()
  const late = authority.hold({ ignoreAbort: true })
  const rotation = bridge.rotate()
  await settle()
  void bridge.reset('sign-out')
  late.release()
  expect(await failureOf(rotation)).toBe('ERR_ABORTED')
  expect(reader.current()).toBeNull()

  let letIn = (): void => {}
  const verified = new SecureTokenBridge({
    tabs: false,
    source: authority.source,
    verify: () =>
      new Promise((resolve) => {
        letIn = resolve
      }),
  })
  verified.updateToken({ accessToken: 'by-hand', expiresAt: Date.now() + HOUR })
  void verified.reset('sign-out')
  letIn()
  await settle()
  expect(verified.reader('orders').current()).toBeNull()
  expect(verified.snapshot.status).toBe('signed-out')
})
