import { describe, expect, it } from 'vitest'
import { memoryStore } from './memory-store.ts'
import { sessionStoreContract, type StoreHarness } from './session-store-contract.ts'
import type { SessionStore } from './session-store.ts'

/** Two connections to the same entries, which time and a fault may tell apart. */
interface Shared extends StoreHarness {
  readonly now: () => number
}

function harness(spoil: (store: SessionStore, now: () => number) => Partial<SessionStore>): Shared {
  let time = 1_000_000
  const now = () => time
  const store = memoryStore({ now })
  const spoiled = { ...store, ...spoil(store, now) }
  return { store: spoiled, second: spoiled, now, pass: (ms) => void (time += ms) }
}

/** Runs the contract by itself and resolves with the titles of the rules that were broken. */
async function broken(create: () => StoreHarness): Promise<string[]> {
  const rules: [string, () => Promise<void>][] = []
  sessionStoreContract('a store', create, {
    describe: (_title, body) => body(),
    it: (title, body) => void rules.push([title, body]),
    expect,
  })
  const titles: string[] = []
  for (const [title, body] of rules) {
    await body().catch(() => titles.push(title))
  }
  return titles
}

/** Lets others in between reading and writing, as a store without transactions would. */
const meanwhile = () => new Promise<void>((resolve) => setTimeout(resolve, 1))

const LATER = 1_000_000_000

/** A fault, and the rule that has to notice it. There is one for each rule. */
const FAULTS: readonly (readonly [
  rule: string,
  spoil: (store: SessionStore, now: () => number) => Partial<SessionStore>,
])[] = [
  ['gives back what was written, on every connection', () => ({ get: async () => 'one' })],
  [
    'keeps any text, up to 64 KiB, and the empty one',
    (store) => ({ set: (key, value, end) => store.set(key, value.slice(0, 65_535), end) }),
  ],
  [
    'keeps any text, up to 64 KiB, and the empty one',
    (store) => ({
      async lock(key, lockFor) {
        const locked = await store.lock(key, lockFor)
        return locked?.value === '' ? undefined : locked
      },
    }),
  ],
  [
    'forgets an entry when its time is over, for every method',
    (store) => ({ set: (key, value) => store.set(key, value, LATER) }),
  ],
  [
    'takes the new end with a new value',
    (store) => {
      const ends = new Map<string, number>()
      return {
        set(key, value, end) {
          ends.set(key, ends.get(key) ?? end)
          return store.set(key, value, ends.get(key) ?? end)
        },
      }
    },
  ],
  [
    'moves the end of an entry, and nothing else',
    (store) => ({
      async touch(key, end) {
        const value = await store.get(key)
        if (value !== undefined) await store.set(key, value, end)
        return value !== undefined
      },
    }),
  ],
  [
    'moves the end of an entry, and nothing else',
    (store) => ({
      async touch(key, end) {
        if ((await store.get(key)) === undefined) await store.set(key, '', end)
        return store.touch(key, end)
      },
    }),
  ],
  [
    'tells one of many that it was the one who deleted',
    (store) => ({
      async delete(key, fence) {
        const existed = (await store.get(key)) !== undefined
        await meanwhile()
        await store.delete(key, fence)
        return existed
      },
    }),
  ],
  [
    'has no lock for what is not there',
    (store) => ({
      lock: async (key, lockFor) => (await store.lock(key, lockFor)) ?? { value: '', fence: 1 },
    }),
  ],
  [
    'gives a lock to one of many, with the value',
    (store) => ({
      async lock(key) {
        const value = await store.get(key)
        return value === undefined ? undefined : { value, fence: 1 }
      },
    }),
  ],
  [
    'gives the lock of one entry without that of another',
    (store) => {
      const held = new Set<string>()
      return {
        async lock(key, lockFor) {
          if (held.size > 0) return undefined
          held.add(key)
          return store.lock(key, lockFor)
        },
      }
    },
  ],
  [
    'replaces a holder that has died, under a greater number',
    (store) => ({ lock: (key) => store.lock(key, LATER) }),
  ],
  [
    'refuses the late write of a holder that was replaced',
    (store) => ({
      async replace(key, value) {
        if ((await store.get(key)) === undefined) return false
        await store.set(key, value, LATER)
        return true
      },
    }),
  ],
  [
    'refuses the late write of a holder that was replaced',
    (store) => ({ delete: (key) => store.delete(key) }),
  ],
  [
    'takes the write of a holder whose time was over but who was not replaced',
    (store, now) => {
      const ends = new Map<number, number>()
      return {
        async lock(key, lockFor) {
          const locked = await store.lock(key, lockFor)
          if (locked !== undefined) ends.set(locked.fence, now() + lockFor)
          return locked
        },
        replace: async (key, value, fence, lockFor) =>
          now() < (ends.get(fence) ?? 0) && store.replace(key, value, fence, lockFor),
      }
    },
  ],
  [
    'never brings back what was deleted',
    (store) => ({
      async replace(key, value, fence, lockFor) {
        if ((await store.get(key)) === undefined) await store.set(key, value, LATER)
        return store.replace(key, value, fence, lockFor)
      },
    }),
  ],
  [
    'holds the lock for as long as a write asks for',
    (store) => ({
      replace: (key, value, fence, lockFor) =>
        store.replace(key, value, fence, Math.min(lockFor, 1)),
    }),
  ],
  [
    'lets the lock go with the last write, after which there is no other',
    (store) => ({
      replace: (key, value, fence, lockFor) =>
        store.replace(key, value, fence, lockFor === 0 ? 1 : lockFor),
    }),
  ],
  [
    'keeps the end of an entry in a write under its lock',
    (store) => ({
      async replace(key, value, fence, lockFor) {
        await store.touch(key, LATER)
        return store.replace(key, value, fence, lockFor)
      },
    }),
  ],
  [
    'lets a holder delete, once',
    (store) => ({
      delete: async (key, fence) => fence === undefined && store.delete(key),
    }),
  ],
  [
    'shuts a holder out when the entry is written over',
    (store) => {
      // The lock of before, under the value of now.
      const last = new Map<string, string>()
      return {
        async set(key, value, end) {
          if ((await store.get(key)) === undefined) await store.set(key, value, end)
          else last.set(key, value)
        },
        get: async (key) => last.get(key) ?? store.get(key),
      }
    },
  ],
]

describe('sessionStoreContract', () => {
  it('is kept by a store that is whole', async () => {
    expect(await broken(() => harness(() => ({})))).toEqual([])
  })

  it.each(FAULTS)('%s', async (rule, spoil) => {
    expect(await broken(() => harness(spoil))).toContain(rule)
  })

  it('has no rule that none of these faults breaks', async () => {
    const rules: string[] = []
    sessionStoreContract('a store', () => harness(() => ({})), {
      describe: (_title, body) => body(),
      it: (title) => void rules.push(title),
      expect,
    })
    expect(new Set(FAULTS.map(([rule]) => rule))).toEqual(new Set(rules))
  })

  it('disposes of what it created, also when a rule is broken', async () => {
    let open = 0
    const create = (): StoreHarness => {
      open += 1
      return { ...harness(() => ({ get: async () => 'one' })), dispose: () => void (open -= 1) }
    }
    expect((await broken(create)).length).toBeGreaterThan(0)
    expect(open).toBe(0)
  })
})
