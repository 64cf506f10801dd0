import { beforeEach, describe, expect, it } from 'vitest'
import { memoryStore } from './memory-store.ts'
import { sealing } from './sealing.ts'
import { sessionStoreContract } from './session-store-contract.ts'
import type { SessionStore } from './session-store.ts'

const key = (byte: number) => new Uint8Array(32).fill(byte)
const OLD = key(1)
const NEW = key(2)
const SECRET = '{"refreshToken":"a secret"}'
const LATER = Date.now() + 60_000

let store: SessionStore
let warnings: string[]
const logger = { warn: (line: string) => void warnings.push(line) }
beforeEach(() => {
  store = memoryStore()
  warnings = []
})

sessionStoreContract(
  'sealing',
  () => {
    let time = 1_000_000
    const now = () => time
    return {
      store: sealing(memoryStore({ now }), [OLD], logger),
      now,
      pass: (ms) => void (time += ms),
    }
  },
  { describe, it, expect },
)

describe('sealing', () => {
  it.each<[string, (sealed: SessionStore) => Promise<unknown>]>([
    ['set', (sealed) => sealed.set('a', SECRET, LATER)],
    [
      'replace',
      async (sealed) => {
        await sealed.set('a', '', LATER)
        const locked = await sealed.lock('a', 1_000)
        return sealed.replace('a', SECRET, locked?.fence ?? 0, 0)
      },
    ],
  ])('shows the store nothing of what is written by %s', async (_name, write) => {
    const sealed = sealing(store, [OLD], logger)
    await write(sealed)
    const kept = (await store.get('a')) ?? ''
    expect(kept).toMatch(/^[\w-]+(?:\.[\w-]+){4}$/)
    expect(JSON.parse(atob(kept.split('.')[0] ?? ''))).toEqual({
      alg: 'A256KW',
      enc: 'A256GCM',
      kid: expect.stringMatching(/^[\w-]{43}$/),
      for: 'a',
    })
    expect(await sealed.get('a')).toBe(SECRET)
    expect((await sealed.lock('a', 1_000))?.value).toBe(SECRET)
    expect(warnings).toEqual([])
  })

  it('opens with every key and seals with the first, so that keys can be replaced', async () => {
    await sealing(store, [OLD], logger).set('a', SECRET, LATER)
    const both = sealing(store, [NEW, OLD], logger)
    expect(await both.get('a')).toBe(SECRET)
    await both.set('b', SECRET, LATER)
    const onlyNew = sealing(store, [NEW], logger)
    expect(await onlyNew.get('b')).toBe(SECRET)
    expect(warnings).toEqual([])
    expect(await onlyNew.get('a')).toBeUndefined()
    expect(warnings).toHaveLength(1)
  })

  it('takes what no key opens for nothing, and says so once', async () => {
    await sealing(store, [OLD], logger).set('a', SECRET, LATER)
    await store.set('plain', SECRET, LATER)
    await store.set('empty', '', LATER)
    await store.set('garbage', 'eyJhbGciOiJub25lIn0....', LATER)
    const sealed = sealing(store, [NEW], logger)
    for (const name of ['a', 'plain', 'empty', 'garbage']) {
      expect(await sealed.get(name)).toBeUndefined()
      expect(await sealed.lock(name, 1_000)).toBeUndefined()
    }
    expect(warnings).toEqual([
      '[auth] a stored value was not sealed for its place with one of encryptionKeys; it counts as none',
    ])
  })

  it('does not open a value in another place', async () => {
    const sealed = sealing(store, [OLD], logger)
    await sealed.set('session:mine', SECRET, LATER)
    await store.set('session:yours', (await store.get('session:mine')) ?? '', LATER)
    expect(await sealed.get('session:yours')).toBeUndefined()
    expect(warnings).toHaveLength(1)
  })

  it('does not open a value that was changed', async () => {
    const sealed = sealing(store, [OLD], logger)
    await sealed.set('a', SECRET, LATER)
    const parts = ((await store.get('a')) ?? '').split('.')
    for (let part = 0; part < 5; part += 1) {
      const changed = parts.map((text, index) =>
        index === part ? `${text[0] === 'A' ? 'B' : 'A'}${text.slice(1)}` : text,
      )
      await store.set('a', changed.join('.'), LATER)
      expect(await sealed.get('a')).toBeUndefined()
    }
  })

  it('stores values as they are without keys, and takes sealed ones for nothing', async () => {
    const plain = sealing(store, [], logger)
    await plain.set('a', SECRET, LATER)
    expect(await store.get('a')).toBe(SECRET)
    expect(await plain.get('a')).toBe(SECRET)
    expect(warnings).toEqual([])
    await sealing(store, [OLD], logger).set('b', SECRET, LATER)
    expect(await plain.get('b')).toBeUndefined()
    expect(warnings).toHaveLength(1)
  })

  it('warns that a store outside of memory keeps tokens as plain text, unless it has keys', () => {
    // As a store of one's own: it says nothing of itself.
    const { isVolatile: _, ...own } = store
    sealing(own, [OLD], logger)
    sealing(store, [], logger)
    expect(warnings).toEqual([])
    sealing(own, [], logger)
    expect(warnings).toEqual([
      '[auth] the store keeps tokens as plain text; give authRoutes({ encryptionKeys })',
    ])
  })
})
