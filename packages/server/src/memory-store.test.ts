import { beforeEach, describe, expect, it } from 'vitest'
import { memoryStore } from './memory-store.ts'
import type { SessionStore } from './session-store.ts'

describe('memoryStore', () => {
  let time: number
  let store: SessionStore
  beforeEach(() => {
    time = 1_000_000
    store = memoryStore({ now: () => time })
  })

  it('gives back what was set until its time is over', async () => {
    await store.set('a', 'one', time + 10)
    time += 9
    expect(await store.get('a')).toBe('one')
    time += 1
    expect(await store.get('a')).toBeUndefined()
  })

  it('replaces only what is there', async () => {
    expect(await store.replace('a', 'one', time + 10)).toBe(false)
    expect(await store.get('a')).toBeUndefined()
    await store.set('a', 'one', time + 10)
    expect(await store.replace('a', 'two', time + 20)).toBe(true)
    time += 15
    expect(await store.get('a')).toBe('two')
    time += 5
    expect(await store.replace('a', 'three', time + 10)).toBe(false)
  })

  it('tells one of two deleters that it was the one', async () => {
    await store.set('a', 'one', time + 10)
    expect(await Promise.all([store.delete('a'), store.delete('a')])).toEqual([true, false])
    await store.set('a', 'one', time + 10)
    time += 10
    expect(await store.delete('a')).toBe(false)
  })
})
