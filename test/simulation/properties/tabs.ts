import type { Tab } from '../tab.ts'
import type { World } from '../world.ts'

/** The tab runs, and nothing keeps it from asking the server: no failure that it waits after, no question sent into the void. */
export function canAsk({ disturbedAt }: World, { state, facts }: Tab): boolean {
  const last = facts.calls.at(-1)
  if (state !== 'open' || last === undefined) return false
  const isUnderWay = last.outcome === 'open' && !last.signal.aborted && last.sentAt > disturbedAt
  return isUnderWay || last.outcome === 'token' || last.outcome === 'signed-out'
}

/** Milliseconds for which a signal of a reset is followed by no other: whoever floods the channel makes nobody ask without end. */
const HINT_FLOOR = 5_000

/** No tab has heard of a reset just now, so that the signal of the next is followed at once. Who slept hears when it wakes. */
export function isFirstReset({ tabs, timeline, disturbedAt }: World): boolean {
  return tabs.every(({ facts }) => {
    const last = facts.events.findLast(({ event }) => event.type === 'auth-reset')
    return last === undefined || timeline.now - Math.max(last.at, disturbedAt) > HINT_FLOOR
  })
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
