import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createAliveClock } from './alive-clock.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('an alive clock', () => {
  it('calls when the time is over, give or take a look, unless it was called off', async () => {
    const clock = createAliveClock()
    const task = vi.fn<() => void>()
    const other = vi.fn<() => void>()
    clock.after(4_000, task)
    clock.after(4_000, other)()
    await vi.advanceTimersByTimeAsync(3_900)
    expect(task).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(200)
    expect(task).toHaveBeenCalledOnce()
    expect(other).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('counts no time in which the process could do nothing', async () => {
    let time = 0
    vi.spyOn(performance, 'now').mockImplementation(() => time)
    const clock = createAliveClock()
    const task = vi.fn<() => void>()
    clock.after(1_000, task)
    // Ten seconds of which it sees only the end.
    time = 10_000
    await vi.advanceTimersByTimeAsync(100)
    expect(task).not.toHaveBeenCalled()
    for (let looks = 0; looks < 6; looks += 1) {
      time += 100
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(task).toHaveBeenCalledOnce()
  })

  it('calls thousands that are due a few at a time', async () => {
    const clock = createAliveClock()
    const task = vi.fn<() => void>()
    for (let number = 0; number < 1_000; number += 1) clock.after(1_000, task)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(task).toHaveBeenCalledTimes(200)
    await vi.advanceTimersByTimeAsync(400)
    expect(task).toHaveBeenCalledTimes(1_000)
  })
})
