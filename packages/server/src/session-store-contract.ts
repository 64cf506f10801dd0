/**
 * The tests that every session store has to pass, for yours too.
 *
 * @module
 */
import type { SessionStore } from './session-store.ts'

/** A store for one test, and how time passes for it. */
export interface StoreHarness {
  readonly store: SessionStore
  /** The same data through another connection or process, where the store can be shared: races run over both. */
  readonly second?: SessionStore
  /** Epoch milliseconds on the clock of `store`. Default `Date.now`. */
  now?(): number
  /** Lets time go by. Default: waits for it. @param ms - milliseconds. */
  pass?(ms: number): Promise<void> | void
  /** Ends what `create` began. */
  dispose?(): Promise<void> | void
}

/** The three functions of a test runner that the contract uses; those of Vitest and Jest fit. */
export interface StoreContractTools {
  readonly describe: (title: string, body: () => void) => unknown
  readonly it: (title: string, body: () => Promise<void>) => unknown
  readonly expect: (value: unknown) => { toEqual(expected: unknown): unknown }
}

/** Milliseconds. A store on real time is waited for, so short; a busy machine is slow, so not too short. */
const SHORT = 500
const LONG = 60_000

/**
 * Registers the tests that every {@link SessionStore} has to pass.
 *
 * @param name - of the store, for the titles.
 * @param create - makes an empty store for one test.
 * @example
 * sessionStoreContract('postgresStore', async () => ({ store: await emptyStore() }), { describe, it, expect })
 */
export function sessionStoreContract(
  name: string,
  create: () => Promise<StoreHarness> | StoreHarness,
  { describe, it, expect }: StoreContractTools,
): void {
  interface Case {
    readonly store: SessionStore
    /** The other connection, or the same. */
    readonly second: SessionStore
    /** A time so many milliseconds ahead. */
    in(ms: number): number
    pass(ms: number): Promise<void> | void
  }

  const rule = (title: string, body: (each: Case) => Promise<void>): unknown =>
    it(title, async () => {
      const harness = await create()
      const { store, now = Date.now, pass = wait } = harness
      try {
        await body({
          store,
          second: harness.second ?? store,
          in: (ms) => now.call(harness) + ms,
          pass: (ms) => pass.call(harness, ms),
        })
      } finally {
        await harness.dispose?.()
      }
    })

  /** Twenty callers at the same time, over both connections. */
  const race = <T>({ store, second }: Case, call: (store: SessionStore) => Promise<T>) =>
    Promise.all(Array.from({ length: 20 }, (_, index) => call(index % 2 === 0 ? store : second)))

  /** Takes a lock that must be free. */
  async function lock(store: SessionStore, key: string, lockFor: number): Promise<number> {
    const locked = await store.lock(key, lockFor)
    expect(typeof locked?.fence).toEqual('number')
    return locked?.fence ?? Number.NaN
  }

  describe(`${name} keeps the session store contract`, () => {
    rule('gives back what was written, on every connection', async (each) => {
      const { store, second } = each
      expect(await store.get('a')).toEqual(undefined)
      await store.set('a', 'one', each.in(LONG))
      await store.set('b', 'two', each.in(LONG))
      expect([await second.get('a'), await second.get('b')]).toEqual(['one', 'two'])
      await second.set('a', 'three', each.in(LONG))
      expect([await store.get('a'), await store.get('b')]).toEqual(['three', 'two'])
    })

    rule('keeps any text, up to 64 KiB, and the empty one', async (each) => {
      const texts = ['', '\0"\'\\\r\n;--%s{}', 'ключ \u{1f511}', 'x'.repeat(65_536)]
      for (const text of texts) {
        await each.store.set('a', text, each.in(LONG))
        expect(await each.store.get('a')).toEqual(text)
        expect((await each.store.lock('a', LONG))?.value).toEqual(text)
      }
    })

    rule('forgets an entry when its time is over, for every method', async (each) => {
      const { store } = each
      await store.set('a', 'one', each.in(SHORT))
      const fence = await lock(store, 'a', LONG)
      await each.pass(SHORT + 1)
      expect(await store.get('a')).toEqual(undefined)
      expect(await store.lock('a', LONG)).toEqual(undefined)
      expect(await store.touch('a', each.in(LONG))).toEqual(false)
      expect(await store.replace('a', 'two', fence, 0)).toEqual(false)
      expect(await store.delete('a')).toEqual(false)
      expect(await store.get('a')).toEqual(undefined)
    })

    rule('takes the new end with a new value', async (each) => {
      await each.store.set('a', 'one', each.in(SHORT))
      await each.store.set('a', 'two', each.in(LONG))
      await each.pass(SHORT + 1)
      expect(await each.store.get('a')).toEqual('two')
    })

    rule('moves the end of an entry, and nothing else', async (each) => {
      const { store } = each
      expect(await store.touch('a', each.in(LONG))).toEqual(false)
      expect(await store.get('a')).toEqual(undefined)
      await store.set('a', 'one', each.in(SHORT))
      await store.set('b', 'two', each.in(LONG))
      const fence = await lock(store, 'a', LONG)
      expect(await store.touch('a', each.in(LONG))).toEqual(true)
      expect(await store.touch('b', each.in(SHORT))).toEqual(true)
      await each.pass(SHORT + 1)
      expect(await store.get('a')).toEqual('one')
      expect(await store.get('b')).toEqual(undefined)
      expect(await store.lock('a', LONG)).toEqual(undefined)
      expect(await store.replace('a', 'three', fence, 0)).toEqual(true)
    })

    rule('tells one of many that it was the one who deleted', async (each) => {
      await each.store.set('a', 'one', each.in(LONG))
      const deleted = await race(each, (store) => store.delete('a'))
      expect(deleted.filter(Boolean).length).toEqual(1)
      expect(await each.second.get('a')).toEqual(undefined)
    })

    rule('has no lock for what is not there', async (each) => {
      expect(await each.store.lock('a', LONG)).toEqual(undefined)
      expect(await each.store.get('a')).toEqual(undefined)
    })

    rule('gives a lock to one of many, with the value', async (each) => {
      await each.store.set('a', 'one', each.in(LONG))
      const locks = await race(each, (store) => store.lock('a', LONG))
      expect(locks.filter((locked) => locked !== undefined).map(({ value }) => value)).toEqual([
        'one',
      ])
    })

    rule('gives the lock of one entry without that of another', async (each) => {
      await each.store.set('a', 'one', each.in(LONG))
      await each.store.set('b', 'two', each.in(LONG))
      await lock(each.store, 'a', LONG)
      await lock(each.store, 'b', LONG)
    })

    rule('replaces a holder that has died, under a greater number', async (each) => {
      const { store, second } = each
      await store.set('a', 'one', each.in(LONG))
      const dead = await lock(store, 'a', SHORT)
      await each.pass(SHORT + 1)
      const alive = await lock(second, 'a', LONG)
      expect(alive > dead).toEqual(true)
    })

    rule('refuses the late write of a holder that was replaced', async (each) => {
      const { store, second } = each
      await store.set('a', 'one', each.in(LONG))
      const late = await lock(store, 'a', SHORT)
      await each.pass(SHORT + 1)
      const fence = await lock(second, 'a', LONG)
      expect(await store.replace('a', 'late', late, LONG)).toEqual(false)
      expect(await store.replace('a', 'late', late, 0)).toEqual(false)
      expect(await store.delete('a', late)).toEqual(false)
      expect(await store.get('a')).toEqual('one')
      expect(await second.lock('a', LONG)).toEqual(undefined)
      expect(await second.replace('a', 'two', fence, 0)).toEqual(true)
      expect(await store.get('a')).toEqual('two')
    })

    rule(
      'takes the write of a holder whose time was over but who was not replaced',
      async (each) => {
        await each.store.set('a', 'one', each.in(LONG))
        const fence = await lock(each.store, 'a', SHORT)
        await each.pass(SHORT + 1)
        expect(await each.store.replace('a', 'two', fence, 0)).toEqual(true)
      },
    )

    rule('never brings back what was deleted', async (each) => {
      const { store, second } = each
      await store.set('a', 'one', each.in(LONG))
      const fence = await lock(store, 'a', LONG)
      expect(await second.delete('a')).toEqual(true)
      expect(await store.replace('a', 'late', fence, LONG)).toEqual(false)
      expect(await store.replace('a', 'late', fence, 0)).toEqual(false)
      expect(await store.get('a')).toEqual(undefined)
    })

    rule('holds the lock for as long as a write asks for', async (each) => {
      const { store, second } = each
      await store.set('a', 'one', each.in(LONG))
      const fence = await lock(store, 'a', SHORT)
      expect(await store.replace('a', 'two', fence, LONG)).toEqual(true)
      await each.pass(SHORT + 1)
      expect(await second.lock('a', LONG)).toEqual(undefined)
      expect(await store.replace('a', 'three', fence, SHORT)).toEqual(true)
      await each.pass(SHORT + 1)
      expect((await second.lock('a', LONG))?.value).toEqual('three')
    })

    rule('lets the lock go with the last write, after which there is no other', async (each) => {
      const { store, second } = each
      await store.set('a', 'one', each.in(LONG))
      const fence = await lock(store, 'a', LONG)
      expect(await store.replace('a', 'two', fence, 0)).toEqual(true)
      expect(await store.replace('a', 'overtaken', fence, LONG)).toEqual(false)
      expect(await store.get('a')).toEqual('two')
      expect((await lock(second, 'a', LONG)) > fence).toEqual(true)
    })

    rule('keeps the end of an entry in a write under its lock', async (each) => {
      const { store } = each
      await store.set('a', 'one', each.in(SHORT))
      await store.set('b', 'one', each.in(LONG))
      for (const key of ['a', 'b']) {
        const fence = await lock(store, key, LONG)
        expect(await store.replace(key, 'two', fence, LONG)).toEqual(true)
      }
      await each.pass(SHORT + 1)
      expect([await store.get('a'), await store.get('b')]).toEqual([undefined, 'two'])
    })

    rule('lets a holder delete, once', async (each) => {
      await each.store.set('a', 'one', each.in(LONG))
      const fence = await lock(each.store, 'a', LONG)
      expect(await each.store.delete('a', fence)).toEqual(true)
      expect(await each.store.delete('a', fence)).toEqual(false)
      expect(await each.store.get('a')).toEqual(undefined)
    })

    rule('shuts a holder out when the entry is written over', async (each) => {
      const { store, second } = each
      await store.set('a', 'one', each.in(LONG))
      const fence = await lock(store, 'a', LONG)
      await second.set('a', 'two', each.in(LONG))
      expect(await store.replace('a', 'late', fence, 0)).toEqual(false)
      expect(await store.get('a')).toEqual('two')
      expect((await lock(second, 'a', LONG)) > fence).toEqual(true)
    })
  })
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
