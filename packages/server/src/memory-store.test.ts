import { describe, expect, it, vi } from 'vitest'
import { memoryStore } from './memory-store.ts'
import { sessionStoreContract } from './session-store-contract.ts'

sessionStoreContract(
  'memoryStore',
  () => {
    let time = 1_000_000
    return {
      store: memoryStore({ now: () => time }),
      now: () => time,
      pass: (ms) => void (time += ms),
    }
  },
  { describe, it, expect },
)

describe('memoryStore', () => {
  it('forgets ten thousand sessions that end together a few at a time, and looks at no other', async () => {
    let time = 1_000_000
    const store = memoryStore({ now: () => time })
    for (let number = 0; number < 10_000; number += 1) {
      await store.set(`living-${number}`, '', time + 3_600_000)
      await store.set(`ending-${number}`, '', time + 60_000)
    }
    time += 80_000
    const forgotten = vi.spyOn(Map.prototype, 'delete')
    const seen = vi.spyOn(Map.prototype, 'get')
    const walked = vi.spyOn(Map.prototype, Symbol.iterator)
    const counts: number[] = []
    for (let writes = 0; writes < 200; writes += 1) {
      const before = forgotten.mock.calls.length
      await store.set('mine', String(writes), time + 60_000)
      counts.push(forgotten.mock.calls.length - before)
    }
    const keys = new Set(forgotten.mock.calls.map(([key]) => String(key)))
    const looks = seen.mock.calls.filter(([key]) => String(key).startsWith('living-'))
    vi.restoreAllMocks()
    expect([...keys].filter((key) => key.startsWith('ending-')).length).toBe(10_000)
    expect(Math.max(...counts)).toBeLessThan(70)
    expect(looks).toEqual([])
    expect(walked).not.toHaveBeenCalled()
    expect(await store.get('living-9999')).toBe('')
  })

  it('forgets at its new time what was moved', async () => {
    let time = 1_000_000
    const store = memoryStore({ now: () => time })
    await store.set('a', 'one', time + 20_000)
    await store.touch('a', time + 100_000)
    time += 50_000
    await store.set('b', '', time + 60_000)
    expect(await store.get('a')).toBe('one')
    const forgotten = vi.spyOn(Map.prototype, 'delete')
    time += 70_000
    await store.set('b', '', time + 60_000)
    expect(forgotten.mock.calls.map(([key]) => key)).toContain('a')
  })

  it('goes on when its clock is set back or far ahead', async () => {
    let time = 1_700_000_000_000
    const store = memoryStore({ now: () => time })
    await store.set('a', 'one', time + 60_000)
    time = 0
    await store.set('b', 'two', 60_000)
    expect([await store.get('a'), await store.get('b')]).toEqual(['one', 'two'])
    time = 1_900_000_000_000
    const startedAt = performance.now()
    await store.set('c', 'three', time + 60_000)
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    expect([await store.get('a'), await store.get('b'), await store.get('c')]).toEqual([
      undefined,
      undefined,
      'three',
    ])
  })

  it.each([
    ['memoryStore({ now }) must be a function', { now: 'x' }],
    ['There is no option "ttl"', { ttl: 5 }],
    ['memoryStore(options) must be an object, got null', null],
  ])('says what is wrong: %s', (text, options) => {
    expect(() => memoryStore(options as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG',
        message: expect.stringContaining(text) as string,
      }) as Error,
    )
  })
})
