import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BRIDGE_HEADERS, Browser, ORIGIN, startApp, type TestApp } from './app.test.fixture.ts'
import { livingSessions } from './living-sessions.ts'
import { memoryStore } from './memory-store.ts'
import { CLIENT_ID } from './oidc-provider.test.fixture.ts'
import { hashSecretId } from './secret-id.ts'
import { createSessionMarks } from './session-marks.ts'
import { createSessions, type Session } from './sessions.ts'

const MINUTE = 60_000

let app: TestApp
beforeEach(async () => {
  app = await startApp({ idleLifetime: 30 * MINUTE, sessionLifetime: 90 * MINUTE })
})
afterEach(() => app[Symbol.asyncDispose]())

/** Ends every session of alice. */
const logoutToken = ({ now, provider }: TestApp): Promise<string> =>
  provider.sign({
    iss: provider.issuer,
    aud: CLIENT_ID,
    sub: 'alice',
    iat: Math.floor(now() / 1000),
    exp: Math.floor(now() / 1000) + 120,
    jti: crypto.randomUUID(),
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  })

const sid = () => app.browser.jar(ORIGIN).get('__Host-Http-sid') ?? ''
const status = async (question?: object) => (await app.sync(question)).status

describe('the idle lifetime', () => {
  // clerk PR #9215: background tabs kept refreshing, so idle sessions looked active.
  it('is not extended by background syncs, however many', async () => {
    await app.signIn()
    for (let minutes = 4; minutes < 30; minutes += 4) {
      app.pass(4 * MINUTE)
      expect(await status({ active: false })).toBe(200)
    }
    app.pass(3 * MINUTE)
    const response = await app.sync({})
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ reason: 'session-expired' })
  })

  it('begins anew when the page says that a person used it', async () => {
    await app.signIn()
    app.pass(29 * MINUTE)
    expect(await status({ active: true })).toBe(200)
    app.pass(29 * MINUTE)
    expect(await status({})).toBe(200)
    app.pass(2 * MINUTE)
    expect(await status({ active: true })).toBe(401)
  })

  it('never moves the end of the session', async () => {
    await app.signIn()
    for (let minutes = 20; minutes < 90; minutes += 20) {
      app.pass(20 * MINUTE)
      expect(await status({ active: true })).toBe(200)
    }
    app.pass(10 * MINUTE + 1_000)
    expect(await status({ active: true })).toBe(401)
  })

  it('is extended while the provider is away as well', async () => {
    await app.signIn()
    app.pass(29 * MINUTE)
    app.provider.fault = { status: 500 }
    expect(await status({ active: true })).toBe(503)
    app.provider.fault = undefined
    app.pass(20 * MINUTE)
    expect(await status()).toBe(200)
  })

  it('is off where nobody asked for it', async () => {
    await using endless = await startApp()
    await endless.signIn()
    endless.pass(11 * 60 * MINUTE)
    expect((await endless.sync({})).status).toBe(200)
  })

  it('that is shorter than an access token lives is warned of', async () => {
    await using short = await startApp({ idleLifetime: 2 * MINUTE })
    await short.signIn()
    expect(short.events).toContainEqual({ event: 'idle-lifetime-too-short' })
    await app.signIn()
    expect(app.events).not.toContainEqual({ event: 'idle-lifetime-too-short' })
  })
})

describe('a shortened session lifetime', () => {
  const later = (sessionLifetime: number) =>
    startApp({ issuer: app.provider.issuer, store: app.store, now: app.now, sessionLifetime })
  const syncAt = (server: TestApp) =>
    server.request('/api/auth/sync', { method: 'POST', headers: BRIDGE_HEADERS }, app.browser)

  it('ends the sessions that began when it was longer', async () => {
    await app.signIn()
    await using short = await later(10 * MINUTE)
    app.pass(10 * MINUTE - 1_000)
    expect((await syncAt(short)).status).toBe(200)
    app.pass(1_000)
    const response = await syncAt(short)
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ reason: 'session-expired' })
  })

  it('lets no session outlive the mark that ended it', async () => {
    await app.signIn()
    await using short = await later(10 * MINUTE)
    const body = new URLSearchParams({ logout_token: await logoutToken(app) })
    const heard = await short.request('/api/auth/backchannel-logout', { method: 'POST', body })
    expect(heard.status).toBe(200)
    app.pass(11 * MINUTE)
    expect((await syncAt(short)).status).toBe(401)
  })
})

describe('a session that a mark ended', () => {
  it('cannot be read, locked or written by anyone', async () => {
    const now = () => 1_000_000
    const store = memoryStore({ now })
    const marks = createSessionMarks({
      store,
      now,
      issuer: new URL('https://id.example.com'),
      clientId: 'shop',
      encryptionKeys: [],
      sessionLifetime: 60_000,
    })
    const plain = createSessions(store, now)
    const sessions = livingSessions(plain, {
      marks,
      sessionLifetime: 60_000,
      idleLifetime: undefined,
      now,
    })
    const session: Session = {
      accessToken: 'a',
      tokenType: 'Bearer',
      expiresAt: now() + 1_000,
      endsAt: now() + 60_000,
      startedAt: now(),
      marks: await marks.of({ subject: 'alice' }),
    }
    const use = {
      read: (key: string) => sessions.read(key),
      lock: (key: string) => sessions.lock(key, 1_000),
    }
    for (const attempt of Object.values(use)) {
      const key = await plain.keyOf(await plain.open(session))
      await marks.end({ subject: 'alice' }, crypto.randomUUID())
      expect(await attempt(key)).toBeUndefined()
      expect(await plain.read(key)).toBeUndefined()
    }
    const key = await plain.keyOf(await plain.open(session))
    const { fence = -1 } = (await plain.lock(key, 1_000)) ?? {}
    expect(await sessions.replace(key, session, fence, 0)).toBe(false)
    expect(await plain.read(key)).toBeUndefined()
  })
})

describe('a sign-in', () => {
  it('ends the session that this browser had in the store, and no other', async () => {
    const other = new Browser()
    await app.signIn('/', other)
    await app.signIn()
    const former = `session:${await hashSecretId(sid())}`
    expect(await app.store.get(former)).toBeDefined()
    await app.signIn()
    expect(await app.store.get(former)).toBeUndefined()
    expect(await app.store.get(`session:${await hashSecretId(sid())}`)).toBeDefined()
    const theirs = other.jar(ORIGIN).get('__Host-Http-sid') ?? ''
    expect(await app.store.get(`session:${await hashSecretId(theirs)}`)).toBeDefined()
  })

  it('starts no session under an id that the browser brought, whatever it is', async () => {
    const planted = 'A'.repeat(43)
    app.browser.jar(ORIGIN).set('__Host-Http-sid', planted)
    await app.signIn()
    expect(sid()).not.toBe(planted)
    expect(await app.store.get(`session:${await hashSecretId(planted)}`)).toBeUndefined()
  })
})

describe('a sign-out', () => {
  it('is told to the other tabs that ask with the old cookie, for an hour', async () => {
    await app.signIn()
    const cookie = `__Host-Http-sid=${sid()}`
    await app.logout()
    const reason = async () => (await (await app.sync({}, { cookie })).json()) as object
    expect(await reason()).toMatchObject({ reason: 'session-ended' })
    app.pass(61 * MINUTE)
    expect(await reason()).toMatchObject({ reason: 'session-expired' })
  })

  it('with an id that nobody has leaves nothing in the store', async () => {
    const keys = new Set<string>()
    await using watched = await startApp({
      store: {
        ...app.store,
        set: (key, ...rest) => {
          keys.add(key)
          return app.store.set(key, ...rest)
        },
      },
    })
    watched.browser.jar(ORIGIN).set('__Host-Http-sid', 'A'.repeat(43))
    expect((await watched.logout()).status).toBe(200)
    expect(keys.size).toBe(0)
  })
})

describe('the key of an id', () => {
  it('is remembered when it has a session, and not when it was made up', async () => {
    await app.signIn()
    const digest = vi.spyOn(crypto.subtle, 'digest')
    const hashes = async (cookie: string) => {
      digest.mockClear()
      await app.sync({}, { cookie })
      return digest.mock.calls.length
    }
    const madeUp = `__Host-Http-sid=${'A'.repeat(43)}`
    const mine = `__Host-Http-sid=${sid()}`
    const counts = [await hashes(mine), await hashes(mine), await hashes(madeUp)]
    counts.push(await hashes(madeUp))
    digest.mockRestore()
    expect(counts).toEqual([1, 0, 1, 1])
  })
})
