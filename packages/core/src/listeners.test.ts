import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { createListeners } from './listeners.ts'

function listOf<T = string>() {
  const faults: unknown[] = []
  return { faults, list: createListeners<T>((fault) => void faults.push(fault)) }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Megabytes that are in use after `run` and were not before. */
function kept(run: () => void): number {
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  run()
  collectGarbage()
  return (process.memoryUsage().heapUsed - before) / 2 ** 20
}

describe('createListeners', () => {
  it('calls everybody once, in the order they came', () => {
    const { list } = listOf()
    const calls: string[] = []
    list.add((value) => calls.push(`a:${value}`))
    list.add((value) => calls.push(`b:${value}`))
    list.emit('1')
    list.emit('2')
    expect(calls).toEqual(['a:1', 'b:1', 'a:2', 'b:2'])
  })

  it('counts the same function twice when it is added twice, and removes one of them', () => {
    const { list } = listOf()
    let calls = 0
    const listener = (): void => void (calls += 1)
    const remove = list.add(listener)
    list.add(listener)
    expect(list.size).toBe(2)
    remove()
    list.emit('x')
    expect([list.size, calls]).toEqual([1, 1])
  })

  it('takes a second removal without counting it', () => {
    const { list } = listOf()
    list.add(() => {})
    const remove = list.add(() => {})
    remove()
    remove()
    expect(list.size).toBe(1)
  })

  it('goes on after a listener that throws, and reports the fault', () => {
    const { list, faults } = listOf()
    const calls: string[] = []
    const fault = new Error('mine')
    list.add(() => {
      throw fault
    })
    list.add((value) => calls.push(value))
    list.emit('x')
    list.emit('y')
    expect(calls).toEqual(['x', 'y'])
    expect(faults).toEqual([fault, fault])
  })

  it('does not call a listener that was added during the emit, until the next', () => {
    const { list } = listOf()
    const calls: string[] = []
    let added = false
    list.add(() => {
      if (added) return
      added = true
      list.add((value) => calls.push(value))
    })
    list.emit('first')
    expect(calls).toEqual([])
    list.emit('second')
    expect(calls).toEqual(['second'])
  })

  it('does not call a listener that an earlier one removed during the emit', () => {
    const { list, faults } = listOf()
    const calls: string[] = []
    list.add(() => removeLater())
    const removeLater = list.add(() => calls.push('removed'))
    list.add(() => calls.push('stays'))
    list.emit('x')
    expect(calls).toEqual(['stays'])
    expect(faults).toEqual([])
    expect(list.size).toBe(2)
  })

  it('lets a listener remove itself and all before it without skipping who comes after', () => {
    const { list } = listOf()
    const calls: number[] = []
    const removals: (() => void)[] = []
    for (let index = 0; index < 10; index += 1) {
      removals[index] = list.add(() => {
        calls.push(index)
        for (const remove of removals.slice(0, index + 1)) remove()
      })
    }
    list.emit('x')
    expect(calls).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(list.size).toBe(0)
    list.emit('y')
    expect(calls).toHaveLength(10)
  })

  it('keeps both walks right when a listener emits', () => {
    const { list } = listOf()
    const calls: string[] = []
    list.add((value) => {
      calls.push(`a:${value}`)
      if (value === 'outer') list.emit('inner')
    })
    const remove = list.add((value) => {
      calls.push(`b:${value}`)
      remove()
    })
    list.add((value) => calls.push(`c:${value}`))
    list.emit('outer')
    expect(calls).toEqual(['a:outer', 'a:inner', 'b:inner', 'c:inner', 'c:outer'])
  })

  it('tells nobody after clear, even in the middle of an emit, and can be used again', () => {
    const { list } = listOf()
    const calls: string[] = []
    list.add(() => list.clear())
    const remove = list.add((value) => calls.push(value))
    list.emit('x')
    remove()
    expect([list.size, calls.length]).toEqual([0, 0])
    list.add((value) => calls.push(value))
    list.emit('y')
    expect(calls).toEqual(['y'])
    expect(list.size).toBe(1)
  })

  it('keeps no trace of 100,000 listeners that came and went', () => {
    const { list } = listOf()
    let calls = 0
    const removals: (() => void)[] = []
    for (let index = 0; index < 100_000; index += 1) removals.push(list.add(() => (calls += 1)))
    list.emit('x')
    expect([list.size, calls]).toEqual([100_000, 100_000])
    for (const remove of removals) remove()
    expect(list.size).toBe(0)
    list.emit('y')
    expect(calls).toBe(100_000)
  })

  describe('in memory', () => {
    const many = 200_000
    const come = (list: ReturnType<typeof listOf>['list']): void => {
      for (let count = 0; count < many; count += 1) list.add(() => {})
    }
    const comeAndGo = (list: ReturnType<typeof listOf>['list']): void => {
      for (let count = 0; count < many; count += 1) list.add(() => {})()
    }

    it('keeps nothing of listeners that left between emits', () => {
      const { list } = listOf()
      list.emit('x')
      expect(kept(() => comeAndGo(list))).toBeLessThan(1)
      expect(list.size).toBe(0)
    })

    it('keeps nothing of listeners that came and left during an emit', () => {
      const { list } = listOf()
      list.add(() => comeAndGo(list))
      expect(kept(() => list.emit('x'))).toBeLessThan(1)
      expect(list.size).toBe(1)
    })

    it('keeps nothing of listeners that were cleared', () => {
      const { list } = listOf()
      const keptByClear = kept(() => {
        come(list)
        list.clear()
      })
      expect(keptByClear).toBeLessThan(1)
      expect(list.size).toBe(0)
    })

    it('is told apart from a list that keeps them', () => {
      const { list } = listOf()
      expect(kept(() => come(list))).toBeGreaterThan(5)
      expect(list.size).toBe(many)
    })
  })

  it('does not walk over the holes of listeners that left: a few emits among 20,000 leavings stay fast', () => {
    const { list } = listOf()
    const keep: number[] = []
    for (let index = 0; index < 20_000; index += 1) {
      const remove = list.add(() => {})
      remove()
      if (index % 5_000 === 0) list.add(() => keep.push(index))
    }
    list.emit('x')
    expect(keep).toEqual([0, 5_000, 10_000, 15_000])
    expect(list.size).toBe(4)
  })
})
