import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Environment } from '../environment.ts'
import { countingTarget, endVirtualTime, recordedEnvironment } from '../fixtures.test.support.ts'
import { createWakeUps } from './wake-ups.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(endVirtualTime)

function wakeUpsOf() {
  const window = countingTarget()
  const document = Object.assign(countingTarget(), {
    visibilityState: 'hidden',
  })
  const wake = vi.fn()
  const restore = vi.fn()
  const wakeUps = createWakeUps(
    recordedEnvironment({ window, document: document as unknown as Environment['document'] }),
    { wake, restore },
  )
  return { window, document, wake, restore, wakeUps }
}

describe('createWakeUps', () => {
  it('wakes when its timer fires, once', () => {
    const { wake, wakeUps } = wakeUpsOf()
    wakeUps.setTimer(1_000)
    vi.advanceTimersByTime(999)
    expect(wake).not.toHaveBeenCalled()
    vi.advanceTimersByTime(10_000)
    expect(wake).toHaveBeenCalledTimes(1)
    wakeUps.stop()
  })

  it('has one timer: setting it again replaces it', () => {
    const { wake, wakeUps } = wakeUpsOf()
    wakeUps.setTimer(1_000)
    wakeUps.setTimer(5_000)
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(4_999)
    expect(wake).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(wake).toHaveBeenCalledTimes(1)
    wakeUps.stop()
  })

  // okta #1445, #1474; oidc-client-ts #954, #251: timers are throttled when hidden and stand still in sleep.
  it.each(['online', 'focus', 'pageshow'])('wakes at once on %s', (event) => {
    const { window, wake, wakeUps } = wakeUpsOf()
    window.fire(event)
    expect(wake).toHaveBeenCalledTimes(1)
    wakeUps.stop()
  })

  it('wakes when the page becomes visible, and not when it is hidden', () => {
    const { document, wake, wakeUps } = wakeUpsOf()
    document.fire('visibilitychange')
    expect(wake).not.toHaveBeenCalled()
    document.visibilityState = 'visible'
    document.fire('visibilitychange')
    expect(wake).toHaveBeenCalledTimes(1)
    wakeUps.stop()
  })

  it('wakes when a frozen page resumes', () => {
    const { document, wake, wakeUps } = wakeUpsOf()
    document.visibilityState = 'visible'
    document.fire('resume')
    expect(wake).toHaveBeenCalledTimes(1)
    wakeUps.stop()
  })

  // auth0-react#562: the back button restored a page that still said isAuthenticated.
  it('tells a page that comes out of the back/forward cache from one that is shown for the first time', () => {
    const { window, wake, restore, wakeUps } = wakeUpsOf()
    window.fire('pageshow', { persisted: true })
    expect([restore.mock.calls.length, wake.mock.calls.length]).toEqual([1, 0])
    window.fire('pageshow', { persisted: false })
    expect([restore.mock.calls.length, wake.mock.calls.length]).toEqual([1, 1])
    wakeUps.stop()
  })

  // keycloak-js#107: a timer beyond 2^31-1 ms fires at once.
  it.each([31_000, 2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY])(
    'looks after 30 s when it was asked to in %s ms, and not at once',
    (span) => {
      const { wake, wakeUps } = wakeUpsOf()
      wakeUps.setTimer(span)
      vi.advanceTimersByTime(29_999)
      expect(wake).not.toHaveBeenCalled()
      vi.advanceTimersByTime(1)
      expect(wake).toHaveBeenCalledTimes(1)
      wakeUps.stop()
    },
  )

  it('leaves no timer and no listener when it is stopped', () => {
    const { window, document, wake, wakeUps } = wakeUpsOf()
    expect([window.count, document.count]).toEqual([3, 2])
    wakeUps.setTimer(1_000)
    wakeUps.stop()
    expect([window.count, document.count, vi.getTimerCount()]).toEqual([0, 0, 0])
    document.visibilityState = 'visible'
    document.fire('visibilitychange')
    for (const event of ['online', 'focus', 'pageshow']) window.fire(event)
    vi.advanceTimersByTime(10_000)
    expect(wake).not.toHaveBeenCalled()
  })

  it('needs no browser', () => {
    const wake = vi.fn()
    const wakeUps = createWakeUps(recordedEnvironment({ window: undefined, document: undefined }), {
      wake,
      restore() {},
    })
    wakeUps.setTimer(10)
    vi.advanceTimersByTime(10)
    expect(wake).toHaveBeenCalledTimes(1)
    wakeUps.stop()
  })
})
