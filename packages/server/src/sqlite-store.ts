import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { AuthError } from '@token-bridge/core/errors'
import { checkOptions } from './check-options.ts'
import { configError } from './config-error.ts'
import type { SessionStore } from './session-store.ts'
import { storeFailure } from './store-failure.ts'

/** What {@link sqliteStore} takes beside the path. */
export interface SqliteStoreOptions {
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/** A {@link SessionStore} in a file. */
export interface SqliteStore extends SessionStore {
  /** Closes the file. Afterwards every call rejects. */
  close(): void
}

/**
 * Milliseconds that a call blocks the process while another process writes. Far less than a session's lock lives without a
 * sign of life, so the signs of other sessions go out between two tries.
 */
const BUSY_TIMEOUT = 100

/** Milliseconds after which a call gives up. */
const PATIENCE = 5_000

/** SQLite's result code for a file that another process writes. */
const SQLITE_BUSY = 5

/** How many ended entries a write removes at most: more than it adds, and too few to be felt. */
const BATCH = 64

/** `synchronous = FULL`: a refresh that a power cut undoes would cost its session. */
const SCHEMA = `
  PRAGMA busy_timeout = ${PATIENCE};
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS token_bridge_entry (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    expires_at REAL NOT NULL,
    fence INTEGER NOT NULL DEFAULT 0,
    locked_until REAL NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS token_bridge_entry_end ON token_bridge_entry (expires_at);
`

/** Each is one statement, so atomic, whatever other processes do with the file. */
const STATEMENTS = {
  get: `SELECT value FROM token_bridge_entry WHERE key = :key AND expires_at > :now`,
  set: `INSERT INTO token_bridge_entry (key, value, expires_at) VALUES (:key, :value, :end)
    ON CONFLICT (key) DO UPDATE SET value = :value, expires_at = :end, fence = fence + 1, locked_until = 0`,
  touch: `UPDATE token_bridge_entry SET expires_at = :end WHERE key = :key AND expires_at > :now`,
  lock: `UPDATE token_bridge_entry SET fence = fence + 1, locked_until = :until
    WHERE key = :key AND expires_at > :now AND locked_until <= :now RETURNING value, fence`,
  replace: `UPDATE token_bridge_entry SET value = :value, locked_until = :until, fence = fence + (:until = 0)
    WHERE key = :key AND expires_at > :now AND fence = :fence`,
  delete: `DELETE FROM token_bridge_entry
    WHERE key = :key AND expires_at > :now AND (:fence IS NULL OR fence = :fence)`,
  forget: `DELETE FROM token_bridge_entry WHERE key IN
    (SELECT key FROM token_bridge_entry WHERE expires_at <= :now LIMIT ${BATCH})`,
} as const

/**
 * A store in a file of this machine, in Node's own SQLite: survives restarts, needs no service, and may be shared by the
 * processes of one machine. The file is made readable for its owner alone; it must not be on a network drive.
 *
 * Calls block the process for as long as the disk takes, which is why it is not for many replicas under load.
 *
 * @param path - of the file; it is made where it is missing, its directory is not.
 * @throws AuthError `ERR_CONFIG` where Node has no SQLite (before 22.13), and for a path that cannot be opened.
 * @example
 * authRoutes({ …, store: sqliteStore('/var/lib/shop/sessions.db'), encryptionKeys })
 */
export function sqliteStore(path: string, options: SqliteStoreOptions = {}): SqliteStore {
  checkOptions('sqliteStore', options, ['now'])
  const { now = Date.now } = options
  if (typeof now !== 'function')
    throw configError('sqliteStore({ now })', 'a function', now, 'Leave it out.')
  const database = open(path)
  const prepared = {} as Record<keyof typeof STATEMENTS, StatementSync>
  for (const [name, sql] of Object.entries(STATEMENTS)) {
    prepared[name as keyof typeof STATEMENTS] = database.prepare(sql)
  }

  type Values = Record<string, SQLInputValue>

  async function run<Result>(
    name: keyof typeof STATEMENTS,
    how: (statement: StatementSync) => Result,
  ): Promise<Result> {
    const deadline = performance.now() + PATIENCE
    for (;;) {
      try {
        return how(prepared[name])
      } catch (error) {
        const isBusy = (error as { errcode?: unknown }).errcode === SQLITE_BUSY
        if (!isBusy || performance.now() > deadline) throw storeFailure('sqliteStore', name, error)
      }
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 80))
    }
  }
  const changes = async (name: keyof typeof STATEMENTS, values: Values): Promise<boolean> =>
    (await run(name, (statement) => statement.run(values).changes)) > 0
  const forget = () => changes('forget', { now: now() })

  return Object.freeze<SqliteStore>({
    async get(key) {
      const row = await run('get', (statement) => statement.get({ key, now: now() }))
      return row?.['value'] as string | undefined
    },
    async set(key, value, end) {
      await forget()
      await changes('set', { key, value, end })
    },
    touch: (key, end) => changes('touch', { key, end, now: now() }),
    async lock(key, lockFor) {
      const at = now()
      const row = await run('lock', (statement) =>
        statement.get({ key, now: at, until: at + lockFor }),
      )
      return row && { value: row['value'] as string, fence: row['fence'] as number }
    },
    replace(key, value, fence, lockFor) {
      const at = now()
      const until = lockFor > 0 ? at + lockFor : 0
      return changes('replace', { key, value, fence, until, now: at })
    },
    delete: (key, fence) => changes('delete', { key, fence: fence ?? null, now: now() }),
    close: () => database.close(),
  })
}

function open(path: unknown): DatabaseSync {
  const field = 'sqliteStore(path)'
  if (typeof path !== 'string' || path === '' || path === ':memory:') {
    throw configError(field, 'the path of a file', path, 'For a store in memory use memoryStore().')
  }
  // Asked for here and now: an import would keep the whole package from loading where there is none.
  const sqlite = globalThis.process?.getBuiltinModule?.('node:sqlite')
  if (sqlite === undefined) {
    throw new AuthError(
      'ERR_CONFIG',
      'sqliteStore(path) needs Node 22.13 or newer, which brings SQLite. Upgrade Node, or use memoryStore() or redisStore(client).',
      { phase: 'configure' },
    )
  }
  const { openSync, closeSync } = globalThis.process.getBuiltinModule('node:fs')
  try {
    closeSync(openSync(path, 'a', 0o600))
    const database = new sqlite.DatabaseSync(path)
    database.exec(SCHEMA)
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`)
    return database
  } catch (error) {
    throw configError(
      field,
      'a file that can be written, in a directory that exists',
      path,
      `Opening it failed: ${storeFailure('sqliteStore', 'open', error).message}.`,
    )
  }
}
