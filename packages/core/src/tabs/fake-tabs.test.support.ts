import type { Environment, TabChannel } from '../environment.ts'

type Locks = NonNullable<Environment['locks']>

export interface FakeOriginOptions {
  /** Moves virtual time; everything that crosses from one tab to another goes through it. */
  readonly setTimer: Environment['setTimer']
  /** Milliseconds that a message takes from one tab (its number) to another. Default 0. One that varies reorders messages. */
  readonly delay?: (from: number, to: number) => number
  /** Whether a message is lost on the way. Default: none. A tab in the back/forward cache loses all that are for it. */
  readonly isLost?: (from: number, to: number) => boolean
  /** Milliseconds from the moment at which a lock is free to the moment at which its next holder hears. Default 0. */
  readonly lockDelay?: () => number
}

/** What is open in an origin. All zero when everybody has cleaned up. */
export interface OriginCensus {
  readonly channels: number
  /** On channels, closed ones included. */
  readonly listeners: number
  readonly heldLocks: number
  readonly waitingLocks: number
}

/** One tab of a {@link FakeOrigin}: the two members of `Environment` that tabs share. */
export interface FakeTab {
  /** 0, 1, 2, … in the order in which the tabs were opened. */
  readonly number: number
  readonly openChannel: (name: string) => TabChannel
  /** Exclusive requests only; `steal`, `ifAvailable` and `mode: 'shared'` throw. */
  readonly locks: Locks
  /**
   * From now on the tab hears nothing: its messages wait. It keeps the locks it has, and is still given those that it waits
   * for, as a browser does.
   */
  freeze(): void
  /** What waited is delivered, in its order. */
  thaw(): void
  /** The tab is gone: its channels are closed, its locks go to the next in line. */
  close(): void
}

/** An origin in memory, with channels and locks that its tabs share. */
export interface FakeOrigin {
  openTab(): FakeTab
  census(): OriginCensus
  /** All messages posted so far, lost ones included, as the channel carried them. */
  readonly posted: readonly unknown[]
}

interface Channel {
  readonly tab: Tab
  readonly name: string
  readonly target: EventTarget
  listeners: number
}

interface Tab {
  readonly number: number
  isFrozen: boolean
  isClosed: boolean
  /** What the tab will hear when it is no longer frozen. */
  waiting: (() => void)[]
}

interface LockRequest {
  readonly tab: Tab
  readonly name: string
  /** The tab hears that the lock is its own. */
  readonly begin: () => void
}

/**
 * Makes an origin whose tabs share channels and locks, on time that the test moves. Nothing in it is random: chance enters
 * through the options.
 *
 * @example
 * const origin = fakeOrigin({ setTimer })
 * const { openChannel, locks } = origin.openTab()
 * const bridge = new SecureTokenBridge({ environment: { openChannel, locks, setTimer } })
 */
export function fakeOrigin(options: FakeOriginOptions): FakeOrigin {
  const { setTimer, delay = () => 0, isLost = () => false, lockDelay = () => 0 } = options
  const channels = new Set<Channel>()
  const holders = new Map<string, LockRequest>()
  let queue: LockRequest[] = []
  const posted: unknown[] = []
  let tabs = 0
  let listeners = 0

  /** Runs a task in a tab, as soon as its event loop runs. */
  function deliver(tab: Tab, span: number, task: () => void): void {
    setTimer(() => {
      if (tab.isClosed) return
      if (tab.isFrozen) tab.waiting.push(task)
      else task()
    }, span)
  }

  function grant(name: string): void {
    if (holders.has(name)) return
    const next = queue.find((request) => request.name === name)
    if (next === undefined) return
    queue = queue.filter((request) => request !== next)
    holders.set(name, next)
    deliver(next.tab, lockDelay(), next.begin)
  }

  function free(request: LockRequest): void {
    queue = queue.filter((other) => other !== request)
    if (holders.get(request.name) !== request) return
    holders.delete(request.name)
    grant(request.name)
  }

  function openChannel(tab: Tab, name: string): TabChannel {
    const channel: Channel = { tab, name, target: new EventTarget(), listeners: 0 }
    channels.add(channel)
    const listen: EventTarget['addEventListener'] = (...args) => {
      listeners += 1
      channel.listeners += 1
      channel.target.addEventListener(...args)
    }
    const unlisten: EventTarget['removeEventListener'] = (...args) => {
      listeners -= 1
      channel.listeners -= 1
      channel.target.removeEventListener(...args)
    }
    return {
      addEventListener: listen,
      removeEventListener: unlisten,
      postMessage(message: unknown) {
        if (!channels.has(channel)) throw new DOMException('Channel is closed', 'InvalidStateError')
        const data = structuredClone(message)
        posted.push(data)
        for (const other of channels) {
          if (other === channel || other.name !== name) continue
          const [from, to] = [tab.number, other.tab.number]
          if (isLost(from, to)) continue
          deliver(other.tab, delay(from, to), () => {
            if (!channels.has(other)) return
            other.target.dispatchEvent(new MessageEvent('message', { data: structuredClone(data) }))
          })
        }
      },
      close: () => void channels.delete(channel),
    }
  }

  /** The steps of Web Locks for one exclusive request. */
  function requestLock(
    tab: Tab,
    name: string,
    { signal, ...rest }: LockOptions,
    callback: (lock: Lock) => unknown,
  ): Promise<unknown> {
    if (Object.keys(rest).length > 0) {
      throw new TypeError(`The fake knows no ${Object.keys(rest).join(', ')}.`)
    }
    return new Promise((resolve, reject) => {
      if (tab.isClosed) throw new DOMException('The document is gone', 'InvalidStateError')
      signal?.throwIfAborted()
      const giveUp = (): void => {
        reject(signal?.reason as Error)
        free(request)
      }
      const request: LockRequest = {
        tab,
        name,
        begin() {
          if (signal?.aborted) return
          signal?.removeEventListener('abort', giveUp)
          // An abort has no effect from here on.
          const run = async (): Promise<unknown> => callback({ name, mode: 'exclusive' })
          void run()
            .finally(() => free(request))
            .then(resolve, reject)
        },
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      queue.push(request)
      grant(name)
    })
  }

  return {
    posted,
    openTab() {
      const tab: Tab = { number: tabs, isFrozen: false, isClosed: false, waiting: [] }
      tabs += 1
      return {
        number: tab.number,
        openChannel: (name) => openChannel(tab, name),
        locks: {
          request: (name: string, ...args: unknown[]): Promise<never> =>
            requestLock(
              tab,
              name,
              args.length > 1 ? (args[0] as LockOptions) : {},
              args.at(-1) as (lock: Lock) => unknown,
            ) as Promise<never>,
        },
        freeze() {
          tab.isFrozen = true
        },
        thaw() {
          tab.isFrozen = false
          for (const task of tab.waiting.splice(0)) deliver(tab, 0, task)
        },
        close() {
          tab.isClosed = true
          tab.waiting = []
          for (const channel of channels) {
            if (channel.tab !== tab) continue
            channels.delete(channel)
            listeners -= channel.listeners
          }
          for (const request of queue) if (request.tab === tab) free(request)
          for (const request of holders.values()) if (request.tab === tab) free(request)
        },
      }
    },
    census: () => ({
      channels: channels.size,
      listeners,
      heldLocks: holders.size,
      waitingLocks: queue.length,
    }),
  }
}
