/** The routes on each store, as an app uses them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BRIDGE_HEADERS, ORIGIN, startApp, type TestApp } from './app.test.fixture.ts'
import { hashSecretId } from './secret-id.ts'
import type { Session } from './sessions.ts'
import { sqliteStore, type SqliteStore } from './sqlite-store.ts'

const KEY = Buffer.alloc(32, 1).toString('base64url')
const OTHER = Buffer.alloc(32, 2).toString('base64url')

let directory: string
let store: SqliteStore
let app: TestApp
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'server-'))
  store = sqliteStore(join(directory, 'sessions.db'))
  app = await startApp({ store, now: Date.now, encryptionKeys: [KEY] })
})
afterEach(async () => {
  await app[Symbol.asyncDispose]()
  store.close()
  rmSync(directory, { recursive: true })
})

/** The same app, started again with other options. */
const again = (options: Parameters<typeof startApp>[0]) =>
  startApp({ issuer: app.provider.issuer, store, now: Date.now, ...options })
const sync = (server: TestApp, question: object = {}) =>
  server.request(
    '/api/auth/sync',
    { method: 'POST', headers: BRIDGE_HEADERS, body: JSON.stringify(question) },
    app.browser,
  )
const sid = ({ browser }: TestApp) => browser.jar(ORIGIN).get('__Host-Http-sid') ?? ''

describe('a session in a file', () => {
  it('shows none of its secrets there', async () => {
    await app.signIn()
    const kept = (await store.get(`session:${await hashSecretId(sid(app))}`)) ?? ''
    expect(kept).toMatch(/^eyJ/)
    expect(app.provider.secrets.size).toBeGreaterThan(2)
    for (const secret of app.provider.secrets) expect(kept).not.toContain(secret)
  })

  it('lives on after a restart, and when its key was replaced', async () => {
    await app.signIn()
    const first = (await (await sync(app)).json()) as { expiresAt: number }
    store.close()
    store = sqliteStore(join(directory, 'sessions.db'))
    await using later = await again({ encryptionKeys: [OTHER, KEY] })
    expect((await sync(later, { newerThan: first.expiresAt })).status).toBe(200)
    // It was written with the new key.
    await using onlyNew = await again({ encryptionKeys: [OTHER] })
    expect((await sync(onlyNew)).status).toBe(200)
  })

  it.each([[[OTHER]], [undefined]])('is over, and no fault, without its key', async (keys) => {
    await app.signIn()
    await using later = await again(keys === undefined ? {} : { encryptionKeys: keys })
    const answer = await sync(later)
    expect(answer.status).toBe(401)
    expect(answer.headers.getSetCookie()).toEqual([])
    expect((await sync(app)).status).toBe(200)
  })

  it('is not begun by a sign-in that was sealed with another key', async () => {
    const callback = await app.leave()
    await using later = await again({ encryptionKeys: [OTHER] })
    expect((await later.request(callback, {}, app.browser)).status).toBe(400)
  })
})

describe('a session whose server died while it refreshed', () => {
  it('ends with one clear reason for all tabs, without its cookie, and sends nothing twice', async () => {
    await using plain = await startApp({ store, now: Date.now })
    await plain.signIn()
    const key = `session:${await hashSecretId(sid(plain))}`
    const session = JSON.parse((await store.get(key)) ?? '') as Session
    const locked = await store.lock(key, 1)
    const sentAt = Date.now() - 20_000
    const marked = { ...session, refresh: { sentAt, openSince: sentAt } }
    await store.replace(key, JSON.stringify(marked), locked?.fence ?? 0, 1)
    const before = plain.provider.requests.get('/token')

    const cookie = `__Host-Http-sid=${sid(plain)}`
    await using replica = await again({ now: Date.now })
    for (const server of [plain, replica, plain]) {
      const answer = await server.sync({ newerThan: session.expiresAt }, { cookie })
      expect(answer.status).toBe(401)
      expect(await answer.json()).toMatchObject({ reason: 'refresh-interrupted' })
    }
    expect(sid(plain)).toBe('')
    expect(plain.provider.requests.get('/token')).toBe(before)
    expect(plain.log).toContain('[auth] session ended: a refresh was interrupted')
  })
})
