import type { Subscriber, Tab } from '../tab.ts'
import type { World } from '../world.ts'
import { unread } from './property.ts'

/** Generations count up by one in each tab, name one token each, and every subscriber sees each at most once, in order. */
export function generationsOnce(world: World): () => string | null {
  const newEvents = unread<Tab['facts']['events'][number]>()
  const newlySeen = unread<Subscriber['seen'][number]>()
  const generations = new Map<Tab, number>()
  const names = new Map<Tab, Map<number, string>>()
  const lastSeen = new Map<Subscriber, number>()

  function judgeEvents(tab: Tab): string | null {
    for (const { event } of newEvents(tab.facts.events)) {
      if (event.type !== 'token-rotated') continue
      const before = generations.get(tab) ?? 0
      if (event.generation !== before + 1)
        return `tab ${tab.number} went from generation ${before} to ${event.generation}`
      generations.set(tab, event.generation)
    }
    return null
  }

  function judgeSubscriber(tab: Tab, subscriber: Subscriber): string | null {
    const named = names.get(tab) ?? new Map<number, string>()
    names.set(tab, named)
    for (const { generation, accessToken } of newlySeen(subscriber.seen)) {
      const before = lastSeen.get(subscriber) ?? 0
      if (generation <= before)
        return `a subscriber in tab ${tab.number} saw generation ${generation} after ${before}`
      lastSeen.set(subscriber, generation)
      if ((named.get(generation) ?? accessToken) !== accessToken)
        return `generation ${generation} of tab ${tab.number} names two tokens`
      named.set(generation, accessToken)
    }
    return null
  }

  return () => {
    for (const tab of world.tabs) {
      const problem =
        judgeEvents(tab) ??
        tab.facts.subscribers.reduce<string | null>(
          (found, subscriber) => found ?? judgeSubscriber(tab, subscriber),
          null,
        )
      if (problem !== null) return problem
    }
    return null
  }
}

/** Whoever is subscribed has been told of the token that can be read. */
export function everySubscriberKnows(world: World): () => string | null {
  return () => {
    for (const tab of world.tabs) {
      if (tab.loop.isSuspended || tab.state === 'closed') continue
      const token = tab.remote.current()
      if (token === null) continue
      for (const { seen } of tab.facts.subscribers) {
        if (seen.at(-1) !== token)
          return `a subscriber in tab ${tab.number} has not been told of generation ${token.generation}`
      }
    }
    return null
  }
}

/** The snapshot that everybody may read agrees with the token. */
export function snapshotTellsTheTruth(world: World): () => string | null {
  return () => {
    for (const tab of world.tabs) {
      const { snapshot } = tab.bridge
      const seen = tab.remote.snapshot()
      if (seen !== snapshot) return `the remote of tab ${tab.number} has another snapshot`
      const token = tab.remote.current()
      if (token === null) continue
      const { status, mode, generation, expiresAt } = snapshot
      if (status === 'signed-out' || mode === 'cookie-only')
        return `tab ${tab.number} hands out a token while ${status}, ${mode}`
      if (generation !== token.generation || expiresAt !== token.expiresAt)
        return `the snapshot of tab ${tab.number} says generation ${generation}, the token ${token.generation}`
    }
    return null
  }
}

/** Stores are told first, `events$` last, and of the same events in the same order. */
export function oneOrderForAll({ tabs }: World): () => string | null {
  const newlyTold = unread<Tab['facts']['told'][number]>()
  return () => {
    for (const { number, facts } of tabs) {
      let index = facts.told.length
      for (const event of newlyTold(facts.told).toReversed()) {
        index -= 1
        if (facts.events[index]?.event !== event)
          return `events$ of tab ${number} tells of ${event.type} out of order`
      }
    }
    return null
  }
}
