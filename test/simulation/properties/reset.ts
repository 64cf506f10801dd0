import type { AccessToken } from '@token-bridge/core'
import type { SourceCall, Tab } from '../tab.ts'
import type { World } from '../world.ts'
import { unread } from './property.ts'

/** After a reset no reader yields a token until someone has signed in since: no late answer brings one back. */
export function noWriteAfterReset(world: World): () => string | null {
  interface SignedOut {
    readonly at: number
    readonly calls: number
    readonly isByServer: boolean
    /** The session whose token the tab had last; 0 for none. */
    readonly session: number
    /** When the user chose to sign out: what began after this is a new session. */
    readonly since: number
    modeChanged: boolean
  }
  const out = new Map<Tab, SignedOut>()
  const newEvents = unread<Tab['facts']['events'][number]>()

  function begin(tab: Tab, at: number, isByServer: boolean): void {
    const { calls, signOutsAt, callsAtReset, subscribers } = tab.facts
    const last = subscribers[0]?.seen.at(-1)?.accessToken ?? ''
    out.set(tab, {
      at,
      calls: isByServer
        ? calls.findLastIndex(({ outcome }) => outcome === 'signed-out') + 1
        : callsAtReset,
      isByServer,
      session: world.provider.tokens.get(last)?.session.number ?? 0,
      since: signOutsAt.at(-1) ?? Number.NEGATIVE_INFINITY,
      modeChanged: false,
    })
  }

  function judge(tab: Tab, state: SignedOut, { accessToken }: AccessToken): string | null {
    const { facts } = tab
    const hasPut = (facts.putByHost.get(accessToken)?.sentAt ?? -1) >= state.at
    const brings = (call: SourceCall): boolean => call.accessToken === accessToken
    if (!hasPut && !facts.calls.slice(state.calls).some(brings))
      return `tab ${tab.number} is signed out, and an answer to an earlier question has brought a token`
    const session = world.provider.tokens.get(accessToken)?.session
    const isNew =
      session !== undefined &&
      (state.isByServer ? session.number > state.session : session.openedAt >= state.since)
    const hasAsked = facts.hostActedAt >= state.at || (state.isByServer && state.modeChanged)
    if (isNew || hasAsked) {
      out.delete(tab)
      return null
    }
    return `tab ${tab.number} is signed out, and has a token of the old session again`
  }

  return () => {
    for (const tab of world.tabs) {
      for (const { at, event } of newEvents(tab.facts.events)) {
        if (event.type === 'auth-reset' && event.status === 'signed-out')
          begin(tab, at, event.reason === 'session-ended')
        const state = out.get(tab)
        if (event.type === 'mode-changed' && state !== undefined) state.modeChanged = true
      }
      const state = out.get(tab)
      if (state === undefined) continue
      // What was handed out in the moment of the reset may have been so before it.
      const handedOut = state.at === world.timeline.now ? undefined : tab.facts.handedOut.at(-1)
      const token = tab.remote.current() ?? handedOut?.token ?? null
      const problem = token === null ? null : judge(tab, state, token)
      if (problem !== null) return problem
    }
    return null
  }
}

/** A tab is signed out by its host or by the server's word, and by no failure. */
export function signedOutOnlyWhenTold(world: World): () => string | null {
  const newEvents = unread<Tab['facts']['events'][number]>()
  return () => {
    for (const tab of world.tabs) {
      for (const { at, event } of newEvents(tab.facts.events)) {
        if (event.type !== 'auth-reset' || event.status !== 'signed-out') continue
        const { signOutsAt, calls } = tab.facts
        const told = calls.some((call) => call.outcome === 'signed-out' && call.answeredAt === at)
        const isRight = event.reason === 'session-ended' ? told : signOutsAt.length > 0
        if (!isRight) return `tab ${tab.number} was signed out (${event.reason}) by nobody`
      }
    }
    return null
  }
}

/** A request leaves with the token that is current in that moment, and to the API alone. */
export function requestsCarryTheCurrentToken(world: World): () => string | null {
  const newlySent = unread<Tab['facts']['sent'][number]>()
  return () => {
    for (const tab of world.tabs) {
      for (const { url, authorization, current } of newlySent(tab.facts.sent)) {
        if (authorization === null) continue
        if (!url.startsWith('/')) return `tab ${tab.number} sent a token to ${url}`
        if (authorization !== `Bearer ${current}`)
          return `tab ${tab.number} sent ${authorization} to ${url} while ${current} was current`
      }
    }
    return null
  }
}

/** A page out of the back/forward cache hands out nothing until the server has spoken again. */
export function restoredPageHoldsNothing(world: World): () => string | null {
  return () => {
    for (const { number, facts, remote, loop } of world.tabs) {
      const { restores, heldAtRestore, calls, putByHost } = facts
      const restoredAt = restores.at(-1)
      if (restoredAt === undefined || loop.isSuspended) continue
      if (heldAtRestore !== null) return `tab ${number} came back and had a token at once`
      const hasSpoken =
        calls.some(({ sentAt, accessToken }) => sentAt >= restoredAt && accessToken !== null) ||
        [...putByHost.values()].some(({ sentAt }) => sentAt >= restoredAt)
      if (!hasSpoken && (remote.current() !== null || facts.handedOut.length > 0))
        return `tab ${number} came back and has a token that the server has not confirmed`
    }
    return null
  }
}

/** What the host puts in by hand stays: the answer to an earlier question does not replace it. */
export function hostHasTheLastWord({ tabs }: World): () => string | null {
  const newEvents = unread<Tab['facts']['events'][number]>()
  return () => {
    for (const { number, facts } of tabs) {
      for (const { at, event } of newEvents(facts.events)) {
        if (event.type !== 'token-rotated' || event.reason === 'host') continue
        const call = facts.calls.findLast(
          ({ answeredAt, expiresAt }) => answeredAt !== null && expiresAt === event.expiresAt,
        )
        const isOld = [...facts.putByHost.values()].some(
          (put) => call !== undefined && put.sentAt > call.sentAt && put.sentAt < at,
        )
        if (isOld) return `tab ${number} took an old answer instead of what the host had put in`
      }
    }
    return null
  }
}
