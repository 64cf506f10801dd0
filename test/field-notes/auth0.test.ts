/** auth0/auth0-spa-js, auth0/auth0-react, auth0/auth0-vue. */
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

it('auth0-spa-js#343: a token that expired while the machine slept is not handed out', async () => {
  const { reader, authority, focus } = await startPage()
  expect(reader.current()?.accessToken).toBe('fake-token-1')
  sleep(25 * HOUR)
  expect(reader.current()).toBeNull()
  focus()
  await settle()
  expect(reader.current()?.accessToken).toBe('fake-token-2')
  expect(authority.calls).toBe(2)
})

it('auth0-spa-js#275, PR #276: a refresh that fails gives its turn back, and the next caller waits for nothing', async () => {
  const { origin, authority, tabs } = await startTabs(2)
  const [one, other] = tabs
  authority.fail(500, { times: 1 })
  const failing = one.bridge.rotate()
  await settle()
  expect(authority.requests.at(-1)).toMatchObject({ reason: 'host' })
  expect(origin.census()).toMatchObject({ heldLocks: 0, waitingLocks: 0 })
  const began = Date.now()
  void other.bridge.rotate()
  await settle()
  expect(other.reader.current()?.generation).toBe(2)
  expect(Date.now()).toBe(began)
  await pass(SECOND)
  expect((await failing).generation).toBe(2)
})

it('auth0-spa-js#553: a thousand callers in each of two tabs cost one refresh of the session', async () => {
  const { authority, tabs } = await startTabs(2)
  expect(authority.calls).toBe(2)
  sleep(HOUR)
  const waiting = tabs.flatMap(({ reader }) => Array.from({ length: 1_000 }, () => reader.ready()))
  await pass(SECOND)
  const tokens = await Promise.all(waiting)
  expect(new Set(tokens.map(({ accessToken }) => accessToken))).toEqual(new Set(['fake-token-2']))
  expect(authority.calls).toBe(4)
  expect(authority.issued).toHaveLength(2)
})

it('auth0-spa-js#1596, PR #1597: nothing that a remote or the page does mints a token after a sign-out', async () => {
  const { bridge, reader, authority, ...page } = await startPage()
  const late = authority.hold({ ignoreAbort: true })
  const rotation = bridge.rotate()
  await settle()
  expect(late.waiting).toBe(1)
  void bridge.reset('sign-out')
  late.release()
  // The server's session still is: only the page holds back.
  expect(await failureOf(rotation)).toBe('ERR_ABORTED')
  page.focus()
  page.show()
  page.goOnline()
  page.restore()
  expect(await failureOf(reader.ready())).toBe('ERR_SIGNED_OUT')
  expect(await failureOf(reader.fetch(`${API}/orders`))).toBe('ERR_SIGNED_OUT')
  await pass(HOUR)
  expect(reader.current()).toBeNull()
  expect(authority.calls).toBe(2)
  expect(page.requests).toEqual([])
})

it.each([
  ['before the page is reset', 0],
  ['half a second after', 500],
])(
  'auth0-spa-js#136, #392, auth0-vue#174: a sign-out in one tab empties every other within a second, when the server ends the session %s',
  async (_when, delay) => {
    const { authority, tabs } = await startTabs(4)
    void tabs[0].bridge.reset('sign-out')
    await pass(delay)
    authority.signOut()
    await pass(SECOND - delay)
    for (const { bridge, reader } of tabs) {
      expect(bridge.snapshot.status).toBe('signed-out')
      expect(reader.current()).toBeNull()
    }
  },
)

it('auth0-spa-js#589: a tab that was left open overnight wakes to a token, not to a timeout', async () => {
  const { bridge, reader, authority, count } = await startPage()
  const answers = authority.hold()
  const asked = bridge.rotate()
  await settle()
  sleep(10 * HOUR)
  answers.release()
  const token = reader.ready()
  await pass(MINUTE)
  expect((await token).accessToken).toBe(authority.issued.at(-1))
  expect((await asked).generation).toBeGreaterThan(1)
  expect(count('maintenance-entered')).toBe(0)
})

it('auth0-react#562: a page that comes back after the sign-out is empty before it can paint', async () => {
  const { bridge, reader, authority, restore } = await startPage()
  authority.signOut()
  restore()
  // Synchronously, in the event: the browser has not painted.
  expect(reader.current()).toBeNull()
  expect(bridge.snapshot).toMatchObject({ status: 'loading', expiresAt: null })
  await settle()
  expect(bridge.snapshot.status).toBe('signed-out')
})

it('auth0-react PR #278, #37, #290, #324: micro-frontends share one session through a reader each', async () => {
  const { bridge, authority } = openPage()
  const readers = ['orders', 'reports', 'dashboard'].map((remote) => bridge.reader(remote))
  const tokens = readers.map((reader) => reader.ready())
  bridge.start()
  await settle()
  expect(new Set(await Promise.all(tokens)).size).toBe(1)
  expect(authority.calls).toBe(1)
})
