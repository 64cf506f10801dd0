import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isAuthError } from '@token-bridge/core/errors'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sessionStoreContract } from './session-store-contract.ts'
import { count } from './sqlite-process.test.fixture.ts'
import { sqliteStore } from './sqlite-store.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sqlite-'))
  path = join(directory, 'sessions.db')
})
afterEach(() => rmSync(directory, { recursive: true }))

sessionStoreContract(
  'sqliteStore',
  () => {
    let time = 1_000_000
    const now = () => time
    const store = sqliteStore(path, { now })
    const second = sqliteStore(path, { now })
    return {
      store,
      second,
      now,
      pass: (ms) => void (time += ms),
      dispose() {
        store.close()
        second.close()
      },
    }
  },
  { describe, it, expect },
)

const attempt = (task: () => unknown): unknown => {
  try {
    return task()
  } catch (error) {
    return error
  }
}

describe('sqliteStore', () => {
  it('survives a restart', async () => {
    const before = sqliteStore(path)
    await before.set('a', 'one', Date.now() + 60_000)
    const fence = (await before.lock('a', 60_000))?.fence ?? 0
    before.close()
    const after = sqliteStore(path)
    expect(await after.get('a')).toBe('one')
    expect(await after.lock('a', 60_000)).toBeUndefined()
    expect(await after.replace('a', 'two', fence, 0)).toBe(true)
    after.close()
  })

  it('loses no write of two processes', async () => {
    const store = sqliteStore(path)
    await store.set('count', '0', Date.now() + 60_000)
    const other = promisify(execFile)(process.execPath, [
      '--conditions=@token-bridge/source',
      join(import.meta.dirname, 'sqlite-process.test.fixture.ts'),
      path,
      '150',
    ])
    await Promise.all([other, count(path, 150)])
    expect(await store.get('count')).toBe('300')
    store.close()
  })

  it('waits for another process without stopping its own, and gives up after five seconds', async () => {
    const store = sqliteStore(path)
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    let ticks = 0
    const timer = setInterval(() => (ticks += 1), 10)
    const write = store.set('a', 'one', Date.now() + 60_000)
    await vi.waitUntil(() => ticks >= 3)
    other.exec('ROLLBACK')
    await write
    expect(await store.get('a')).toBe('one')
    other.exec('BEGIN IMMEDIATE')
    ticks = 0
    await expect(store.set('a', 'two', Date.now() + 60_000)).rejects.toThrow(
      'sqliteStore: forget failed (ERR_SQLITE_ERROR 5)',
    )
    expect(ticks).toBeGreaterThan(10)
    clearInterval(timer)
    other.exec('ROLLBACK')
    other.close()
    store.close()
  })

  it('keeps its file from others on the machine', async () => {
    const store = sqliteStore(path)
    await store.set('a', 'one', Date.now() + 60_000)
    for (const file of [path, `${path}-wal`, `${path}-shm`])
      expect(statSync(file).mode & 0o777).toBe(0o600)
    store.close()
  })

  it('removes what has ended a few at a time, found by an index', async () => {
    let time = 1_000_000
    const store = sqliteStore(path, { now: () => time })
    for (let number = 0; number < 200; number += 1) await store.set(`e-${number}`, '', time + 1_000)
    await store.set('living', '', time + 60_000)
    time += 2_000
    const database = new DatabaseSync(path)
    const rows = () =>
      database.prepare('SELECT count(*) AS rows FROM token_bridge_entry').get()?.['rows']
    expect(rows()).toBe(201)
    await store.set('a', '', time + 60_000)
    expect(rows()).toBe(138)
    for (let writes = 0; writes < 4; writes += 1) await store.set('a', '', time + 60_000)
    expect(rows()).toBe(2)
    const plan = database
      .prepare('EXPLAIN QUERY PLAN SELECT key FROM token_bridge_entry WHERE expires_at <= 1')
      .all()
    expect(JSON.stringify(plan)).toContain('SEARCH')
    database.close()
    store.close()
  })

  it('says which operation failed, and nothing of what was written', async () => {
    const store = sqliteStore(path)
    store.close()
    const failure = await store
      .set('a', 'a secret', Date.now() + 60_000)
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'SessionStoreError' })
    expect((failure as Error).message).toMatch(/^sqliteStore: \w+ failed \(\w+( \d+)?\)$/)
  })

  it.each(['', ':memory:', undefined, 7])('refuses %s for a path', (wrong) => {
    expect(() => sqliteStore(wrong as string)).toThrow(
      /^sqliteStore\(path\) must be the path of a file/,
    )
  })

  it('says when the directory does not exist', () => {
    expect(() => sqliteStore(join(directory, 'none', 'sessions.db'))).toThrow(/ENOENT/)
  })

  it('says which Node it needs where there is no SQLite', () => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined)
    const failure = attempt(() => sqliteStore(path))
    expect(isAuthError(failure, 'ERR_CONFIG')).toBe(true)
    expect((failure as Error).message).toContain('needs Node 22.13 or newer')
  })
})
