import { SHORTEST_LIFETIME } from '../settings.ts'
import { isServing, type World } from '../world.ts'

/** The longest `Retry-After` of a schedule, the longest cooldown, and what their timers may be late, in milliseconds. */
export const RECOVERY = 160_000

/**
 * When the server has been there for a while, every tab that is not signed out has a token, whatever happened before and
 * whoever is frozen. A hidden tab's timers are late, so there the read asks.
 */
export function everyTabHasItsToken(world: World): () => string | null {
  const { timeline, settings, server, browser, tabs } = world
  return () => {
    const isSettled = timeline.now - world.disturbedAt > RECOVERY && isServing(world) && world.flag
    if (!isSettled || settings.lifetime === SHORTEST_LIFETIME) return null
    if (server.sessionOf(browser.cookie) === null) return null
    for (const { number, state, loop, facts, bridge, remote } of tabs) {
      if (state !== 'open' || loop.isHidden) continue
      if (timeline.now - facts.openedAt.sentAt <= RECOVERY) continue
      const { status } = bridge.snapshot
      if (status !== 'signed-out' && remote.current() === null)
        return `tab ${number} has no token (${status}) although all is well`
    }
    return null
  }
}
