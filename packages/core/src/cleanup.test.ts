import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createCleanup, createSteps } from './cleanup.ts'
import { endVirtualTime, NOW, recordedEnvironment } from './fixtures.test.support.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(endVirtualTime)

function cleanupOf() {
  const environment = recordedEnvironment()
  return { environment, cleanup: createCleanup(environment) }
}
/** A signal that never aborts. */
const forEver = new AbortController().signal
const later = (span: number): Promise<void> => new Promise((done) => setTimeout(done, span))

describe('createCleanup', () => {
  it('runs every task with the reason and reports them in the order they were registered', async () => {
    const { cleanup } = cleanupOf()
    const reasons: string[] = []
    cleanup.register('slow', async (reason) => {
      await later(200)
      reasons.push(`slow ${reason}`)
    })
    cleanup.register('quick', (reason) => void reasons.push(`quick ${reason}`))
    const run = cleanup.run('sign-out', forEver)
    await vi.advanceTimersByTimeAsync(200)
    await expect(run).resolves.toEqual([
      { name: 'slow', outcome: 'done', duration: 200 },
      { name: 'quick', outcome: 'done', duration: 0 },
    ])
    expect(reasons).toEqual(['quick sign-out', 'slow sign-out'])
  })

  it('runs the synchronous part of every task before it returns, so that nothing of the session is left', () => {
    const { cleanup } = cleanupOf()
    let cleared = 0
    cleanup.register('one', () => void (cleared += 1))
    cleanup.register('two', async () => void (cleared += 1))
    const run = cleanup.run('sign-out', forEver)
    expect(cleared).toBe(2)
    return run
  })

  it('goes on after a task that throws or rejects, and reports the fault', async () => {
    const { cleanup, environment } = cleanupOf()
    let cleared = false
    cleanup.register('throws', () => {
      throw new Error('thrown')
    })
    cleanup.register('rejects', async () => {
      throw new Error('rejected')
    })
    cleanup.register('clears', () => void (cleared = true))
    const steps = await cleanup.run('sign-out', forEver)
    expect(steps.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'done'])
    expect(cleared).toBe(true)
    expect(environment.faults).toHaveLength(2)
  })

  // MSAL Nested App Auth: a silent peer means a promise that never settles.
  it('waits five seconds for a task that hangs, and not longer', async () => {
    const { cleanup } = cleanupOf()
    cleanup.register('hangs', () => new Promise(() => {}))
    cleanup.register('quick', () => {})
    let steps: unknown
    void cleanup.run('sign-out', forEver).then((result) => (steps = result))
    await vi.advanceTimersByTimeAsync(4_999)
    expect(steps).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    expect(steps).toEqual([
      { name: 'hangs', outcome: 'timed-out', duration: 5_000 },
      { name: 'quick', outcome: 'done', duration: 0 },
    ])
  })

  it('reports the fault of a task that fails after its time was up, unhandled by nobody', async () => {
    const { cleanup, environment } = cleanupOf()
    cleanup.register('late', async () => {
      await later(6_000)
      throw new Error('late')
    })
    const run = cleanup.run('sign-out', forEver)
    await vi.advanceTimersByTimeAsync(6_000)
    await expect(run).resolves.toMatchObject([{ outcome: 'timed-out' }])
    expect(environment.faults).toHaveLength(1)
  })

  it('waits no longer for tasks once the signal aborts, and leaves no timer', async () => {
    const { cleanup } = cleanupOf()
    cleanup.register('hangs', () => new Promise(() => {}))
    const controller = new AbortController()
    const run = cleanup.run('sign-out', controller.signal)
    await vi.advanceTimersByTimeAsync(70)
    controller.abort(new Error('stopped'))
    await expect(run).resolves.toEqual([{ name: 'hangs', outcome: 'timed-out', duration: 70 }])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('says how many tasks there are', () => {
    const { cleanup } = cleanupOf()
    const remove = cleanup.register('one', () => {})
    cleanup.register('two', () => {})
    expect(cleanup.size).toBe(2)
    remove()
    expect(cleanup.size).toBe(1)
  })

  it('does not run a task that was taken out, and keeps its namesake', async () => {
    const { cleanup } = cleanupOf()
    const task = vi.fn()
    const remove = cleanup.register('cache', task)
    cleanup.register('cache', task)
    remove()
    remove()
    await expect(cleanup.run('sign-out', forEver)).resolves.toHaveLength(1)
    expect(task).toHaveBeenCalledTimes(1)
  })

  it('leaves a task that registers during a run for the next one', async () => {
    const { cleanup } = cleanupOf()
    const late = vi.fn()
    cleanup.register('registers', () => void cleanup.register('late', late))
    await cleanup.run('sign-out', forEver)
    expect(late).not.toHaveBeenCalled()
    await cleanup.run('sign-out', forEver)
    expect(late).toHaveBeenCalledTimes(1)
  })
})

describe('createSteps', () => {
  it('records each step, and goes on after one that throws', () => {
    const environment = recordedEnvironment()
    const { steps, step } = createSteps(environment)
    step('abort', () => void vi.advanceTimersByTime(3))
    step('wipe', () => {
      throw new Error('mine')
    })
    step('tell', () => {})
    expect(steps).toEqual([
      { name: 'abort', outcome: 'done', duration: 3 },
      { name: 'wipe', outcome: 'failed', duration: 0 },
      { name: 'tell', outcome: 'done', duration: 0 },
    ])
    expect(environment.faults).toHaveLength(1)
  })
})
