import { describe, expect, it } from 'vitest'
import { flagSwitch } from './flag-switch.ts'

describe('flagSwitch', () => {
  it('is on, and tells each observer its value now and each change until it leaves', () => {
    const { flag, set } = flagSwitch()
    const told: boolean[] = []
    const subscription = flag.subscribe({ next: (value) => told.push(value), error: () => {} })
    set(false)
    subscription.unsubscribe()
    set(true)

    expect(told).toEqual([true, false])
  })

  it('tells who comes later the value of that moment', () => {
    const { flag, set } = flagSwitch()
    set(false)
    const told: boolean[] = []
    flag.subscribe({ next: (value) => told.push(value), error: () => {} })

    expect(told).toEqual([false])
  })
})
