/** supabase/supabase-js (auth). */
import { createFakeAuthority } from '@token-bridge/testing'
import { expect, it, vi } from 'vitest'
import {
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

it('supabase#2013, #1594, auth-js#1119, PR #1962: a lock that is never given back delays a rotation by 250 ms, and a read not at all', async () => {
  const { authority, tabs } = await startTabs(2)
  const [holder, other] = tabs
  await freezeInTurn(holder)
  const rotation = other.bridge.rotate()
  const read = other.reader.ready()
  await settle()
  expect((await read).generation).toBe(1)
  const calls = authority.calls
  await pass(249)
  expect(authority.calls).toBe(calls)
  await pass(1)
  expect(authority.calls).toBe(calls + 1)
  expect((await rotation).generation).toBe(2)
})

it('supabase#2111, PR #2106: a bridge that is stopped in its turn, as StrictMode does, leaves no lock', async () => {
  const { origin, authority, tabs } = await startTabs(2)
  const [one, other] = tabs
  const answers = authority.hold({ ignoreAbort: true })
  const ended = failureOf(one.bridge.rotate())
  await settle()
  expect(origin.census().heldLocks).toBe(1)
  one.bridge.stop()
  one.bridge.start()
  expect(await ended).toBe('ERR_ABORTED')
  expect(origin.census()).toMatchObject({ heldLocks: 0, waitingLocks: 0 })
  answers.release()
  const began = Date.now()
  const rotation = other.bridge.rotate()
  await settle()
  expect((await rotation).generation).toBe(2)
  expect(Date.now()).toBe(began)
})

it.each([
  ['steals', true],
  ['refuses', false],
])(
  'supabase PR #2178, #2620, PR #2616: a lock that somebody else %s makes no second request and no error',
  async (_what, isGranted) => {
    const options: LockOptions[] = []
    const locks = {
      // A robbed holder's promise rejects while its callback goes on.
      request(_name: string, lockOptions: LockOptions, callback: (lock: Lock) => unknown) {
        options.push(lockOptions)
        if (isGranted) void callback({ name: 'token-bridge', mode: 'exclusive' })
        return Promise.reject(new DOMException('The lock was stolen', 'AbortError'))
      },
    } as unknown as LockManager
    const { bridge, authority, count, faults } = await startPage({ environment: { locks } })
    const answers = authority.hold()
    const rotation = bridge.rotate()
    await pass(SECOND)
    answers.release()
    expect((await rotation).generation).toBe(2)
    expect(authority.calls).toBe(2)
    expect(options).toHaveLength(1)
    expect(options[0]).not.toHaveProperty('steal')
    expect([count('rotation-failed'), faults]).toEqual([0, []])
  },
)

it('supabase#2426, #44642: switching between tabs for half a minute freezes none of them', async () => {
  const { tabs } = await startTabs(2, { session: { lifetime: 2 * MINUTE } })
  for (let turn = 0; turn < 40; turn += 1) {
    const [hidden, shown] = turn % 2 === 0 ? tabs : [tabs[1], tabs[0]]
    hidden.hide()
    hidden.tab?.freeze()
    shown.tab?.thaw()
    shown.show()
    // Whatever the other one held: within a second there is a token.
    const token = shown.reader.ready()
    await pass(SECOND)
    expect((await token).expiresAt).toBeGreaterThan(Date.now() + MINUTE - SECOND)
    await pass(29 * SECOND)
  }
})

it('supabase PR #2392: stopping aborts the request under way, and what it brings all the same is dropped', async () => {
  const signals: AbortSignal[] = []
  const authority = createFakeAuthority()
  const { bridge, reader } = await startPage({
    authority,
    source: (request) => {
      signals.push(request.signal)
      return authority.source(request)
    },
  })
  const late = authority.hold({ ignoreAbort: true })
  const rotation = bridge.rotate()
  await settle()
  bridge.stop()
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, true])
  late.release()
  expect(await failureOf(rotation)).toBe('ERR_ABORTED')
  expect(reader.current()?.generation).toBe(1)
})

it('supabase#2145, PR #2436: ten tabs at an endpoint that answers 429 for an hour keep their session, and ask rarely', async () => {
  const { authority, tabs } = await startTabs(10)
  authority.fail(429)
  await pass(3.5 * MINUTE)
  for (const { reader } of tabs) expect(reader.current()?.accessToken).toBe('fake-token-1')
  const before = authority.calls
  await pass(HOUR)
  // Theirs: 30,000 to 60,000.
  expect(authority.calls - before).toBeLessThanOrEqual(10 * 60)
  authority.recover()
  await pass(3 * MINUTE)
  for (const { reader, count } of tabs) {
    expect(reader.current()?.accessToken).toBe(authority.issued.at(-1))
    expect(count('auth-reset')).toBe(0)
  }
})

it('supabase#442, #663, auth-js#579, #284, #634: coming back to a tab renders nothing again and asks nothing', async () => {
  const { bridge, reader, authority, events, focus, hide, show, goOnline } = await startPage()
  const rendered = vi.fn()
  const told = vi.fn()
  reader.subscribe(rendered)
  reader.getToken().subscribe(told)
  expect(told).toHaveBeenCalledTimes(1)
  const { snapshot } = bridge
  const before = events.length
  for (let times = 0; times < 100; times += 1) {
    hide()
    show()
    focus()
    goOnline()
    await pass(SECOND)
  }
  expect(rendered).not.toHaveBeenCalled()
  expect(told).toHaveBeenCalledTimes(1)
  expect(bridge.snapshot).toBe(snapshot)
  expect(events).toHaveLength(before)
  expect(authority.calls).toBe(1)
})

it('supabase#2111: started and stopped twice before it hydrates, the bridge asks as if it had been once', async () => {
  const { bridge, reader, authority } = openPage()
  bridge.start()
  bridge.stop()
  bridge.start()
  await settle()
  expect(reader.current()?.accessToken).toBe('fake-token-1')
  expect(authority.issued).toHaveLength(1)
  sleep(HOUR)
  await pass(30 * SECOND)
  expect(authority.issued).toHaveLength(2)
})
