import type { AccessToken } from '@token-bridge/core'
import { SKEW_BUFFER, type Moment, type SourceCall, type Tab } from '../tab.ts'
import type { World } from '../world.ts'
import { unread } from './property.ts'

/** Milliseconds by which a token may be older than it should be: clocks tell whole ones. */
const TOLERANCE = 5

/** Time since a moment that neither of the machine's clocks has seen: one stood still in sleep while the other was set back. */
function unseen({ timeline, machine }: World, { sentAt, clocks }: Moment): number {
  const byWall = machine.wallClock() - clocks.wall
  const byMonotonic = machine.monotonic() - clocks.monotonic
  return Math.max(0, timeline.now - sentAt - Math.max(byWall, byMonotonic))
}

/** How late a bridge may think it is, in milliseconds, for reasons that no bridge can know of. */
function doubt(world: World, { facts }: Tab, token: AccessToken): number {
  const recent = facts.calls.filter(({ accessToken }) => accessToken !== null).slice(-5)
  const put = facts.putByHost.get(token.accessToken)
  const moments: readonly Moment[] = put === undefined ? recent : [...recent, put, facts.openedAt]
  return Math.max(0, ...moments.map((moment) => unseen(world, moment))) + (put?.transit ?? 0)
}

/** No token is handed out whose true remaining life is less than the skew buffer. */
export function noStaleToken(world: World): () => string | null {
  function judge(tab: Tab, token: AccessToken, via: string): string | null {
    const issued = world.provider.tokens.get(token.accessToken)
    if (issued === undefined) return `tab ${tab.number} hands out a token that nobody issued`
    const left = issued.expiresAt - world.timeline.now
    if (left >= SKEW_BUFFER - TOLERANCE) return null
    const excused = doubt(world, tab, token)
    return left >= SKEW_BUFFER - TOLERANCE - excused
      ? null
      : `tab ${tab.number} hands out by ${via} a token with ${left} ms left (excused: ${excused} ms)`
  }
  return () => {
    for (const tab of world.tabs) {
      if (tab.loop.isSuspended || tab.state === 'closed') continue
      const token = tab.remote.current()
      const problem = token === null ? null : judge(tab, token, 'current()')
      if (problem !== null) return problem
      for (const { token: handed, via } of tab.facts.handedOut) {
        const fault = judge(tab, handed, via)
        if (fault !== null) return fault
      }
    }
    return null
  }
}

/** Milliseconds before the ideal end of its usable life at which a token may be given up. */
const EARLY = 2_000

const ENDINGS: ReadonlySet<string> = new Set(['auth-reset', 'mode-changed', 'page-restored'])

/** A token stays usable until 2 s before the ideal end, whatever the machine's clock says and whatever fails meanwhile. */
export function fullLifetime(world: World): () => string | null {
  interface InForce {
    readonly generation: number
    readonly movedForward: number
    readonly idealEnd: number
    /** How far the server's time may be ahead of the truth in the tab: what the request took. */
    ahead: number
  }
  const inForce = new Map<Tab, InForce>()
  const newEvents = unread<Tab['facts']['events'][number]>()
  const lastCalls = new Map<Tab, SourceCall | undefined>()

  const aheadOf = (call: SourceCall): number => call.serverTime - call.sentAt

  function begin(tab: Tab, generation: number, expiresAt: number): void {
    const call = tab.facts.calls.findLast(
      (candidate) => candidate.outcome === 'token' && candidate.expiresAt === expiresAt,
    )
    const issued = world.provider.tokens.get(call?.accessToken ?? '')
    if (call === undefined || issued === undefined || tab.facts.putByHost.has(issued.accessToken)) {
      inForce.delete(tab)
      return
    }
    const idealEnd = issued.expiresAt - SKEW_BUFFER
    const ahead = aheadOf(call)
    inForce.set(tab, { generation, movedForward: call.movedForward, idealEnd, ahead })
    world.timeline.after(idealEnd - ahead - EARLY - 1 - world.timeline.now, () => {})
  }

  function judge(tab: Tab): string | null {
    const token = inForce.get(tab)
    if (token === undefined || tab.loop.isSuspended || tab.state === 'closed') return null
    const last = tab.facts.calls.findLast(({ outcome }) => outcome === 'token')
    if (last !== undefined && last !== lastCalls.get(tab)) {
      lastCalls.set(tab, last)
      token.ahead = Math.max(token.ahead, aheadOf(last))
    }
    const early = token.idealEnd - token.ahead - world.timeline.now
    if (early <= EARLY || world.machine.movedForward > token.movedForward) return null
    return tab.remote.current() === null
      ? `tab ${tab.number} has given up generation ${token.generation} ${early} ms before its end`
      : null
  }

  return () => {
    for (const tab of world.tabs) {
      for (const { event } of newEvents(tab.facts.events)) {
        if (event.type === 'token-rotated') begin(tab, event.generation, event.expiresAt)
        else if (ENDINGS.has(event.type)) inForce.delete(tab)
      }
      const problem = judge(tab)
      if (problem !== null) return problem
    }
    return null
  }
}
