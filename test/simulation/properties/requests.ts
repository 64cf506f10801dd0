import type { SourceCall, Tab } from '../tab.ts'
import type { World } from '../world.ts'
import { unread } from './property.ts'

/** The provider sees one refresh of a session at a time and no refresh token twice; a tab has one question under way. */
export function oneRefreshAtATime({ provider, tabs }: World): () => string | null {
  return () => {
    if (provider.reused > 0) return 'the provider has seen a refresh token twice'
    if (provider.mostInFlight > 1) return 'two refreshes of one session at the same time'
    for (const { number, facts } of tabs) {
      let open = 0
      for (let index = facts.calls.length - 1; index >= 0 && open < 2; index -= 1) {
        const { outcome, signal } = facts.calls[index] as SourceCall
        // Whatever came before an answer has been answered or given up.
        if (outcome !== 'open') break
        if (!signal.aborted) open += 1
      }
      if (open > 1) return `tab ${number} has two questions under way`
    }
    return null
  }
}

/** Without a network nothing is asked. */
export function offlineAsksNothing({ tabs }: World): () => string | null {
  const newCalls = unread<SourceCall>()
  return () => {
    for (const { number, facts } of tabs) {
      for (const { wasOnline } of newCalls(facts.calls))
        if (!wasOnline) return `tab ${number} asks while offline`
    }
    return null
  }
}

/** The longest `Retry-After` that is obeyed, in milliseconds. */
const LONGEST_PAUSE = 15 * 60_000

const FORGETS: ReadonlySet<string> = new Set(['auth-reset', 'mode-changed'])

/** How often since a moment a tab was allowed to begin anew: by a reset, another mode, or a way back to the page. */
function beginnings({ facts }: Tab, since: number): number {
  let count = 0
  for (let index = facts.events.length - 1; index >= 0; index -= 1) {
    const { at, event } = facts.events[index] as (typeof facts.events)[number]
    if (at < since) break
    if (FORGETS.has(event.type)) count += 1
  }
  return count + facts.restores.filter((at) => at >= since).length
}

/** Whoever was told "later" comes later. */
export function retryAfterHonoured({ tabs }: World): () => string | null {
  const newCalls = unread<SourceCall>()
  return () => {
    for (const tab of tabs) {
      const { calls } = tab.facts
      for (const call of newCalls(calls)) {
        const before = calls[calls.indexOf(call) - 1]
        if (before === undefined || before.answeredAt === null || before.retryAfter === 0) continue
        const early = before.answeredAt + Math.min(before.retryAfter, LONGEST_PAUSE) - call.sentAt
        if (early > 0 && beginnings(tab, before.answeredAt) === 0)
          return `tab ${tab.number} asks ${early} ms before the time it was told`
      }
    }
    return null
  }
}

/** What the docs promise, in milliseconds. */
const THRESHOLD = 3
const COOLDOWN = 30_000
const ROTATION_FLOOR = 5_000
const UNAUTHORIZED_FLOOR = 10_000
const TURN_LIMIT = 250
const MINUTE = 60_000
/** Questions a minute that one tab may ask when everything is asked of it at once. */
const MOST_PER_MINUTE = 40

const AUTOMATIC: ReadonlySet<string> = new Set(['schedule', 'expired'])

/**
 * How much a tab asks is bounded. Without an answer: three questions, then one per 30 s. After a token: the next question of
 * its own 5 s later. After "signed out": none of its own. Because of 401s: one per 10 s. In all: 40 a minute.
 */
export function boundedRate({ tabs, machine }: World): () => string | null {
  const newCalls = unread<SourceCall>()
  const streaks = new Map<Tab, SourceCall[]>()

  const isAnswer = ({ outcome }: SourceCall): boolean =>
    outcome === 'token' || outcome === 'signed-out'

  function judgeStreak(tab: Tab, call: SourceCall, before: SourceCall | undefined): string | null {
    const streak =
      before === undefined || isAnswer(before) ? [call] : [...(streaks.get(tab) ?? []), call]
    streaks.set(tab, streak)
    const first = (streak[0] as SourceCall).sentAt
    const most =
      THRESHOLD * (1 + beginnings(tab, first)) + Math.floor((call.sentAt - first) / COOLDOWN)
    return streak.length > most
      ? `${streak.length} questions without an answer in ${call.sentAt - first} ms, at most ${most}`
      : null
  }

  function judgeFloor(tab: Tab, call: SourceCall, before: SourceCall | undefined): string | null {
    if (before?.outcome !== 'token' || before.answeredAt === null) return null
    // What the host had put in meanwhile stays: the answer was dropped.
    if (before.accessToken !== tab.facts.subscribers[0]?.seen.at(-1)?.accessToken) return null
    if (!AUTOMATIC.has(call.reason) || machine.movedForward > before.movedForward) return null
    const waited = call.sentAt - before.answeredAt
    return waited < ROTATION_FLOOR && beginnings(tab, before.sentAt) === 0
      ? `asks (${call.reason}) ${waited} ms after it got a token`
      : null
  }

  function judgeSignedOut(
    tab: Tab,
    call: SourceCall,
    before: SourceCall | undefined,
  ): string | null {
    if (before?.outcome !== 'signed-out' || before.answeredAt === null) return null
    // The answer was dropped for what the host had put in meanwhile.
    const puts = [...tab.facts.putByHost.values()]
    if (puts.some(({ sentAt }) => sentAt >= before.sentAt)) return null
    // The reset that the answer led to is one; the switch may be thrown in the same moment.
    const hasBegun =
      beginnings(tab, before.answeredAt + 1) > 0 || beginnings(tab, before.answeredAt) > 1
    const isNew = hasBegun || call.sentAt === before.answeredAt
    return call.reason === 'hydrate' && !isNew
      ? 'asks although it was told that nobody is signed in'
      : null
  }

  /** A refresh tries again before it gives up; this is the first try. */
  const isFirstTry = (calls: readonly SourceCall[], index: number): boolean =>
    index === 0 || isAnswer(calls[index - 1] as SourceCall)

  function judgeUnauthorized({ facts }: Tab, call: SourceCall): string | null {
    const { calls } = facts
    const index = calls.indexOf(call)
    if (call.reason !== 'unauthorized' || !isFirstTry(calls, index)) return null
    const before = calls.findLast(
      ({ reason }, earlier) =>
        earlier < index && reason === 'unauthorized' && isFirstTry(calls, earlier),
    )
    // What was decided before a tab was frozen is done when it is not.
    if (before !== undefined && before.sentAt - facts.resumedAt < TURN_LIMIT) return null
    return before !== undefined && call.sentAt - before.sentAt < UNAUTHORIZED_FLOOR
      ? `asks because of a 401 twice within ${call.sentAt - before.sentAt} ms`
      : null
  }

  function judgeMinute(tab: Tab, call: SourceCall): string | null {
    const { calls } = tab.facts
    const old = calls[calls.indexOf(call) - MOST_PER_MINUTE]
    return old !== undefined && call.sentAt - old.sentAt < MINUTE
      ? `has asked ${MOST_PER_MINUTE + 1} times within a minute`
      : null
  }

  return () => {
    for (const tab of tabs) {
      const { calls } = tab.facts
      for (const call of newCalls(calls)) {
        const before = calls[calls.indexOf(call) - 1]
        const problem =
          judgeStreak(tab, call, before) ??
          judgeFloor(tab, call, before) ??
          judgeSignedOut(tab, call, before) ??
          judgeUnauthorized(tab, call) ??
          judgeMinute(tab, call)
        if (problem !== null) return `tab ${tab.number} ${problem}`
      }
    }
    return null
  }
}

/** Timers that a tab may run within a second. */
const MOST_TIMERS = 50

/** No timer spins. */
export function timersDoNotSpin({ tabs, timeline }: World): () => string | null {
  const seconds = new Map<Tab, { readonly from: number; readonly timers: number }>()
  return () => {
    for (const tab of tabs) {
      const second = seconds.get(tab)
      const { timersRun } = tab.loop
      if (second === undefined || timeline.now - second.from > 1_000)
        seconds.set(tab, { from: timeline.now, timers: timersRun })
      else if (timersRun - second.timers > MOST_TIMERS)
        return `tab ${tab.number} ran ${timersRun - second.timers} timers within a second`
    }
    return null
  }
}
