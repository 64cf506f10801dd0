/** keycloak/keycloak-js, keycloak, and its wrappers: Greenstand, react-keycloak, argo-watcher, keycloak-angular. */
import { createFakeAuthority } from '@token-bridge/testing'
import { expect, it } from 'vitest'
import {
  DAY,
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

const LONGEST_TIMER = 2 ** 31 - 1

it('keycloak-js#107: a token of sixty days neither expires nor rotates at once, and no timer overflows', async () => {
  const delays: number[] = []
  const { reader, authority, count, focus } = await startPage({
    authority: createFakeAuthority({ lifetime: 60 * DAY }),
    environment: {
      setTimer: (callback, delay) => {
        delays.push(delay)
        return setTimeout(callback, delay)
      },
    },
  })
  void reader.ready({ timeout: 60 * DAY })
  await pass(HOUR)
  sleep(59 * DAY)
  await pass(HOUR)
  expect(reader.current()?.accessToken).toBe('fake-token-1')
  expect([count('token-expired'), authority.calls]).toEqual([0, 1])
  sleep(22 * HOUR)
  focus()
  await settle()
  expect(reader.current()?.accessToken).toBe('fake-token-2')
  expect(Math.max(...delays)).toBeLessThanOrEqual(LONGEST_TIMER)
})

it.each([
  ['ahead of', 10 * MINUTE],
  ['behind', -10 * MINUTE],
])(
  'keycloak-js#11, keycloak#32162: a server whose clock is %s the machine has its tokens used for their time, not longer',
  async (_what, difference) => {
    const { reader, authority } = await startPage({
      authority: createFakeAuthority({ now: () => Date.now() + difference }),
    })
    authority.fail(500)
    await pass(4 * MINUTE - 1)
    expect(reader.current()?.accessToken).toBe('fake-token-1')
    await pass(1)
    expect(reader.current()).toBeNull()
  },
)

it('keycloak#14122, #16081: tabs spend no refresh token, because none is in the browser', async () => {
  const { authority, tabs, origin } = await startTabs(3)
  authority.answerOnce({
    accessToken: 'access',
    refreshToken: 'refresh-secret',
    expiresAt: Date.now() + 10 * MINUTE,
  })
  const rotations = tabs.map(({ bridge }) => bridge.rotate())
  await pass(SECOND)
  await Promise.all(rotations)
  for (const { bridge, reader, events } of tabs) {
    const token = reader.current() as object
    const fields = Reflect.ownKeys(token).map((key) => String(Reflect.get(token, key)))
    const everything = JSON.stringify([fields, bridge.snapshot, bridge.metrics, events])
    expect(everything).not.toContain('refresh-secret')
  }
  expect(JSON.stringify([origin.posted, authority.requests])).not.toContain('refresh-secret')
})

it('Greenstand#884, PR #890: who subscribes after the start misses nothing, and rotation needs no listener', async () => {
  const { bridge, reader, authority, requests } = openPage()
  bridge.start()
  await pass(4 * MINUTE)
  expect(authority.issued).toHaveLength(2)
  const seen: number[] = []
  reader.getToken().subscribe(({ generation }) => seen.push(generation))
  expect(seen).toEqual([2])
  await pass(4 * MINUTE)
  expect(seen).toEqual([2, 3])
  await reader.fetch('https://api.test/orders')
  expect(requests[0]?.authorization).toBe('Bearer fake-token-3')
})

it('react-keycloak#93, #202, argo-watcher PR #447: a session that has ended asks for one sign-in, and not in a loop', async () => {
  const signIns: string[] = []
  const { bridge, authority, focus, show, goOnline } = await startPage({
    reauthenticate: (reason) => signIns.push(reason),
  })
  authority.signOut()
  await pass(4 * MINUTE)
  expect(signIns).toEqual(['session-ended'])
  const calls = authority.calls
  for (let times = 0; times < 50; times += 1) {
    focus()
    show()
    goOnline()
    void bridge.reset('sign-out')
    await pass(MINUTE)
  }
  expect(signIns).toHaveLength(1)
  expect(authority.calls).toBe(calls)
})

it('keycloak-angular#706: a tab that is idle signs nobody out', async () => {
  const { authority, tabs } = await startTabs(2)
  const [active, idle] = tabs
  idle.hide()
  for (let hour = 0; hour < 8; hour += 1) {
    active.focus()
    await pass(HOUR)
  }
  expect(tabs.map(({ bridge }) => bridge.snapshot.status)).toEqual(['ready', 'ready'])
  for (const { count } of tabs) expect(count('auth-reset')).toBe(0)
  expect(active.reader.current()?.accessToken).toBe(authority.issued.at(-1))
})
