import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { abortable, aborted, sleep, within } from './abort.ts'
import { isAuthError } from './errors.ts'
import { endVirtualTime, recordedEnvironment, rejection } from './fixtures.test.support.ts'

/** How many wait for a signal. */
const waitingFor = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

describe('aborted', () => {
  it('is a typed error that says what ended, and that trying again is allowed', () => {
    const error = aborted('The rotation')
    expect(isAuthError(error, 'ERR_ABORTED')).toBe(true)
    expect(error.message).toMatch(/^The rotation was ended/)
    expect(error).toMatchObject({ phase: 'sync', retryable: true })
  })
})

describe('abortable', () => {
  const never = new Promise<never>(() => {})

  it('hands back the very promise when there is no signal', () => {
    const promise = Promise.resolve(1)
    expect(abortable(promise, undefined)).toBe(promise)
  })

  it('settles as the promise does, and lets go of the signal', async () => {
    const { signal } = new AbortController()
    const waiting = abortable(Promise.resolve(1), signal)
    expect(waitingFor(signal)).toBe(1)
    await expect(waiting).resolves.toBe(1)
    await expect(abortable(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
    expect(waitingFor(signal)).toBe(0)
  })

  it('rejects with the reason of the signal as soon as it aborts', async () => {
    const controller = new AbortController()
    const reason = aborted('The request')
    const waiting = rejection(abortable(never, controller.signal))
    controller.abort(reason)
    expect(await waiting).toBe(reason)
    expect(waitingFor(controller.signal)).toBe(0)
  })

  it('rejects at once when the signal has aborted before', async () => {
    const reason = aborted('The request')
    expect(await rejection(abortable(never, AbortSignal.abort(reason)))).toBe(reason)
  })

  // MSAL #5611-like noise and okta #1194: rejections that nobody handles reach the error reporter.
  it('leaves no unhandled rejection behind, whether the signal aborted before or after', async () => {
    const unhandled: unknown[] = []
    const listen = (fault: unknown): void => void unhandled.push(fault)
    process.on('unhandledRejection', listen)
    try {
      const controller = new AbortController()
      const fail = async (): Promise<never> => {
        await new Promise((resolve) => setTimeout(resolve, 1))
        throw new Error('later')
      }
      const before = rejection(abortable(fail(), AbortSignal.abort(aborted('It'))))
      const after = rejection(abortable(fail(), controller.signal))
      controller.abort(aborted('It'))
      await Promise.all([before, after])
      await new Promise((resolve) => setTimeout(resolve, 10))
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', listen)
    }
  })
})

describe('sleep', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(endVirtualTime)

  it('resolves after its time and not before', async () => {
    let awake = false
    void sleep(100, new AbortController().signal, recordedEnvironment()).then(() => (awake = true))
    await vi.advanceTimersByTimeAsync(99)
    expect(awake).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(awake).toBe(true)
  })

  it('leaves no timer when it is aborted, before or during', async () => {
    const reason = aborted('The rotation')
    const controller = new AbortController()
    const during = rejection(sleep(100, controller.signal, recordedEnvironment()))
    controller.abort(reason)
    expect(await during).toBe(reason)
    expect(await rejection(sleep(100, controller.signal, recordedEnvironment()))).toBe(reason)
  })
})

describe('within', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(endVirtualTime)

  const forEver = (): AbortSignal => new AbortController().signal
  const never = new Promise<string>(() => {})

  it('brings what the work brings in time, and leaves no timer and no listener', async () => {
    const signal = forEver()
    const work = within(Promise.resolve('done'), 100, signal, recordedEnvironment())
    await expect(work).resolves.toBe('done')
    expect([vi.getTimerCount(), waitingFor(signal)]).toEqual([0, 0])
  })

  it('brings nothing when the time is over, and not earlier', async () => {
    let outcome: unknown = 'waiting'
    void within(never, 100, forEver(), recordedEnvironment()).then((value) => (outcome = value))
    await vi.advanceTimersByTimeAsync(99)
    expect(outcome).toBe('waiting')
    await vi.advanceTimersByTimeAsync(1)
    expect(outcome).toBeUndefined()
  })

  it('brings nothing as soon as the signal aborts, before or during, and leaves no timer', async () => {
    const controller = new AbortController()
    const during = within(never, 100, controller.signal, recordedEnvironment())
    controller.abort(aborted('The wait'))
    await expect(during).resolves.toBeUndefined()
    const after = within(never, 100, controller.signal, recordedEnvironment())
    await expect(after).resolves.toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('fails as the work fails, and leaves no timer', async () => {
    const fault = new Error('mine')
    const work = within(Promise.reject(fault), 100, forEver(), recordedEnvironment())
    expect(await rejection(work)).toBe(fault)
    expect(vi.getTimerCount()).toBe(0)
  })
})
