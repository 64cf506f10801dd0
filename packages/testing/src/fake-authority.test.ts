import { AuthError, isAuthError, SecureTokenBridge } from '@token-bridge/core'
import { describe, expect, it } from 'vitest'
import { createFakeAuthority, type FakeAuthority } from './fake-authority.ts'

const START = 1_700_000_000_000

const ask = (
  authority: FakeAuthority,
  newerThan?: number,
  signal: AbortSignal = new AbortController().signal,
) =>
  authority.source({
    signal,
    reason: 'test',
    fetch: globalThis.fetch,
    ...(newerThan !== undefined && { newerThan }),
  })

function setUp(options: Parameters<typeof createFakeAuthority>[0] = {}) {
  const clock = { time: START }
  const authority = createFakeAuthority({ now: () => clock.time, ...options })
  return { clock, authority }
}

describe('createFakeAuthority', () => {
  it('issues a token that lives as long as it was told, by its own clock', async () => {
    const { authority } = setUp({ lifetime: 120_000 })

    expect(await ask(authority)).toEqual({
      accessToken: 'fake-token-1',
      expiresAt: START + 120_000,
      serverTime: START,
    })
  })

  it('goes by the wall clock when it is given none', async () => {
    const before = Date.now()

    const payload = await ask(createFakeAuthority({ lifetime: 1_000 }))

    expect(payload?.expiresAt).toBeGreaterThanOrEqual(before + 1_000)
    expect(payload?.expiresAt).toBeLessThanOrEqual(Date.now() + 1_000)
  })

  it('answers with the token it holds while that is newer than what the caller has', async () => {
    const { authority } = setUp()
    const first = await ask(authority)

    const second = await ask(authority)
    const third = await ask(authority, (first?.expiresAt ?? 0) - 1)

    expect([second?.accessToken, third?.accessToken]).toEqual(['fake-token-1', 'fake-token-1'])
    expect(authority.issued).toEqual(['fake-token-1'])
    expect(authority.calls).toBe(3)
  })

  it('issues a later token for who has the current one, even while its clock stands still', async () => {
    const { authority } = setUp()
    const first = await ask(authority)

    const second = await ask(authority, first?.expiresAt)

    expect(second?.accessToken).toBe('fake-token-2')
    expect(second?.expiresAt).toBeGreaterThan(first?.expiresAt ?? Number.POSITIVE_INFINITY)
  })

  it('does not answer twice with a token that is about to expire', async () => {
    const { authority, clock } = setUp({ lifetime: 300_000 })
    await ask(authority)
    clock.time += 240_000

    expect((await ask(authority))?.accessToken).toBe('fake-token-2')
  })

  it('gives two authorities different tokens by their prefix', async () => {
    const { authority } = setUp({ prefix: 'legacy' })

    expect((await ask(authority))?.accessToken).toBe('legacy-1')
  })

  it('answers null while signed out, and a new token after the next sign-in', async () => {
    const { authority } = setUp()
    await ask(authority)

    authority.signOut()
    expect(authority.signedIn).toBe(false)
    expect(await ask(authority)).toBeNull()

    authority.signIn()
    expect(authority.signedIn).toBe(true)
    expect((await ask(authority))?.accessToken).toBe('fake-token-2')
  })

  it('can begin signed out', async () => {
    expect(await ask(setUp({ signedIn: false }).authority)).toBeNull()
  })

  it('fails with the error it was given until it recovers', async () => {
    const { authority } = setUp()
    const error = new AuthError('ERR_SYNC_NETWORK', 'down', { phase: 'sync', retryable: true })
    authority.fail(error)

    await expect(ask(authority)).rejects.toBe(error)
    await expect(ask(authority)).rejects.toBe(error)
    authority.recover()
    expect((await ask(authority))?.accessToken).toBe('fake-token-1')
  })

  it('fails a number of times', async () => {
    const { authority } = setUp()
    authority.fail(500, { times: 2 })

    await expect(ask(authority)).rejects.toMatchObject({ status: 500 })
    await expect(ask(authority)).rejects.toMatchObject({ status: 500 })
    expect((await ask(authority))?.accessToken).toBe('fake-token-1')
  })

  it('makes of a status the error that the sync endpoint makes of it', async () => {
    const { authority } = setUp()
    const failure = async (status: number, retryAfter?: number): Promise<unknown> => {
      authority.fail(status, retryAfter === undefined ? {} : { retryAfter })
      return ask(authority).catch((error: unknown) => error)
    }

    const unavailable = await failure(503)
    expect(isAuthError(unavailable, 'ERR_SYNC_STATUS')).toBe(true)
    expect(unavailable).toMatchObject({ retryable: true, status: 503, retryAfter: 1_000 })
    expect(await failure(429, 7_000)).toMatchObject({ status: 429, retryAfter: 7_000 })
    expect(await failure(500)).not.toHaveProperty('retryAfter')
  })

  it.each([401, 200, 600, 503.5, Number.NaN])('refuses to fail with the status %s', (status) => {
    expect(() => setUp().authority.fail(status)).toThrow(TypeError)
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses the lifetime %s', (lifetime) => {
    expect(() => setUp({ lifetime })).toThrow(TypeError)
  })

  it('answers given payloads once each, valid or not, before everything else', async () => {
    const { authority } = setUp({ signedIn: false })
    authority.answerOnce({ accessToken: '' })
    authority.answerOnce('nonsense')

    expect(await ask(authority)).toEqual({ accessToken: '' })
    expect(await ask(authority)).toBe('nonsense')
    expect(await ask(authority)).toBeNull()
  })

  it('records what it was asked for', async () => {
    const { authority } = setUp()
    await ask(authority)
    await ask(authority, 5)

    expect(authority.requests).toEqual([{ reason: 'test' }, { reason: 'test', newerThan: 5 }])
  })

  it('hands out no list that a test could change by mistake', async () => {
    const { authority } = setUp()
    await ask(authority)
    ;(authority.issued as string[]).push('x')
    ;(authority.requests as unknown[]).push('x')

    expect(authority.issued).toHaveLength(1)
    expect(authority.calls).toBe(1)
    expect(Object.isFrozen(authority)).toBe(true)
  })
})

describe('authority.hold', () => {
  it('keeps callers waiting until it is released, and nobody after', async () => {
    const { authority } = setUp()
    const held = authority.hold()
    const answers: (string | undefined)[] = []
    const first = ask(authority).then((payload) => answers.push(payload?.accessToken))
    await Promise.resolve()
    expect([held.waiting, answers.length]).toEqual([1, 0])

    held.release()
    await first
    await expect(ask(authority)).resolves.toMatchObject({ accessToken: 'fake-token-1' })

    expect(answers).toEqual(['fake-token-1'])
    expect(held.waiting).toBe(0)
  })

  it('decides the answer when the call comes, not when it is let go', async () => {
    const { authority } = setUp()
    const held = authority.hold()
    const late = ask(authority)
    authority.signOut()
    held.release()

    expect((await late)?.accessToken).toBe('fake-token-1')
  })

  it('holds failures too', async () => {
    const { authority } = setUp()
    authority.fail(500)
    const held = authority.hold()
    const late = ask(authority)
    authority.recover()
    held.release()

    await expect(late).rejects.toMatchObject({ status: 500 })
  })

  it('lets answers go in another order than they were asked for', async () => {
    const { authority } = setUp()
    const order: string[] = []
    const slow = authority.hold()
    const first = ask(authority).then(() => order.push('first'))
    const quick = authority.hold()
    const second = ask(authority).then(() => order.push('second'))

    quick.release()
    await second
    slow.release()
    await first

    expect(order).toEqual(['second', 'first'])
  })

  it('goes on holding when an earlier hold is released', async () => {
    const { authority } = setUp()
    const earlier = authority.hold()
    const later = authority.hold()
    earlier.release()
    const call = ask(authority)
    await Promise.resolve()

    expect(later.waiting).toBe(1)
    later.release()
    expect((await call)?.accessToken).toBe('fake-token-1')
  })

  it('rejects at once when the signal aborts, as fetch does', async () => {
    const { authority } = setUp()
    const held = authority.hold()
    const controller = new AbortController()
    const call = ask(authority, undefined, controller.signal)
    controller.abort(new Error('gone'))

    await expect(call).rejects.toThrow('gone')
    expect(held.waiting).toBe(0)
    await expect(ask(authority, undefined, controller.signal)).rejects.toThrow('gone')
  })

  it('answers late in spite of the signal when told to', async () => {
    const { authority } = setUp()
    const held = authority.hold({ ignoreAbort: true })
    const controller = new AbortController()
    const call = ask(authority, undefined, controller.signal)
    controller.abort()
    held.release()

    expect((await call)?.accessToken).toBe('fake-token-1')
  })
})

describe('a bridge on the fake authority', () => {
  const bridgeOn = (authority: FakeAuthority) => new SecureTokenBridge({ source: authority.source })

  it('rotates through distinct tokens and says what it has', async () => {
    const authority = createFakeAuthority()
    const bridge = bridgeOn(authority)

    const first = await bridge.rotate()
    const second = await bridge.rotate()

    expect([first.accessToken, second.accessToken]).toEqual(['fake-token-1', 'fake-token-2'])
    expect(authority.requests[1]).toEqual({ reason: 'host', newerThan: first.expiresAt })
  })

  it('shares one refresh with a second tab', async () => {
    const authority = createFakeAuthority()
    const tabs = [bridgeOn(authority), bridgeOn(authority)]
    await Promise.all(tabs.map((tab) => tab.rotate()))

    await Promise.all(tabs.map((tab) => tab.rotate()))

    expect(authority.calls).toBe(4)
    expect(authority.issued).toHaveLength(2)
  })

  it('drops an answer that comes after the reset', async () => {
    const authority = createFakeAuthority()
    const bridge = bridgeOn(authority)
    const held = authority.hold({ ignoreAbort: true })
    const rotation = bridge.rotate().catch((error: unknown) => error)
    await bridge.reset('sign-out')
    held.release()

    expect(isAuthError(await rotation, 'ERR_ABORTED')).toBe(true)
    expect(bridge.snapshot).toMatchObject({ status: 'signed-out', generation: 0 })
  })
})
