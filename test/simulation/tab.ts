import {
  SecureTokenBridge,
  syncEndpoint,
  type AccessToken,
  type BridgeConfig,
  type BridgeEvent,
  type TokenReader,
  type TokenRequest,
  type TokenSource,
} from '@token-bridge/core'
import type { FakeTab } from '../../packages/core/src/tabs/fake-tabs.test.support.ts'
import type { SimulatedAnswer } from './auth-server.ts'
import { createEventLoop, type EventLoop } from './event-loop.ts'
import type { Machine } from './machine.ts'
import type { Network } from './network.ts'
import { createEventSource, type EventSource } from './page.ts'
import type { Random } from './random.ts'
import type { WorldSettings } from './settings.ts'
import type { Timeline } from './timeline.ts'

/** The bridge's default, in milliseconds. */
export const SKEW_BUFFER = 60_000

/** One moment, by the truth and by the machine. */
export interface Moment {
  readonly sentAt: number
  readonly clocks: { readonly wall: number; readonly monotonic: number }
}

/** One call to a token source, as the network saw it. Times are true time. */
export interface SourceCall extends Moment {
  readonly reason: string
  readonly signal: AbortSignal
  readonly wasOnline: boolean
  /** Milliseconds that the wall clock had been set forward when it was sent. */
  readonly movedForward: number
  answeredAt: number | null
  /** `late`: the token may have been inside the skew buffer when it came. */
  outcome: 'open' | 'token' | 'late' | 'signed-out' | 'failed'
  /** The token that came with the answer, and the true time at which the server wrote it. */
  accessToken: string | null
  expiresAt: number
  serverTime: number
  /** Milliseconds that the answer asked for. */
  retryAfter: number
}

/** A request of a remote as it left the tab. */
export interface SentRequest {
  readonly url: string
  readonly authorization: string | null
  /** What `current()` said at that moment. */
  readonly current: string | null
}

/** Somebody who is told of tokens. */
export interface Subscriber {
  readonly seen: AccessToken[]
  unsubscribe(): void
}

/** What has happened in a tab, for the properties to judge. Nothing in it is read by the bridge. */
export interface TabFacts {
  readonly openedAt: Moment
  readonly calls: SourceCall[]
  readonly events: { readonly at: number; readonly event: BridgeEvent }[]
  /** The events in the order in which `events$` told of them, after stores and remotes. */
  readonly told: BridgeEvent[]
  readonly sent: SentRequest[]
  /** Tokens that somebody got hold of, in the order in which they did. Emptied after each step. */
  handedOut: { readonly token: AccessToken; readonly via: string }[]
  readonly subscribers: Subscriber[]
  readonly faults: unknown[]
  readonly lines: string[]
  /** Requests and waits of remotes that have not been settled. */
  pending: number
  /** When the page came out of the back/forward cache, and what a remote could read then before anything was painted. */
  readonly restores: number[]
  heldAtRestore: AccessToken | null
  /** When it last began to run again, after whatever it was that it did not. */
  resumedAt: number
  /** When the host last asked for a token or put one in. */
  hostActedAt: number
  /** Tokens that the host put in, and how old the server's time in them was, in milliseconds. */
  readonly putByHost: Map<string, Moment & { readonly transit: number }>
  /** When the user last chose to sign out here, and how many questions had been asked when the bridge was reset for it. */
  readonly signOutsAt: number[]
  callsAtReset: number
}

export type TabState = 'open' | 'frozen' | 'cached' | 'closed'

export interface Tab {
  readonly number: number
  readonly bridge: SecureTokenBridge
  readonly remote: TokenReader
  readonly loop: EventLoop
  readonly window: EventSource
  readonly document: EventSource
  readonly facts: TabFacts
  readonly origin: FakeTab
  readonly fetch: typeof fetch
  state: TabState
  /** Called once, when the tab has its turn and has just asked for a newer token. */
  onQuestion: (() => void) | null
  /** Subscribes to the remote's tokens; `onToken` runs in the subscriber. */
  subscribe(onToken?: (token: AccessToken) => void): Subscriber
  setFlag(enabled: boolean): void
  flag: boolean
}

export interface TabParts {
  readonly timeline: Timeline
  readonly machine: Machine
  readonly network: Network
  readonly random: Random
  readonly origin: FakeTab
  readonly settings: WorldSettings
  readonly flag: boolean
  readonly log: (line: () => string) => void
}

/** Opens a tab with a bridge of its own in it. The bridge is started; its first question leaves at once. */
export function openTab(number: number, parts: TabParts): Tab {
  const { timeline, machine, network, random, origin, settings, log } = parts
  const loop = createEventLoop(timeline, machine)
  const window = createEventSource()
  const document = createEventSource()
  const facts = createFacts(now())
  const flagListeners = new Set<(enabled: boolean) => void>()
  let asking: Pick<TokenRequest, 'reason' | 'signal'>
  let isFlagOn = parts.flag

  function now(): Moment {
    const clocks = { wall: machine.wallClock(), monotonic: machine.monotonic() }
    return { sentAt: timeline.now, clocks }
  }
  const isOnline = (): boolean => machine.isOnline
  const fetch = network.connect({ isOnline, post: loop.post }, (path, init) => {
    if (path === '/api/auth/sync' || path === '/legacy/token') return recordCall(path, init)
    const { authorization } = (init.headers ?? {}) as Record<string, string>
    const current = tab.remote.current()?.accessToken ?? null
    facts.sent.push({ url: path, authorization: authorization ?? null, current })
    return undefined
  })

  function recordCall(path: string, init: RequestInit): (answer: SimulatedAnswer | null) => void {
    const call: SourceCall = {
      reason: asking.reason,
      ...now(),
      signal: asking.signal,
      wasOnline: machine.isOnline,
      movedForward: machine.movedForward,
      answeredAt: null,
      outcome: 'open',
      accessToken: null,
      expiresAt: 0,
      serverTime: 0,
      retryAfter: 0,
    }
    facts.calls.push(call)
    if ((init.body as string | undefined)?.includes('newerThan') === true)
      timeline.after(0, interrupt)
    log(
      () =>
        `tab ${number} asks ${path} (${call.reason}) ${(init.body as string | undefined) ?? ''}`,
    )
    return (answer) => {
      // Who asked does not hear it, and must not.
      if (call.signal.aborted) return
      if (answer === null) call.outcome = 'failed'
      else readAnswer(call, answer)
      // The app's own legacy source does not read the header.
      if (path === '/api/auth/sync') call.retryAfter = (answer?.retryAfter ?? 0) * 1000
      log(() => `tab ${number} gets ${answer?.status ?? 'no answer'} ${call.accessToken ?? ''}`)
    }
  }

  function interrupt(): void {
    tab.onQuestion?.()
    tab.onQuestion = null
  }

  function readAnswer(call: SourceCall, answer: SimulatedAnswer): void {
    call.answeredAt = timeline.now
    call.outcome = answer.status === 401 ? 'signed-out' : 'failed'
    if (answer.status !== 200 || !answer.body.includes('"serverTime"')) return
    Object.assign(call, JSON.parse(answer.body))
    // The most time that the bridge can think has passed: the clock may have been set there and back.
    const passed = timeline.now - call.sentAt + machine.movedForward - call.movedForward
    const left = call.expiresAt - call.serverTime - passed
    call.outcome = left > SKEW_BUFFER ? 'token' : 'late'
  }

  const watched =
    (source: TokenSource): TokenSource =>
    (request) => {
      asking = request
      return source(
        settings.isDeaf ? { ...request, signal: new AbortController().signal } : request,
      )
    }

  const config: BridgeConfig = {
    source: watched(syncEndpoint()),
    origins: ['https://api.test'],
    enabled: {
      subscribe({ next }) {
        flagListeners.add(next)
        next(isFlagOn)
        return { unsubscribe: () => void flagListeners.delete(next) }
      },
    },
    ...(settings.hasLegacy && { legacy: watched(legacySource) }),
    ...(settings.verifyDelay > 0 && {
      verify: () =>
        new Promise<void>((resolve) => {
          loop.post(settings.verifyDelay, resolve)
        }),
    }),
    telemetry: {
      logger: {
        info: (line) => void facts.lines.push(line),
        warn: (line) => void facts.lines.push(line),
        error: (line) => void facts.lines.push(line),
      },
    },
    environment: {
      fetch,
      wallClock: machine.wallClock,
      monotonic: machine.monotonic,
      random: random.next,
      setTimer: loop.setTimer,
      clearTimer: loop.clearTimer,
      openChannel: settings.hasChannel ? origin.openChannel : undefined,
      locks: settings.hasLocks ? origin.locks : undefined,
      document: Object.defineProperty(document, 'visibilityState', {
        get: () => (loop.isHidden ? 'hidden' : 'visible'),
      }),
      window,
      isOnline,
      baseUrl: () => 'https://app.test/',
      reportFault: (fault: unknown) => {
        facts.faults.push(fault)
        log(() => `tab ${number} reports a fault: ${String(fault)}`)
      },
    } as unknown as NonNullable<BridgeConfig['environment']>,
  }

  const bridge = new SecureTokenBridge(config)
  const remote = bridge.reader('orders')
  const tab: Tab = {
    number,
    bridge,
    remote,
    loop,
    window,
    document,
    facts,
    origin,
    fetch,
    state: 'open',
    onQuestion: null,
    get flag() {
      return isFlagOn
    },
    setFlag(enabled) {
      isFlagOn = enabled
      for (const next of flagListeners) next(enabled)
    },
    subscribe(onToken) {
      const seen: AccessToken[] = []
      const subscription = remote.getToken().subscribe((token) => {
        seen.push(token)
        facts.handedOut.push({ token, via: 'getToken()' })
        onToken?.(token)
      })
      const subscriber: Subscriber = { seen, unsubscribe: () => subscription.unsubscribe() }
      facts.subscribers.push(subscriber)
      return subscriber
    },
  }
  bridge.attach({
    name: 'facts',
    apply(event) {
      facts.events.push({ at: timeline.now, event })
      const last = facts.calls.at(-1)
      // It came in time, and ended while the verifier worked.
      if (event.type === 'rotation-failed' && settings.verifyDelay > 0 && last?.outcome === 'token')
        last.outcome = 'late'
      log(() => `tab ${number} ${describe(event)}`)
    },
  })
  bridge.events$.subscribe((event) => void facts.told.push(event))
  tab.subscribe()
  bridge.start()
  return tab
}

/** The tokens of a system from before the bridge. */
const legacySource: TokenSource = async ({ fetch, signal }) => {
  const response = await fetch('/legacy/token', { signal })
  if (response.status === 401) return null
  if (!response.ok) throw new Error(`The legacy endpoint answered ${response.status}.`)
  return (await response.json()) as Awaited<ReturnType<TokenSource>>
}

function createFacts(openedAt: Moment): TabFacts {
  return {
    openedAt,
    calls: [],
    events: [],
    told: [],
    sent: [],
    handedOut: [],
    subscribers: [],
    faults: [],
    lines: [],
    pending: 0,
    restores: [],
    heldAtRestore: null,
    resumedAt: Number.NEGATIVE_INFINITY,
    hostActedAt: Number.NEGATIVE_INFINITY,
    putByHost: new Map(),
    signOutsAt: [],
    callsAtReset: 0,
  }
}

function describe(event: BridgeEvent): string {
  const { at: _, type, ...rest } = event
  return `${type} ${JSON.stringify(rest)}`
}
