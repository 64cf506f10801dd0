import { describe, expect, it } from 'vitest'
import { NOW } from './fixtures.test.support.ts'
import { initialSnapshot, type AuthSnapshot, type BridgeEvent } from './state.ts'
import { createTransactions } from './transaction.ts'

const rotated = (generation: number): BridgeEvent => ({
  type: 'token-rotated',
  at: NOW,
  generation,
  expiresAt: NOW + generation,
  reason: 'test',
})
const generationOf = (event: BridgeEvent): number =>
  event.type === 'token-rotated' ? event.generation : -1

function transactionsOf() {
  const faults: unknown[] = []
  const transactions = createTransactions(initialSnapshot, (fault) => void faults.push(fault))
  return { faults, transactions }
}

describe('createTransactions', () => {
  it('tells stores first, then readers, then everybody else, and all see the new snapshot', () => {
    const { transactions } = transactionsOf()
    const order: unknown[] = []
    transactions.events.add(() => order.push(['event', transactions.snapshot.generation]))
    transactions.readers.add(() => order.push(['reader', transactions.snapshot.generation]))
    transactions.attach({
      name: 'store',
      apply: (event, snapshot) =>
        order.push(['store', snapshot.generation, transactions.snapshot === snapshot, event.type]),
    })
    transactions.run(() => rotated(1))
    expect(order).toEqual([
      ['store', 1, true, 'token-rotated'],
      ['reader', 1],
      ['event', 1],
    ])
  })

  it('says nothing when nothing happened', () => {
    const { transactions } = transactionsOf()
    let told = 0
    transactions.events.add(() => (told += 1))
    transactions.run(() => null)
    expect([told, transactions.snapshot]).toEqual([0, initialSnapshot])
  })

  it('gives each phase every generation once and in order, when a store asks for the next change', () => {
    const { transactions } = transactionsOf()
    const seen = { store: [] as number[], early: [] as number[], late: [] as number[] }
    transactions.readers.add((event) => {
      seen.early.push(generationOf(event))
      if (generationOf(event) === 2) transactions.run(() => rotated(3))
    })
    transactions.attach({
      name: 'store',
      apply: (event) => {
        seen.store.push(generationOf(event))
        if (generationOf(event) === 1) transactions.run(() => rotated(2))
      },
    })
    transactions.readers.add((event) => seen.late.push(generationOf(event)))
    transactions.run(() => rotated(1))
    expect(seen).toEqual({ store: [1, 2, 3], early: [1, 2, 3], late: [1, 2, 3] })
  })

  it('runs a change that was asked for from inside only after all have been told of this one', () => {
    const { transactions } = transactionsOf()
    const order: string[] = []
    transactions.readers.add((event) => {
      order.push(`reader ${generationOf(event)}`)
      if (generationOf(event) === 1) {
        transactions.run(() => {
          order.push('change 2')
          return rotated(2)
        })
        order.push('asked')
      }
    })
    transactions.events.add((event) => order.push(`event ${generationOf(event)}`))
    transactions.run(() => rotated(1))
    expect(order).toEqual(['reader 1', 'asked', 'event 1', 'change 2', 'reader 2', 'event 2'])
  })

  it('reports who throws, in any phase, and harms nobody else', () => {
    const { transactions, faults } = transactionsOf()
    const told: string[] = []
    const fail = (): never => {
      throw new Error('mine')
    }
    transactions.attach({ name: 'broken', apply: fail })
    transactions.attach({ name: 'store', apply: () => told.push('store') })
    transactions.readers.add(fail)
    transactions.readers.add(() => told.push('reader'))
    transactions.events.add(fail)
    transactions.events.add(() => told.push('event'))
    transactions.run(() => rotated(1))
    expect(told).toEqual(['store', 'reader', 'event'])
    expect(faults).toHaveLength(3)
    expect(transactions.snapshot.generation).toBe(1)
  })

  it('calls an adapter as its own method, and no more once it is disconnected', () => {
    const { transactions } = transactionsOf()
    const adapter = {
      name: 'store',
      applied: [] as AuthSnapshot[],
      apply(_event: BridgeEvent, snapshot: AuthSnapshot) {
        this.applied.push(snapshot)
      },
    }
    const disconnect = transactions.attach(adapter)
    transactions.run(() => rotated(1))
    disconnect()
    transactions.run(() => rotated(2))
    expect(adapter.applied.map(({ generation }) => generation)).toEqual([1])
  })

  it('hands out events that nobody can change for those who come after', () => {
    const { transactions } = transactionsOf()
    const seen: BridgeEvent[] = []
    transactions.attach({
      name: 'meddler',
      apply: (event) => void Object.assign(event, { generation: 99 }),
    })
    transactions.readers.add((event) => seen.push(event))
    transactions.run(() => rotated(1))
    expect(seen.map(generationOf)).toEqual([1])
    expect(Object.isFrozen(seen[0])).toBe(true)
  })

  it('says that it is running as long as somebody is being told', () => {
    const { transactions } = transactionsOf()
    const seen: boolean[] = []
    transactions.readers.add(() => seen.push(transactions.isRunning))
    transactions.events.add(() => seen.push(transactions.isRunning))
    seen.push(transactions.isRunning)
    transactions.run(() => rotated(1))
    seen.push(transactions.isRunning)
    expect(seen).toEqual([false, true, true, false])
  })

  describe('on hold', () => {
    function observed() {
      const { transactions } = transactionsOf()
      const seen = { readers: [] as number[], events: [] as number[] }
      transactions.readers.add((event) => seen.readers.push(generationOf(event)))
      transactions.events.add((event) => seen.events.push(generationOf(event)))
      return { transactions, seen }
    }

    it('tells stores and readers at once, and everybody else in order when it is let go', () => {
      const { transactions, seen } = observed()
      const letGo = transactions.hold()
      transactions.run(() => rotated(1))
      transactions.run(() => rotated(2))
      expect(seen).toEqual({ readers: [1, 2], events: [] })
      letGo()
      expect(seen.events).toEqual([1, 2])
      transactions.run(() => rotated(3))
      expect(seen).toEqual({ readers: [1, 2, 3], events: [1, 2, 3] })
    })

    it('waits for everybody who holds, and counts none of them twice', () => {
      const { transactions, seen } = observed()
      const first = transactions.hold()
      const second = transactions.hold()
      transactions.run(() => rotated(1))
      first()
      first()
      expect(seen.events).toEqual([])
      second()
      expect(seen.events).toEqual([1])
      second()
      const third = transactions.hold()
      transactions.run(() => rotated(2))
      expect(seen.events).toEqual([1])
      third()
      expect(seen.events).toEqual([1, 2])
    })

    it('holds back the rest when somebody who is told takes hold', () => {
      const { transactions, seen } = observed()
      let letGoAgain = (): void => {}
      const letGo = transactions.hold()
      transactions.events.add((event) => {
        if (generationOf(event) === 1) letGoAgain = transactions.hold()
      })
      transactions.run(() => rotated(1))
      transactions.run(() => rotated(2))
      letGo()
      expect(seen.events).toEqual([1])
      letGoAgain()
      expect(seen.events).toEqual([1, 2])
    })

    it('lets a change that is asked for while it lets go wait until all have been told', () => {
      const { transactions } = transactionsOf()
      const order: string[] = []
      transactions.readers.add((event) => order.push(`reader ${generationOf(event)}`))
      transactions.events.add((event) => {
        if (generationOf(event) === 1) transactions.run(() => rotated(3))
      })
      transactions.events.add((event) => order.push(`event ${generationOf(event)}`))
      const letGo = transactions.hold()
      transactions.run(() => rotated(1))
      transactions.run(() => rotated(2))
      letGo()
      expect(order).toEqual(['reader 1', 'reader 2', 'event 1', 'event 2', 'reader 3', 'event 3'])
    })
  })

  it('passes the exception of a change on, and still runs what waited behind it', () => {
    const { transactions } = transactionsOf()
    const seen: number[] = []
    transactions.readers.add((event) => {
      seen.push(generationOf(event))
      if (generationOf(event) !== 1) return
      transactions.run(() => {
        throw new Error('change')
      })
      transactions.run(() => rotated(2))
    })
    expect(() => transactions.run(() => rotated(1))).toThrow('change')
    expect(seen).toEqual([1, 2])
    transactions.run(() => rotated(3))
    expect(seen).toEqual([1, 2, 3])
  })
})
