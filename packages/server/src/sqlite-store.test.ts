import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sessionStoreContract } from './session-store-contract.ts'
import { sqliteStore } from './sqlite-store.ts'

function temporaryFile(): { path: string; remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), 'sqlite-'))
  return {
    path: join(directory, 'sessions.db'),
    remove: () => rmSync(directory, { recursive: true }),
  }
}

sessionStoreContract(
  'sqliteStore',
  () => {
    let time = 1_000_000
    const now = () => time
    const { path, remove } = temporaryFile()
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
        remove()
      },
    }
  },
  { describe, it, expect },
)
