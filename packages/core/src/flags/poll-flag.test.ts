import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isAuthError, type AuthError } from '../errors.ts'
import { endVirtualTime, recordedEnvironment, settle, thrown } from '../fixtures.test.support.ts'
import { pollFlag, type PollFlagOptions } from './poll-flag.ts'
import { watchFlag, type FlagStream } from './watch-flag.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(endVirtualTime)

const NAME = 'ENABLE_SECURE_TOKEN_BRIDGE'
const INTERVAL = 30_000
const TIMEOUT = 5_000

const json = (body: unknown, init?: ResponseInit) => new Response(JSON.stringify(body), init)
const flagIs = (enabled: boolean) => json({ [NAME]: enabled })

type Answer = (signal: AbortSignal) => Response | Promise<Response>

/** Never answers by itself, and lets go when it is aborted, as `fetch` does. */
const hang: Answer = (signal) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })

/** A service whose answer the test sets, and which counts. */
function service(first: Answer = () => flagIs(true), options: PollFlagOptions = {}) {
  const state = { answer: first, atOnce: 0, most: 0 }
  const requests: { url: string; init: RequestInit }[] = []
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    requests.push({ url, init })
    state.atOnce += 1
    state.most = Math.max(state.most, state.atOnce)
    try {
      return await state.answer(init.signal as AbortSignal)
    } finally {
      state.atOnce -= 1
    }
  }
  const flag = pollFlag('/flags.json?key=k1', NAME, {
    fetch: fetch as typeof globalThis.fetch,
    environment: recordedEnvironment(),
    ...options,
  })
  return { flag, state, requests }
}

function heard(flag: FlagStream) {
  const log: (boolean | AuthError)[] = []
  const subscription = flag.subscribe({
    next: (enabled) => void log.push(enabled),
    error: (error) => void log.push(error as AuthError),
  })
  return { log, ...subscription }
}

describe('asking', () => {
  it('begins with the first subscriber and goes on every interval after the answer', async () => {
    const { flag, requests } = service()
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(requests).toHaveLength(0)
    const { log, unsubscribe } = heard(flag)
    expect(requests).toHaveLength(1)
    await settle()
    expect(log).toEqual([true])
    await vi.advanceTimersByTimeAsync(INTERVAL - 1)
    expect(requests).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(requests).toHaveLength(2)
    expect(log).toEqual([true, true])
    unsubscribe()
  })

  it('is a GET past the cache, with cookies on the own origin only', () => {
    const { flag, requests } = service()
    heard(flag).unsubscribe()
    expect(requests[0]?.url).toBe('/flags.json?key=k1')
    expect(requests[0]?.init).toMatchObject({ cache: 'no-store', credentials: 'same-origin' })
    expect(requests[0]?.init).not.toHaveProperty('method')
    expect(requests[0]?.init).not.toHaveProperty('body')
  })

  it('brings a change without a reload', async () => {
    const { flag, state } = service()
    const { log, unsubscribe } = heard(flag)
    await settle()
    state.answer = () => flagIs(false)
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(log).toEqual([true, false])
    unsubscribe()
  })

  // clerk/javascript#5397: an interval put the next poll beside one that was still under way.
  it('never has two requests at a time, however slow the service', async () => {
    const slow: Answer = () =>
      new Promise((resolve) => setTimeout(() => resolve(flagIs(true)), 4_000))
    const { flag, state, requests } = service(slow, { interval: 1_000 })
    const { log, unsubscribe } = heard(flag)
    await vi.advanceTimersByTimeAsync(49_999)
    expect(state.most).toBe(1)
    expect(requests).toHaveLength(10)
    expect(log).toHaveLength(10)
    unsubscribe()
    await vi.advanceTimersByTimeAsync(4_000)
  })

  it('happens now on a recheck, joins the request under way, and the next follows an interval later', async () => {
    const { flag, state, requests } = service()
    flag.recheck()
    expect(requests).toHaveLength(0)
    const { log, unsubscribe } = heard(flag)
    flag.recheck()
    expect(requests).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(10_000)
    state.answer = () => flagIs(false)
    flag.recheck()
    flag.recheck()
    expect(requests).toHaveLength(2)
    await settle()
    expect(log).toEqual([true, false])
    await vi.advanceTimersByTimeAsync(INTERVAL - 1)
    expect(requests).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1)
    expect(requests).toHaveLength(3)
    unsubscribe()
    flag.recheck()
    expect(requests).toHaveLength(3)
  })
})

describe('several subscribers', () => {
  it('share one poll, and who comes late gets the last value at once', async () => {
    const { flag, requests } = service()
    const first = heard(flag)
    const second = heard(flag)
    await settle()
    const late = heard(flag)
    expect(late.log).toEqual([true])
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(requests).toHaveLength(2)
    expect([first.log, second.log, late.log]).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ])
    for (const { unsubscribe } of [first, second, late]) unsubscribe()
  })

  it('do not harm each other when one throws or leaves while it is told', async () => {
    const environment = recordedEnvironment()
    const { flag } = service(undefined, { environment })
    const rude = flag.subscribe({
      next() {
        throw new Error('subscriber')
      },
      error() {},
    })
    const brief = flag.subscribe({ next: () => brief.unsubscribe(), error() {} })
    const polite = heard(flag)
    await settle()
    expect(polite.log).toEqual([true])
    expect(environment.faults).toEqual([new Error('subscriber')])
    rude.unsubscribe()
    polite.unsubscribe()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the end', () => {
  it('comes with the last subscriber: no timer, the request aborted, its answer dropped', async () => {
    let answer: (response: Response) => void = () => {}
    const stubborn: Answer = () => new Promise((resolve) => (answer = resolve))
    const { flag, requests } = service(stubborn)
    const first = heard(flag)
    const second = heard(flag)
    first.unsubscribe()
    first.unsubscribe()
    expect(requests[0]?.init.signal?.aborted).toBe(false)
    second.unsubscribe()
    expect(requests[0]?.init.signal?.aborted).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
    answer(flagIs(false))
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect([...first.log, ...second.log]).toEqual([])
    expect(requests).toHaveLength(1)
  })

  it('may come between two requests, and from within an answer', async () => {
    const { flag, requests } = service()
    const { log, unsubscribe } = heard(flag)
    await settle()
    unsubscribe()
    expect(vi.getTimerCount()).toBe(0)
    const subscription = flag.subscribe({
      next: (enabled) => {
        log.push(enabled)
        if (log.length === 3) subscription.unsubscribe()
      },
      error() {},
    })
    await settle()
    expect(log).toEqual([true, true, true])
    expect(requests).toHaveLength(2)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is no end for who subscribes later: the last value at once, then the answer of now', async () => {
    const { flag, state } = service(() => flagIs(false))
    const before = heard(flag)
    await settle()
    before.unsubscribe()
    let late: (response: Response) => void = () => {}
    state.answer = () => new Promise((resolve) => (late = resolve))
    heard(flag).unsubscribe()
    state.answer = () => flagIs(true)
    const after = heard(flag)
    late(flagIs(false))
    await settle()
    expect(after.log).toEqual([false, true])
    after.unsubscribe()
  })
})

describe('what is no answer', () => {
  const cases: [string, Answer, Partial<AuthError>][] = [
    [
      'no connection',
      () => Promise.reject(new TypeError('Failed to fetch')),
      { message: `The flag '${NAME}' could not be read: /flags.json could not be reached.` },
    ],
    [
      'a server error',
      () => json({ [NAME]: false }, { status: 503 }),
      {
        message: `The flag '${NAME}' could not be read: /flags.json answered 503.`,
        status: 503,
      },
    ],
    ['a missing document', () => json({}, { status: 404 }), { status: 404 }],
    [
      'a sign-in page',
      () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } }),
      {
        message: `The flag '${NAME}' could not be read: /flags.json sent no JSON, or half of it.`,
        status: 200,
      },
    ],
    ['an empty body', () => new Response(''), { status: 200 }],
    [
      'no such flag',
      () => json({ OTHER: true }),
      {
        message: `The flag '${NAME}' could not be read: /flags.json has no true or false under that name.`,
      },
    ],
    ['a text', () => json({ [NAME]: 'false' }), { status: 200 }],
    ['a number', () => json({ [NAME]: 0 }), { status: 200 }],
    ['null', () => json(null), { status: 200 }],
    ['a bare boolean', () => json(false), { status: 200 }],
  ]

  it.each(cases)('%s is a typed error, and the polling goes on', async (_, answer, expected) => {
    const { flag, state, requests } = service(answer)
    const { log, unsubscribe } = heard(flag)
    await settle()
    expect(log).toHaveLength(1)
    expect(isAuthError(log[0], 'ERR_FLAG')).toBe(true)
    expect(log[0]).toMatchObject({ phase: 'read', retryable: true, ...expected })
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(log).toHaveLength(2)
    state.answer = () => flagIs(false)
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(log[2]).toBe(false)
    expect(requests).toHaveLength(3)
    unsubscribe()
  })

  it('keeps the cause of a broken connection, but not one that quotes the body', async () => {
    const cause = new TypeError('Failed to fetch')
    const { flag, state } = service(() => Promise.reject(cause))
    const { log, unsubscribe } = heard(flag)
    await settle()
    state.answer = () => new Response('secret-body')
    flag.recheck()
    await settle()
    expect((log[0] as AuthError).cause).toBe(cause)
    expect(log[1]).not.toHaveProperty('cause')
    unsubscribe()
  })

  it('does not take what somebody put on Object.prototype for the flag', async () => {
    const { flag } = service(() => json({}))
    const everything = Object.getPrototypeOf({}) as Record<string, unknown>
    everything[NAME] = false
    const { log, unsubscribe } = heard(flag)
    await settle()
    delete everything[NAME]
    expect(isAuthError(log[0], 'ERR_FLAG')).toBe(true)
    unsubscribe()
  })

  it('a service that hangs is aborted in time, and asked again', async () => {
    const { flag, state, requests } = service(hang)
    const { log, unsubscribe } = heard(flag)
    await vi.advanceTimersByTimeAsync(TIMEOUT - 1)
    expect(log).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(requests[0]?.init.signal?.aborted).toBe(true)
    expect((log[0] as AuthError).message).toBe(
      `The flag '${NAME}' could not be read: no answer within 5000 ms.`,
    )
    state.answer = () => flagIs(true)
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(log[1]).toBe(true)
    unsubscribe()
  })

  it('a body that never ends, and a fetch that ignores its signal, cost no more than the timeout', async () => {
    const endless: Answer = () => new Response(new ReadableStream())
    const deaf: Answer = () => new Promise(() => {})
    const { flag, state, requests } = service(endless, { timeout: 100, interval: 1_000 })
    const { log, unsubscribe } = heard(flag)
    await vi.advanceTimersByTimeAsync(100)
    state.answer = deaf
    await vi.advanceTimersByTimeAsync(1_100)
    expect(log.map((error) => (error as AuthError).code)).toEqual(['ERR_FLAG', 'ERR_FLAG'])
    expect(requests).toHaveLength(2)
    unsubscribe()
  })
})

describe('as the kill switch', () => {
  it('keeps the last value while the service is down, says so once, and follows it again', async () => {
    const { flag, state } = service(() => flagIs(false), { interval: 1_000 })
    const log: (boolean | 'failure')[] = []
    const watcher = watchFlag(
      flag,
      { onValue: (enabled) => log.push(enabled), onFailure: () => log.push('failure') },
      recordedEnvironment(),
    )
    await settle()
    state.answer = () => json({}, { status: 500 })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(log).toEqual([false, 'failure'])
    state.answer = () => flagIs(true)
    watcher.recheck()
    await settle()
    expect(log).toEqual([false, 'failure', true])
    watcher.stop()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('arguments', () => {
  const flag = (url: unknown, name: unknown, options?: unknown) => () =>
    pollFlag(url as string, name as string, options as PollFlagOptions)

  it.each([
    ['url', flag('', NAME)],
    ['url', flag(undefined, NAME)],
    ['name', flag('/flags.json', '')],
    ['name', flag('/flags.json', 7)],
    ['interval', flag('/flags.json', NAME, { interval: 999 })],
    ['interval', flag('/flags.json', NAME, { interval: Number.NaN })],
    ['interval', flag('/flags.json', NAME, { interval: 2 ** 31 })],
    ['interval', flag('/flags.json', NAME, { interval: '30000' })],
    ['timeout', flag('/flags.json', NAME, { timeout: 0 })],
    ['timeout', flag('/flags.json', NAME, { timeout: Number.POSITIVE_INFINITY })],
    ['fetch', flag('/flags.json', NAME, { fetch: 'fetch' })],
  ])('names `%s` when it is wrong', (argument, call) => {
    const error = thrown(call)
    expect(isAuthError(error, 'ERR_CONFIG')).toBe(true)
    expect((error as AuthError).message).toMatch(
      new RegExp(`^pollFlag: \`${argument}\` must be .+\\.$`),
    )
  })

  it('are right at their bounds', () => {
    expect(flag('/flags.json', NAME, { interval: 1_000, timeout: 1 })).not.toThrow()
    expect(flag('/flags.json', NAME, { interval: 2 ** 31 - 1, timeout: 2 ** 31 - 1 })).not.toThrow()
  })
})

describe('fetch', () => {
  it('is the one that stood when the flag was made, not what a script put there since', async () => {
    const original = vi.fn(async () => flagIs(true))
    vi.stubGlobal('fetch', original)
    const flag = pollFlag('/flags.json', NAME)
    const patched = vi.fn(async () => flagIs(false))
    vi.stubGlobal('fetch', patched)
    const { log, unsubscribe } = heard(flag)
    await settle()
    vi.unstubAllGlobals()
    expect(log).toEqual([true])
    expect(patched).not.toHaveBeenCalled()
    unsubscribe()
  })
})
