import type { Tab } from '../tab.ts'
import type { World } from '../world.ts'

/** The tab runs, and nothing keeps it from asking the server: no failure that it waits after, no question sent into the void. */
export function canAsk({ disturbedAt }: World, { state, facts }: Tab): boolean {
  const last = facts.calls.at(-1)
  if (state !== 'open' || last === undefined) return false
  const isUnderWay = last.outcome === 'open' && !last.signal.aborted && last.sentAt > disturbedAt
  return isUnderWay || last.outcome === 'token' || last.outcome === 'signed-out'
}

/** A tab follows three signals of a reset in a row at once: whoever floods the channel makes nobody ask without end. */
const SIGNALS_IN_A_ROW = 3
const HINT_FLOOR = 5_000

/**
 * The tab has heard of so few sign-outs, since it was signed out itself, that it follows `more` signals of the next at once.
 * Who slept hears when it wakes.
 */
export function isFollowedAtOnce(
  { tabs, timeline, disturbedAt }: World,
  tab: Tab,
  more: number,
): boolean {
  const own = tab.facts.events.findLast(({ event }) => event.type === 'auth-reset')
  const since = own?.at ?? Number.NEGATIVE_INFINITY
  const isRecent = (at: number): boolean =>
    at >= since && timeline.now - Math.max(at, disturbedAt) <= HINT_FLOOR
  let heard = 0
  for (const { facts } of tabs) {
    // A page tells twice, what the server has said is told once.
    heard += 2 * facts.signOutsAt.filter(isRecent).length
    heard += facts.events.filter(
      ({ event, at }) =>
        event.type === 'auth-reset' && event.reason === 'session-ended' && isRecent(at),
    ).length
  }
  return heard + more <= SIGNALS_IN_A_ROW
}

/** When nothing disturbs it, a sign-out in one tab leaves no token of that session in any other after a second. */
export function signOutReachesAllTabs(world: World): () => string | null {
  return () => {
    for (let index = world.signOuts.length - 1; index >= 0; index -= 1) {
      const promise = world.signOuts[index] as (typeof world.signOuts)[number]
      if (world.timeline.now < promise.by) continue
      world.signOuts.splice(index, 1)
      if (promise.disturbances !== world.disturbances) continue
      for (const { number, remote } of promise.tabs) {
        const token = remote.current()
        if (token !== null && world.provider.tokens.get(token.accessToken)?.session.isRevoked)
          return `tab ${number} still has a token a second after the sign-out in another tab`
      }
    }
    return null
  }
}
