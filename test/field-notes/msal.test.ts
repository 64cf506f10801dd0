/** AzureAD/microsoft-authentication-library-for-js. */
import { SecureTokenBridge, type TokenPayload } from '@token-bridge/core'
import { createFakeAuthority } from '@token-bridge/testing'
import { expect, it, vi } from 'vitest'
import { fakeOrigin } from '../../packages/core/src/tabs/fake-tabs.test.support.ts'
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

const setTimer = (callback: () => void, delay: number): unknown => setTimeout(callback, delay)

it('msal#974: the bridge puts nothing on the global object', async () => {
  const before = new Set(Reflect.ownKeys(globalThis))
  const { bridge } = await startPage()
  await bridge.rotate()
  const added = Reflect.ownKeys(globalThis).filter((key) => !before.has(key))
  // What Node adds by itself at its first `new Request`.
  expect(added.filter((key) => !String(key).includes('undici'))).toEqual([])
})

it('msal#4263, #4059: no micro-frontend sees another generation than its neighbour', async () => {
  const { bridge } = await startPage()
  const orders = bridge.reader('orders')
  const reports = bridge.reader('reports')
  const seen: [number, number | undefined, number][] = []
  orders.getToken().subscribe(({ generation }) => {
    seen.push([generation, reports.current()?.generation, reports.snapshot().generation])
  })
  await bridge.rotate()
  await bridge.rotate()
  expect(seen).toEqual([
    [1, 1, 1],
    [2, 2, 2],
    [3, 3, 3],
  ])
})

it.each([
  ['a name of its own', 'admin'],
  ['the same name', undefined],
])(
  'msal#8116, #8775: two apps on one origin do not disturb each other, with %s',
  async (_what, name) => {
    const origin = fakeOrigin({ setTimer })
    const shop = await startPage({ tab: origin.openTab() })
    const admin = await startPage({
      tab: origin.openTab(),
      authority: createFakeAuthority({ prefix: 'admin-token' }),
      ...(name !== undefined && { tabs: { name } }),
    })
    void shop.bridge.reset('sign-out')
    await pass(SECOND)
    expect(shop.bridge.snapshot.status).toBe('signed-out')
    expect(admin.bridge.snapshot.status).toBe('ready')
    await pass(10 * MINUTE)
    expect(admin.reader.current()?.accessToken).toMatch(/^admin-token-/)
    const rotation = admin.bridge.rotate()
    await settle()
    expect((await rotation).accessToken).toBe(admin.authority.issued.at(-1))
  },
)

it('msal#2921: a machine suspended between the answer and its arrival takes no old token for a fresh one', async () => {
  // Two hours ahead of the server, so that only the server's time can tell.
  const wallClock = () => Date.now() + 2 * HOUR
  const page = openPage({ environment: { wallClock } })
  const answers = page.authority.hold()
  page.bridge.start()
  await settle()
  sleep(4.5 * MINUTE)
  answers.release()
  await pass(10 * SECOND)
  // Half a minute of the first one is left, which is inside the skew buffer.
  expect(page.events.find(({ type }) => type === 'rotation-failed')).toMatchObject({
    error: { code: 'ERR_TOKEN_LIFETIME' },
  })
  expect(page.reader.current()?.accessToken).toBe('fake-token-2')
  await pass(3.5 * MINUTE)
  expect(page.reader.current()?.accessToken).toBe('fake-token-3')
})

it.each([-2 * HOUR, -HOUR, HOUR, 2 * HOUR])(
  'msal#3070, #3206: a clock that is wrong by %i ms changes neither the usable time nor the number of calls',
  async (error) => {
    const { reader, authority } = await startPage({
      environment: { wallClock: () => Date.now() + error },
    })
    const began = Date.now()
    authority.fail(500)
    for (let second = 0; reader.current() !== null && second < 600; second += 1) await pass(SECOND)
    expect(Math.abs(Date.now() - began - 4 * MINUTE)).toBeLessThanOrEqual(2 * SECOND)
    authority.recover()
    await pass(2 * MINUTE)
    const before = authority.calls
    await pass(HOUR)
    // One for every three and a half minutes of a token of five.
    expect(authority.calls - before).toBeLessThanOrEqual(19)
  },
)

it.each([-2 * HOUR, 2 * HOUR])(
  'msal#2608, PR #3786: a clock that is set by %i ms while the page runs lengthens no token and causes no loop',
  async (jump) => {
    let error = 0
    const { reader, authority, focus } = await startPage({
      environment: { wallClock: () => Date.now() + error },
    })
    // Not in step with the looks that the bridge takes at its clocks.
    await pass(MINUTE + 25 * SECOND)
    error = jump
    focus()
    authority.fail(500)
    for (let second = 0; second < 300; second += 1) {
      // Server time is what `Date.now()` says.
      const { expiresAt } = reader.current() ?? { expiresAt: Number.POSITIVE_INFINITY }
      expect(expiresAt - Date.now()).toBeGreaterThan(58 * SECOND)
      await pass(SECOND)
    }
    authority.recover()
    await pass(2 * MINUTE)
    const before = authority.calls
    await pass(HOUR)
    expect(authority.calls - before).toBeLessThanOrEqual(19)
    expect(reader.current()).not.toBeNull()
  },
)

it('msal#3646, #2163, #2901: a thousand parallel requests need no first one to go ahead alone', async () => {
  const { bridge, reader, authority, requests } = openPage()
  bridge.start()
  const sent = Array.from({ length: 1_000 }, (_, index) => reader.fetch(`${API}/orders/${index}`))
  await settle()
  await Promise.all(sent)
  expect(authority.calls).toBe(1)
  expect(requests).toHaveLength(1_000)
  expect(new Set(requests.map(({ authorization }) => authorization))).toEqual(
    new Set(['Bearer fake-token-1']),
  )
})

it('msal#4319: six tabs renew at once, and all six succeed', async () => {
  const { authority, tabs } = await startTabs(6)
  sleep(HOUR)
  for (const { show } of tabs) show()
  await pass(2 * SECOND)
  for (const { reader, count } of tabs) {
    expect(reader.current()?.accessToken).toBe('fake-token-2')
    expect(count('rotation-failed')).toBe(0)
  }
  expect(authority.issued).toHaveLength(2)
})

it('msal#4700, #6958, #3244: a tab that never heard of the sign-out learns of it from the server', async () => {
  const { authority, tabs } = await startTabs(2, { channel: { isLost: () => true } })
  authority.signOut()
  void tabs[0].bridge.reset('sign-out')
  await pass(SECOND)
  expect(tabs[1].bridge.snapshot.status).toBe('ready')
  await pass(4 * MINUTE)
  expect(tabs[1].bridge.snapshot.status).toBe('signed-out')
})

it('msal#8764: the channel carries no token, and none can be put in through it', async () => {
  const { origin, authority, tabs } = await startTabs(2)
  await Promise.all([tabs[0].bridge.rotate(), pass(SECOND)])
  void tabs[0].bridge.reset('sign-out')
  // Told twice and looked at twice, the last time after 1.2 s.
  await pass(2 * SECOND)
  expect(origin.posted.length).toBeGreaterThan(2)
  const carried = JSON.stringify(origin.posted)
  for (const token of authority.issued) expect(carried).not.toContain(token)

  const calls = authority.calls
  const hostile = origin.openTab().openChannel('token-bridge')
  const forged: TokenPayload = { accessToken: 'forged', expiresAt: Date.now() + HOUR }
  for (const message of [{ v: 1, from: 7, type: 'rotated', ...forged }, forged]) {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has none
    hostile.postMessage(message)
  }
  await pass(10 * SECOND)
  hostile.close()
  expect(tabs[1].reader.current()?.accessToken).toBe(authority.issued.at(-1))
  expect(authority.calls).toBe(calls)
})

it('msal nested app auth: a host that stays silent keeps nobody waiting for ever', async () => {
  const { bridge, reader } = openPage({ source: () => new Promise(() => {}) })
  bridge.start()
  const early = failureOf(reader.ready({ timeout: 5 * SECOND }), 5 * SECOND)
  expect(await early).toBe('ERR_READY_TIMEOUT')
  expect(await failureOf(reader.ready(), MINUTE)).toBe('ERR_MAINTENANCE')
})

it('msal nested app auth: a bridge of somebody else in the page changes nothing for a reader', async () => {
  const { reader } = await startPage()
  const intruder = new SecureTokenBridge({ tabs: false, source: vi.fn() })
  intruder.updateToken({ accessToken: 'intruder', expiresAt: Date.now() + HOUR })
  expect(reader.current()?.accessToken).toBe('fake-token-1')
  intruder.stop()
})
