import { expect, it } from 'vitest'
import { createRecentMap } from './recent-map.ts'

it('a recent map forgets what was not used for longest, and nothing else', () => {
  const map = createRecentMap<number>(2)
  map.set('a', 1)
  map.set('b', 2)
  expect(map.get('a')).toBe(1)
  map.set('c', 3)
  expect(map.get('b')).toBeUndefined()
  expect(map.get('a')).toBe(1)
  map.set('a', 4)
  map.set('a', 5)
  expect(map.get('c')).toBe(3)
  expect(map.get('a')).toBe(5)
  map.delete('a')
  expect([map.get('a'), map.get('c')]).toEqual([undefined, 3])
})
