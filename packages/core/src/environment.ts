import { reportFault } from './report-fault.ts'

/** What the bridge takes from the realm. Tests replace time and network here instead of patching globals. */
export interface Environment {
  readonly fetch: typeof globalThis.fetch
  /** Epoch milliseconds of the machine's own clock, which can be wrong or be set. */
  readonly wallClock: () => number
  /** Milliseconds since some fixed moment; never goes back, but may stand still while the machine sleeps. */
  readonly monotonic: () => number
  /** From 0 up to but not including 1. */
  readonly random: () => number
  readonly setTimer: (callback: () => void, delay: number) => unknown
  readonly clearTimer: (timer: unknown) => void
  /** Opens the channel of this name to the other tabs of the origin; `undefined` where there is none. */
  readonly openChannel: ((name: string) => TabChannel) | undefined
  /** Web Locks; `undefined` where there are none. */
  readonly locks: Pick<LockManager, 'request'> | undefined
  /** Where the page is marked as owned by a bridge; `undefined` outside a browser. */
  readonly realm: object | undefined
  /** Where `visibilitychange` and `resume` are heard; `undefined` outside a browser. */
  readonly document:
    Pick<Document, 'addEventListener' | 'removeEventListener' | 'visibilityState'> | undefined
  /** Where `online`, `focus` and `pageshow` are heard; `undefined` outside a browser. */
  readonly window: Pick<Window, 'addEventListener' | 'removeEventListener'> | undefined
  readonly isOnline: () => boolean
  /** What relative addresses are relative to, now; `undefined` outside a browser. */
  readonly baseUrl: () => string | undefined
  /** Tells the realm about a fault in someone else's callback, without throwing into our own flow. */
  readonly reportFault: (fault: unknown) => void
}

/** The part of a `BroadcastChannel` that the bridge uses. */
export type TabChannel = Pick<
  BroadcastChannel,
  'postMessage' | 'addEventListener' | 'removeEventListener' | 'close'
>

/**
 * Takes the realm's built-ins as they stand now, so that a later patch of `fetch` or `setTimeout` by a remote or a
 * third-party script is not what the bridge calls.
 */
export function captureEnvironment(overrides: Partial<Environment> = {}): Environment {
  const { fetch, setTimeout, clearTimeout, performance, Date, Math, BroadcastChannel } = globalThis
  const isBrowser = typeof window !== 'undefined'
  const { now } = Date
  const { random } = Math
  return {
    fetch: (input, init) => fetch(input, init),
    wallClock: () => now(),
    monotonic: () => performance.now(),
    random: () => random(),
    setTimer: (callback, delay) => setTimeout(callback, delay),
    clearTimer: (timer) => clearTimeout(timer as number),
    // Node has both as well, but no tabs.
    openChannel:
      isBrowser && typeof BroadcastChannel === 'function'
        ? (name) => new BroadcastChannel(name)
        : undefined,
    // Only in secure contexts.
    locks: isBrowser ? navigator.locks : undefined,
    realm: isBrowser ? globalThis : undefined,
    document: typeof document === 'undefined' ? undefined : document,
    window: isBrowser ? window : undefined,
    baseUrl: () => (typeof document === 'undefined' ? undefined : document.baseURI),
    isOnline: () => globalThis.navigator?.onLine ?? true,
    reportFault,
    ...overrides,
  }
}
