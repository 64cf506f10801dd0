import type { Environment, TabChannel } from '../environment.ts'
import { SECOND_LOOK } from './hints.ts'
import { encodeSignal, parseSignal, type TabSignal } from './signal.ts'
import { createTurns } from './turns.ts'

/** How a tab hears from the other tabs of its origin, and takes turns with them. */
export interface Tabs {
  /** Opens the channel. Starting twice changes nothing. */
  start(): void
  /** Closes the channel. Stopping twice changes nothing; `start()` opens a new one. */
  stop(): void
  /** Tells the other tabs, as long as the channel is open. */
  tell(signal: TabSignal): void
  /**
   * Tells them now, and a second time {@link SECOND_LOOK} later, or when the channel is closed before. Until then a further
   * call adds nothing.
   */
  tellTwice(signal: TabSignal): void
  /**
   * Waits for this tab's turn to ask the server, 250 ms at most, and resolves with what ends the turn. Ending it twice does
   * no harm; the signal ends it too. Rejects only when the signal aborts first, with its reason.
   */
  turn(signal: AbortSignal): Promise<() => void>
}

export interface TabHooks {
  /** Another tab says so; or any other script of the origin. Ask the server what is true. */
  onSignal(signal: TabSignal): void
}

/**
 * Joins the tabs of an origin that use the same name. Channel and lock are called after it, so it must hold no secret.
 *
 * Where there is no channel, or it cannot be opened, the tab is on its own; the server is what tabs really share.
 */
export function createTabs(
  { name }: { readonly name: string },
  environment: Pick<
    Environment,
    'openChannel' | 'locks' | 'setTimer' | 'clearTimer' | 'random' | 'reportFault'
  >,
  { onSignal }: TabHooks,
): Tabs {
  const { reportFault, setTimer, clearTimer } = environment
  const { take } = createTurns(name, environment)
  const id = Math.floor(environment.random() * Number.MAX_SAFE_INTEGER)
  let { openChannel } = environment
  let channel: TabChannel | null = null
  let tellAgain: (() => void) | null = null

  function tell(signal: TabSignal): void {
    try {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel never leaves its origin
      channel?.postMessage(encodeSignal(id, signal))
    } catch (fault) {
      reportFault(fault)
    }
  }

  function hear(event: MessageEvent): void {
    const message = parseSignal(event.data)
    if (message === null || message.from === id) return
    try {
      onSignal(message.signal)
    } catch (fault) {
      reportFault(fault)
    }
  }

  return Object.freeze({
    start() {
      if (channel !== null || openChannel === undefined) return
      try {
        channel = openChannel(name)
        channel.addEventListener('message', hear)
      } catch (fault) {
        // An opaque origin, as in a sandboxed frame, stays one.
        openChannel = undefined
        reportFault(fault)
      }
    },
    stop() {
      tellAgain?.()
      channel?.removeEventListener('message', hear)
      channel?.close()
      channel = null
    },
    tell,
    tellTwice(signal) {
      if (tellAgain !== null) return
      tell(signal)
      if (channel === null) return
      const timer = setTimer(() => tellAgain?.(), SECOND_LOOK)
      tellAgain = () => {
        tellAgain = null
        clearTimer(timer)
        tell(signal)
      }
    },
    turn: take,
  } satisfies Tabs)
}
