import { TIMEOUT, type Grant, type OpenidProvider } from './openid-provider.ts'
import type { AuthLogger } from './options.ts'
import { providerFailure, type ProviderFailure } from './provider-failure.ts'
import { createRefreshQueue } from './refresh-queue.ts'
import type { LockedSession, RefreshRecord, Session, Sessions } from './sessions.ts'

/** What came of the wish for a fresh token. */
export type Freshening =
  /** `refreshed`: the provider was asked, and there is nothing newer to be had. */
  | { readonly status: 'current'; readonly session: Session; readonly refreshed: boolean }
  /** No refresh was possible now. `retryAfter` in milliseconds, if it is known when one may be. */
  | { readonly status: 'unavailable'; readonly session: Session; readonly retryAfter?: number }
  /** There is no refresh token to ask with. */
  | { readonly status: 'unrefreshable'; readonly session: Session }
  /** The provider no longer knows the grant; the session was deleted just now. */
  | { readonly status: 'ended' }
  /** A server died while it refreshed, and the token that the provider answered is lost; the session was deleted just now. */
  | { readonly status: 'interrupted' }
  /** There is no such session, or someone else ended it meanwhile. */
  | { readonly status: 'gone' }

export interface SessionRefresher {
  /**
   * Resolves with a session whose token satisfies `isFresh`, refreshing it if need be, once however many ask.
   *
   * @param isEnough - what a token must satisfy that another process fetched while this one waited. Else tokens that live
   * shorter than `isFresh` asks for would be fetched once for each process. Default `isFresh`.
   */
  freshen(key: string, isFresh: IsFresh, isEnough?: IsFresh): Promise<Freshening>
  /** Resolves when no refresh is under way: until then a process that ends would lose what the provider answers. */
  settled(): Promise<void>
}

type IsFresh = (session: Session) => boolean

/** What a caller is content with: `hasEnough` knows what the session was when it came. */
interface Wish {
  readonly isFresh: IsFresh
  readonly hasEnough: IsFresh
}

/**
 * Milliseconds that a lock outlives its holder, who extends it every `HEARTBEAT`. So a replica that died is replaced
 * within `LOCK` and a look (0.4 s at most), well within the 10 s that the bridge waits.
 */
const LOCK = 4_000
const HEARTBEAT = 1_000

/** Milliseconds for which others wait for the holder of a lock; less than the bridge waits for us. */
const PATIENCE = 8_500

/** Milliseconds for which an answer of the provider is tried to be stored. */
const PERSISTENCE = 10_000

/**
 * Milliseconds after which nobody who sent a refresh token can still have its answer and only not get through to the
 * store: the provider's time, the store's, and two seconds in which clocks may differ. Until then no session is given up.
 */
const LAST_WORD = TIMEOUT * 1_000 + PERSISTENCE + 2_000

/** Milliseconds after which is looked again whether the one who has the answer got through. */
const NEXT_LOOK = 3_000

/**
 * How many refreshes a process has under way at once. Above it, answers would come later than they are waited for, and
 * each of those is a refresh token that is spent for nothing.
 */
const PLACES = 64

/** Milliseconds that a refresh waits for its place; and after which who waited in vain is asked to come back, and up to twice. */
const QUEUE_PATIENCE = 4_000
const COME_BACK = 5_000

/** Milliseconds: that this happens is logged once in it. */
const MINUTE = 60_000

/**
 * Refreshes sessions, one refresh at a time for each: within the process by joining the one under way, between processes
 * by the session's lock in the store. See docs/decisions/0013-one-refresh-however-many-servers.md.
 */
export function sessionRefresher(parts: {
  readonly sessions: Pick<Sessions, 'read' | 'lock' | 'replace' | 'end' | 'whyGone'>
  readonly provider: Pick<OpenidProvider, 'ready' | 'refresh' | 'isActive' | 'revoke'>
  readonly logger: AuthLogger
  readonly now: () => number
  /** Milliseconds for which the provider takes a refresh token again. */
  readonly grace: number
  /** Milliseconds: tokens that live no longer are refreshed for every caller, which is warned of. */
  readonly minimumLifetime: number
}): SessionRefresher {
  const { sessions, provider, logger, now, grace, minimumLifetime } = parts
  const flights = new Map<string, Promise<Freshening>>()
  const queue = createRefreshQueue(PLACES)
  let crowdedAt = -Infinity
  let hasWarned = false

  async function refresh(key: string, seen: Session, wish: Wish): Promise<Freshening> {
    try {
      // First of all, so that nothing slow happens under the lock but the refresh itself.
      await provider.ready()
    } catch (error) {
      return unavailable(seen, providerFailure(error, now()))
    }
    const deadline = performance.now() + PATIENCE
    for (let wait = 40; ; wait = Math.min(wait * 1.5, 250)) {
      // Before the lock and the note that the token was sent: who waits here may be turned away at no cost.
      const leave = await queue.enter(QUEUE_PATIENCE)
      if (leave === undefined) return turnedAway(key, wish)
      try {
        const locked = await sessions.lock(key, LOCK)
        if (locked !== undefined) {
          const outcome = await refreshLocked(key, locked, seen, wish)
          if (outcome !== 'overtaken') return outcome
        }
      } finally {
        leave()
      }
      const session = await sessions.read(key)
      if (session === undefined) return { status: 'gone' }
      if (wish.hasEnough(session)) return { status: 'current', session, refreshed: true }
      if (performance.now() > deadline) return { status: 'unavailable', session }
      await pause(wait * (0.5 + Math.random()))
    }
  }

  /** At different times, or all would come back together. */
  async function turnedAway(key: string, { hasEnough }: Wish): Promise<Freshening> {
    if (now() - crowdedAt > MINUTE) {
      crowdedAt = now()
      logger.warn('[auth] more refreshes at once than there is room for: some have to come back', {
        event: 'refresh-crowded',
      })
    }
    const session = await sessions.read(key)
    if (session === undefined) return { status: 'gone' }
    if (hasEnough(session)) return { status: 'current', session, refreshed: true }
    return { status: 'unavailable', session, retryAfter: COME_BACK * (1 + Math.random()) }
  }

  /** Someone else's lock is not to be waited for twice: what the holder before us wrote decides first. */
  async function refreshLocked(
    key: string,
    { session, fence }: LockedSession,
    seen: Session,
    wish: Wish,
  ): Promise<Freshening | 'overtaken'> {
    const letGo = (rest: Session = session) => sessions.replace(key, rest, fence, 0)
    if (wish.hasEnough(session)) {
      await letGo()
      return { status: 'current', session, refreshed: !wish.isFresh(session) }
    }
    const { refreshToken, refresh: last } = session
    if (refreshToken === undefined) {
      await letGo()
      return { status: 'unrefreshable', session }
    }
    if (last?.outcome !== undefined && last.sentAt !== seen.refresh?.sentAt) {
      // It failed while we waited, so we would only have asked the same a moment later.
      await letGo()
      return { status: 'unavailable', session, ...leftOf(last) }
    }
    let fate: Fate
    try {
      fate = await fateOf(key, session, fence, refreshToken)
    } catch (error) {
      await letGo()
      return unavailable(session, providerFailure(error, now()))
    }
    if (fate === 'pending' && last !== undefined) {
      const retryAt = Math.min(last.sentAt + LAST_WORD, now() + NEXT_LOOK)
      const waiting: RefreshRecord = { ...last, retryAt }
      if (!(await letGo({ ...session, refresh: waiting }))) return 'overtaken'
      return { status: 'unavailable', session, ...leftOf(waiting) }
    }
    if (fate === 'lost') {
      if (!(await sessions.end(key, fence, 'refresh-interrupted'))) return 'overtaken'
      logger.warn('[auth] session ended: a refresh was interrupted', {
        event: 'refresh-interrupted',
      })
      return { status: 'interrupted' }
    }
    const record = nextRecord(fate === 'unspent' ? undefined : last)
    const marked: Session = { ...session, refresh: record }
    if (!(await sessions.replace(key, marked, fence, LOCK))) return 'overtaken'
    let grant: Grant
    const beating = heartbeat(key, marked, fence)
    try {
      grant = await provider.refresh(refreshToken)
    } catch (error) {
      return failed(key, marked, fence, providerFailure(error, now()))
    } finally {
      // A last beat on its way can follow no last write: that uses the fence up.
      void beating.stop()
    }
    return keep(key, session, fence, grant)
  }

  /**
   * What is known of a refresh token.
   * - `unspent`: the provider has not taken it.
   * - `open`: it may have, and may be sent all the same.
   * - `pending`: it may have, and who sent it may yet bring the answer.
   * - `lost`: it has or may have, and the answer is nowhere.
   */
  type Fate = 'unspent' | 'open' | 'pending' | 'lost'

  async function fateOf(
    key: string,
    session: Session,
    fence: number,
    refreshToken: string,
  ): Promise<Fate> {
    const last = session.refresh
    if (last?.openSince === undefined) return 'unspent'
    if (now() - last.openSince < grace) return 'open'
    const beating = heartbeat(key, session, fence)
    let isActive: boolean | undefined
    try {
      isActive = await provider.isActive(refreshToken)
    } finally {
      await beating.stop()
    }
    if (isActive === true) return 'unspent'
    const isOrphan = last.outcome === undefined || last.isOrphan === true
    // Where nobody can say, a living server may try again: the provider may never have seen the first.
    if (isActive === undefined && !isOrphan) return 'open'
    return isOrphan && now() < last.sentAt + LAST_WORD ? 'pending' : 'lost'
  }

  function nextRecord(last: RefreshRecord | undefined): RefreshRecord {
    const sentAt = now()
    const isOrphan = last?.isOrphan === true || (last !== undefined && last.outcome === undefined)
    return { sentAt, openSince: last?.openSince ?? sentAt, ...(isOrphan && { isOrphan }) }
  }

  /** Extends the lock while a request is under way, until it is stopped; that resolves when the last beat is written. */
  function heartbeat(
    key: string,
    session: Session,
    fence: number,
  ): { readonly stop: () => Promise<void> } {
    let last = Promise.resolve()
    const timer = setInterval(() => {
      // Whether it could is seen when the answer is written.
      last = sessions.replace(key, session, fence, LOCK).then(
        () => {},
        () => {},
      )
    }, HEARTBEAT)
    return {
      async stop() {
        clearInterval(timer)
        await last
      },
    }
  }

  async function failed(
    key: string,
    marked: Session,
    fence: number,
    failure: ProviderFailure,
  ): Promise<Freshening | 'overtaken'> {
    const { code, status = 0, retryAfter } = failure
    if (code === 'invalid_grant')
      return (await persist(() => sessions.end(key, fence))) ? { status: 'ended' } : 'overtaken'
    const { refresh: attempt } = marked
    const isDeclined = status >= 400 && status < 500
    // A "no" answers this attempt, not an earlier one.
    const isOpen = !isDeclined || attempt?.openSince !== attempt?.sentAt
    const { openSince, ...rest } = attempt ?? { sentAt: now() }
    const record: RefreshRecord = {
      ...rest,
      ...(isOpen && openSince !== undefined && { openSince }),
      outcome: isDeclined ? 'declined' : 'unanswered',
      ...(retryAfter !== undefined && { retryAt: now() + retryAfter }),
    }
    const session: Session = { ...marked, refresh: record }
    // Without the note this server would be taken for dead, and its session be ended.
    const written = await write(key, session, fence, ({ refresh: found }) => {
      return found?.sentAt === attempt?.sentAt && found?.outcome === undefined
    })
    if (written === 'gone') return { status: 'gone' }
    return written === 'overtaken' ? 'overtaken' : unavailable(session, failure)
  }

  function unavailable(session: Session, { kind, code, retryAfter }: ProviderFailure): Freshening {
    const advice = kind === 'refused' ? '; check the registration of the client' : ''
    logger.warn(`[auth] refresh failed: ${code}${advice}`, { event: 'refresh-failed', code })
    return {
      status: 'unavailable',
      session,
      ...(retryAfter !== undefined && { retryAfter }),
    }
  }

  async function keep(
    key: string,
    before: Session,
    fence: number,
    grant: Grant,
  ): Promise<Freshening | 'overtaken'> {
    if (grant.expiresAt - now() <= minimumLifetime && !hasWarned) {
      hasWarned = true
      logger.warn(
        '[auth] minimumLifetime is no shorter than an access token lives: each sync refreshes',
        {
          event: 'minimum-lifetime-too-long',
        },
      )
    }
    const { refresh: _, ...old } = before
    // Providers count in whole seconds, so a newer token may seem to expire up to a second earlier than the one before.
    const expiresAt = Math.max(grant.expiresAt, Math.min(old.expiresAt + 1, grant.expiresAt + 1000))
    // A grant without a refresh token or ID token leaves the old one in force (RFC 6749 section 6).
    const session: Session = { ...old, ...grant, expiresAt }
    const written = await write(key, session, fence, (found) => {
      return found.refreshToken === before.refreshToken && found.expiresAt === before.expiresAt
    })
    if (written === 'written') return { status: 'current', session, refreshed: true }
    if (written === 'overtaken') return 'overtaken'
    // Signed out meanwhile: what came late must be of no use to anyone. But a new sign-in may share its grant.
    const isReplaced = (await sessions.whyGone(key)) === 'session-replaced'
    if (grant.refreshToken !== undefined && !isReplaced) {
      await provider.revoke(grant.refreshToken).catch((error: unknown) => {
        const { code } = providerFailure(error, now())
        const fields = { event: 'sign-out-incomplete', what: 'revocation', code }
        logger.warn(`[auth] revocation failed: ${code}`, fields)
      })
    }
    return { status: 'gone' }
  }

  /**
   * Writes what came of a refresh. Who was taken for dead meanwhile, because the store could not be reached, takes the
   * lock back: nobody else has this answer.
   *
   * @param isNewest - whether a session that was found has heard nothing newer than what is to be written.
   */
  async function write(
    key: string,
    session: Session,
    fence: number,
    isNewest: (found: Session) => boolean,
  ): Promise<'written' | 'overtaken' | 'gone'> {
    let mine = fence
    return persist(async () => {
      if (await sessions.replace(key, session, mine, 0)) return 'written'
      // Or it was we who wrote, and the store's word on it was lost.
      const found = await sessions.read(key)
      if (found === undefined) return 'gone'
      if (!isNewest(found)) return 'overtaken'
      const locked = await sessions.lock(key, LOCK)
      if (locked === undefined) throw new Error('The lock is held by another server.')
      mine = locked.fence
      if (!isNewest(locked.session)) {
        await sessions.replace(key, locked.session, mine, 0)
        return 'overtaken'
      }
      if (await sessions.replace(key, session, mine, 0)) return 'written'
      throw new Error('The session was ended or locked just now.')
    })
  }

  /** The old refresh token is spent, so a store that stumbles is asked again. */
  async function persist<T>(task: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + PERSISTENCE
    for (let wait = 50; ; wait = Math.min(wait * 2, 500)) {
      try {
        return await task()
      } catch (error) {
        if (performance.now() > deadline) throw error
        await pause(wait)
      }
    }
  }

  function leftOf({ retryAt }: RefreshRecord): { readonly retryAfter?: number } {
    return retryAt === undefined ? {} : { retryAfter: Math.max(retryAt - now(), 0) }
  }

  return Object.freeze<SessionRefresher>({
    async freshen(key, isFresh, isEnough = isFresh) {
      const session = await sessions.read(key)
      if (session === undefined) return { status: 'gone' }
      if (isFresh(session)) return { status: 'current', session, refreshed: false }
      if (session.refreshToken === undefined) return { status: 'unrefreshable', session }
      for (;;) {
        const underWay = flights.get(key)
        if (underWay === undefined) break
        const outcome = await underWay
        // Another caller may have been content with less than this one asks for.
        const isMine = outcome.status !== 'current' || outcome.refreshed || isFresh(outcome.session)
        if (isMine) return outcome
      }
      const { refresh: last } = session
      if (last?.retryAt !== undefined && last.retryAt > now())
        return { status: 'unavailable', session, ...leftOf(last) }
      const { accessToken } = session
      const hasEnough = (each: Session) =>
        isFresh(each) || (each.accessToken !== accessToken && isEnough(each))
      const flight = refresh(key, session, { isFresh, hasEnough }).finally(() =>
        flights.delete(key),
      )
      flights.set(key, flight)
      return flight
    },
    async settled() {
      while (flights.size > 0) await Promise.allSettled(flights.values())
    },
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
