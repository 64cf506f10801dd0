import { createRecentMap } from './recent-map.ts'
import type { SessionMarks } from './session-marks.ts'
import type { Session, Sessions } from './sessions.ts'

/** Ids whose keys are remembered, about 5 MB: a page asks with the same one all day, and to hash it is most of a sync's work. */
const MOST_KEYS = 20_000

/** Sessions that a mark, the want of a person or a shortened lifetime ends. */
export interface LivingSessions extends Sessions {
  /** Remembers the key of an id that has a session. Others are not remembered: anybody can make ids up. */
  remember(id: string, key: string): void
  /** Notes that a person is there: the idle lifetime begins anew. */
  seen(key: string, session: Session): Promise<void>
  /** Ends a session because somebody wants it to end; other tabs are told so. */
  endForGood(key: string): Promise<void>
}

/**
 * Puts the ends of a session before the sessions of a store: whoever reads, locks or writes a session that is over finds
 * none. The idle lifetime is the entry's own time in the store, so it costs no read.
 */
export function livingSessions(
  sessions: Sessions,
  parts: {
    readonly marks: SessionMarks
    /** Milliseconds, as the next. It holds for sessions as well that began when it was longer. */
    readonly sessionLifetime: number
    readonly idleLifetime: number | undefined
    readonly now: () => number
  },
): LivingSessions {
  const { marks, sessionLifetime, idleLifetime, now } = parts
  const keys = createRecentMap<string>(MOST_KEYS)

  const keyOf = async (id: string): Promise<string> => keys.get(id) ?? sessions.keyOf(id)

  async function endForGood(key: string): Promise<void> {
    await sessions.end(key, undefined, 'session-ended')
  }

  async function isOver(key: string, session: Session): Promise<boolean> {
    const { startedAt = now() } = session
    if (startedAt + sessionLifetime <= now()) {
      await sessions.end(key)
      return true
    }
    if (!(await marks.hasEnded(session))) return false
    await endForGood(key)
    return true
  }

  async function seen(key: string, session: Session): Promise<void> {
    if (idleLifetime !== undefined)
      await sessions.touch(key, Math.min(session.endsAt, now() + idleLifetime))
  }

  return Object.freeze<LivingSessions>({
    ...sessions,
    keyOf,
    remember(id, key) {
      if (keys.get(id) === undefined) keys.set(id, key)
    },
    async open(session) {
      const id = await sessions.open(session)
      await seen(await keyOf(id), session)
      return id
    },
    async read(key) {
      const session = await sessions.read(key)
      return session === undefined || (await isOver(key, session)) ? undefined : session
    },
    async lock(key, lockFor) {
      const locked = await sessions.lock(key, lockFor)
      return locked === undefined || (await isOver(key, locked.session)) ? undefined : locked
    },
    replace: async (key, session, fence, lockFor) =>
      !(await isOver(key, session)) && sessions.replace(key, session, fence, lockFor),
    seen,
    endForGood,
  })
}
