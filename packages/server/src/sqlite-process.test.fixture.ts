/** A process that counts in an entry of a file: `node sqlite-process.test.fixture.ts <path> <times>`. */
import { sqliteStore } from './sqlite-store.ts'

/** Adds one, so many times, each under the lock. */
export async function count(path: string, times: number): Promise<void> {
  const store = sqliteStore(path)
  for (let done = 0; done < times;) {
    const locked = await store.lock('count', 10_000)
    if (locked === undefined) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 2))
      continue
    }
    await new Promise((resolve) => setImmediate(resolve))
    if (await store.replace('count', String(Number(locked.value) + 1), locked.fence, 0)) done += 1
  }
  store.close()
}

const [, file, path, times] = process.argv
if (file === import.meta.filename && path !== undefined) await count(path, Number(times))
