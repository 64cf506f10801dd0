import type { World } from '../world.ts'

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
