import {
  SecureTokenBridge,
  type BridgeConfig,
  type BridgeEvent,
  type TokenReader,
  type TokenSource,
} from '@token-bridge/core'
import {
  createFakeAuthority,
  type FakeAuthority,
  type FakeAuthorityOptions,
} from '@token-bridge/testing'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import {
  fakeOrigin,
  type FakeOrigin,
  type FakeOriginOptions,
  type FakeTab,
} from '../../packages/core/src/tabs/fake-tabs.test.support.ts'

export const SECOND = 1_000
export const MINUTE: number = 60 * SECOND
export const HOUR: number = 60 * MINUTE
export const DAY: number = 24 * HOUR

export const API = 'https://api.test'

const open: SecureTokenBridge[] = []

/** Call it once in a file: each of its tests runs on virtual time, and fails when it leaves a timer behind. */
export function inVirtualTime(): void {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(async () => {
    for (const bridge of open.splice(0)) bridge.stop()
    // What is on its way between tabs.
    await pass(SECOND)
    const left = vi.getTimerCount()
    vi.useRealTimers()
    expect(left).toBe(0)
  })
}

/** Time passes and timers run. @param span - milliseconds. */
export const pass = async (span: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(span)
}

/** Lets everything run that is due now. */
export const settle = (): Promise<void> => pass(0)

/** The machine sleeps: the wall clock goes on; no timer runs and the monotonic clock stands still. */
export const sleep = (span: number): void => void vi.setSystemTime(Date.now() + span)

/**
 * The code of the error with which a promise has ended when time has passed.
 *
 * @param span - milliseconds.
 */
export async function failureOf(promise: Promise<unknown>, span = 0): Promise<unknown> {
  let outcome: unknown = 'still pending'
  promise.then(
    () => (outcome = 'resolved'),
    (error: { readonly code?: unknown }) => (outcome = error.code ?? error),
  )
  await pass(span)
  return outcome
}

/** A source that counts. */
export interface WatchedSource {
  readonly source: TokenSource
  readonly calls: number
  /** How many are under way now, and were at the same time at most. */
  readonly underWay: number
  readonly peak: number
}

/** @param latency - milliseconds from the question to the server. */
export function watched(source: TokenSource, latency = 0): WatchedSource {
  const seen = { calls: 0, underWay: 0, peak: 0 }
  return Object.assign(seen, {
    async source(request: Parameters<TokenSource>[0]) {
      seen.calls += 1
      seen.underWay += 1
      seen.peak = Math.max(seen.peak, seen.underWay)
      try {
        if (latency > 0) await new Promise((resolve) => setTimeout(resolve, latency))
        return await source(request)
      } finally {
        seen.underWay -= 1
      }
    },
  })
}

/** A request that reached the API. */
interface ApiRequest {
  readonly url: string
  readonly authorization: string | null
}

/** A page with a bridge, and with the events, the network and the API that a browser would give it. */
export interface Page {
  readonly bridge: SecureTokenBridge
  /** A remote's. */
  readonly reader: TokenReader
  readonly authority: FakeAuthority
  readonly events: readonly BridgeEvent[]
  readonly faults: readonly unknown[]
  /** What reached the API. */
  readonly requests: readonly ApiRequest[]
  readonly tab: FakeTab | undefined
  count(type: BridgeEvent['type']): number
  focus(): void
  hide(): void
  show(): void
  goOffline(): void
  goOnline(): void
  /** The page comes out of the back/forward cache. */
  restore(): void
  /** From now on the API answers with this status. */
  answerWith(status: number): void
}

export interface PageOptions extends BridgeConfig {
  readonly authority?: FakeAuthority
  readonly tab?: FakeTab
}

/** Opens a page whose bridge is not started. */
export function openPage(options: PageOptions = {}): Page {
  const { authority = createFakeAuthority(), tab, environment, ...config } = options
  const window = new EventTarget()
  const document = new EventTarget() as EventTarget & { visibilityState: DocumentVisibilityState }
  document.visibilityState = 'visible'
  const requests: ApiRequest[] = []
  const events: BridgeEvent[] = []
  const faults: unknown[] = []
  let isOnline = true
  let status = 200
  const number = tab?.number ?? 0
  const bridge = new SecureTokenBridge({
    source: authority.source,
    origins: [API],
    ...config,
    environment: {
      fetch: async (input, init) => {
        const { url, headers } = new Request(input, init)
        requests.push({ url, authorization: headers.get('authorization') })
        return new Response(null, { status })
      },
      window,
      document,
      isOnline: () => isOnline,
      reportFault: (fault) => void faults.push(fault),
      // Another one for each tab, as chance would have it.
      random: () => ((number + 1) * 0.618) % 1,
      ...(tab && { openChannel: tab.openChannel, locks: tab.locks }),
      ...environment,
    },
  })
  open.push(bridge)
  bridge.events$.subscribe((event) => events.push(event))
  const turn = (visibilityState: DocumentVisibilityState): void => {
    document.visibilityState = visibilityState
    document.dispatchEvent(new Event('visibilitychange'))
  }
  return {
    bridge,
    reader: bridge.reader('orders'),
    authority,
    events,
    faults,
    requests,
    tab,
    count: (type) => events.filter((event) => event.type === type).length,
    focus: () => void window.dispatchEvent(new Event('focus')),
    hide: () => turn('hidden'),
    show: () => turn('visible'),
    goOffline() {
      isOnline = false
      window.dispatchEvent(new Event('offline'))
    },
    goOnline() {
      isOnline = true
      window.dispatchEvent(new Event('online'))
    },
    restore: () =>
      void window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true })),
    answerWith(next) {
      status = next
    },
  }
}

/** Opens a page and lets it hydrate. */
export async function startPage(options: PageOptions = {}): Promise<Page> {
  const page = openPage(options)
  page.bridge.start()
  await settle()
  return page
}

export interface TabsOfOneOrigin {
  readonly origin: FakeOrigin
  readonly authority: FakeAuthority
  /** As many as were asked for. */
  readonly tabs: readonly [Page, Page, ...Page[]]
}

/** Opens tabs of one origin, on one session, and lets them hydrate one after another. */
export async function startTabs(
  count: number,
  options: Omit<PageOptions, 'tab'> & {
    readonly session?: FakeAuthorityOptions
    readonly channel?: Omit<FakeOriginOptions, 'setTimer'>
  } = {},
): Promise<TabsOfOneOrigin> {
  const { session, channel, ...page } = options
  const origin = fakeOrigin({
    ...channel,
    setTimer: (callback, delay) => setTimeout(callback, delay),
  })
  const authority = options.authority ?? createFakeAuthority(session)
  const tabs: Page[] = []
  for (let opened = 0; opened < count; opened += 1)
    tabs.push(await startPage({ ...page, authority, tab: origin.openTab() }))
  return { origin, authority, tabs: tabs as unknown as TabsOfOneOrigin['tabs'] }
}

/** A tab takes its turn to ask, and freezes before it has an answer. */
export async function freezeInTurn({ bridge, authority, tab }: Page): Promise<void> {
  authority.hold()
  void bridge.rotate().catch(() => {})
  await settle()
  tab?.freeze()
  // Whoever asks from now on is answered.
  authority.hold().release()
}
