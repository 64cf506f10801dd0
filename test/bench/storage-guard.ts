/** What the storage guard adds to an ordinary write, as a ratio of the same run, in Chromium. */
import { launchBrowser } from '../e2e/browser.ts'
import { openSite } from '../storage-guard/site.ts'

/** What an ordinary write costs. */
interface GuardedWrite {
  readonly write: string
  /** Time with the guard up, divided by time without: both taken in turns. */
  readonly ratio: number
}

/** Times writes with and without the guard, in turns. */
export async function benchStorageGuard(rounds = 12): Promise<readonly GuardedWrite[]> {
  const [browser, site] = await Promise.all([launchBrowser(), openSite()])
  try {
    const page = await browser.newPage()
    await page.goto(site.url)
    return await page.evaluate(timeWrites, rounds)
  } finally {
    await browser.close()
    site.close()
  }
}

/** Runs in the page. */
async function timeWrites(rounds: number): Promise<GuardedWrite[]> {
  const storageGuard = guardHost.guard()
  const long = Array.from({ length: 2_000 }, (_, index) => `word${index % 97}`).join(' ')
  const database = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open('bench', 1)
    opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore('store'))
    opening.addEventListener('success', () => resolve(opening.result))
  })
  const put = (value: unknown, times: number) =>
    new Promise<void>((resolve) => {
      const transaction = database.transaction('store', 'readwrite')
      const store = transaction.objectStore('store')
      for (let time = 0; time < times; time += 1) store.put(value, time % 10)
      transaction.addEventListener('complete', () => resolve())
    })
  const cache = await caches.open('bench')
  const { port1 } = new MessageChannel()
  const order = {
    id: 7,
    lines: Array.from({ length: 50 }, (_, id) => ({ id, name: `line ${id}` })),
  }
  let counter = 0
  const times = (count: number, write: () => void) => async (): Promise<void> => {
    for (let time = 0; time < count; time += 1) write()
  }
  const writes: Record<string, () => Promise<void>> = {
    'localStorage.setItem, 20 characters': times(20, () =>
      localStorage.setItem('short', `twenty characters ${(counter += 1)}`),
    ),
    'localStorage.x = …, 20 characters': times(20, () => {
      localStorage['short'] = `twenty characters ${(counter += 1)}`
    }),
    'localStorage.setItem, 14 kB': times(10, () =>
      localStorage.setItem('long', `${(counter += 1)}${long}`),
    ),
    'document.cookie = …': times(3, () => {
      document.cookie = `bench=${(counter += 1)}`
    }),
    'history.replaceState': times(2, () => history.replaceState({ counter }, '')),
    'MessagePort.postMessage(null)': times(200, () => port1.postMessage(null)),
    'MessagePort.postMessage, an object of 50': times(20, () => port1.postMessage(order)),
    'IDBObjectStore.put, an object of 50': () => put(order, 20),
    'Cache.put, 14 kB': () => cache.put('/bench', new Response(long)),
  }
  const time = async (write: () => Promise<void>): Promise<number> => {
    const started = performance.now()
    await write()
    return performance.now() - started
  }
  /** The quicker part: in the others the machine did something else. */
  const typical = (samples: number[]): number =>
    samples.toSorted((one, other) => one - other)[Math.floor(samples.length / 5)] ?? NaN
  const BATCHES = 12

  const results: GuardedWrite[] = []
  for (const [name, write] of Object.entries(writes)) {
    const without: number[] = []
    const guarded: number[] = []
    const fill = async (samples: number[]): Promise<void> => {
      // For the compiler.
      for (let batch = 0; batch < 5 * BATCHES; batch += 1) await write()
      for (let batch = 0; batch < BATCHES; batch += 1) {
        samples.push(await time(write))
        // What the browser does later is not to fall into the next one.
        await new Promise((resolve) => setTimeout(resolve))
      }
    }
    await storageGuard.hydrate('bench', () => fill([]))
    for (let round = 0; round < rounds; round += 1) {
      await fill(without)
      await storageGuard.hydrate('bench', () => fill(guarded))
    }
    results.push({ write: name, ratio: Number((typical(guarded) / typical(without)).toFixed(3)) })
  }
  return results
}
