import { ResponseBodyError } from 'openid-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { memoryStore } from './memory-store.ts'
import type { Grant } from './openid-provider.ts'
import { sessionRefresher, type Freshening, type SessionRefresher } from './session-refresher.ts'
import type { SessionStore } from './session-store.ts'
import { createSessions, type Session, type Sessions } from './sessions.ts'

const START = 1_800_000_000_000
const session = (n: number): Session => ({
  accessToken: `access-${n}`,
  expiresAt: START + n * 1_000,
  tokenType: 'Bearer',
  refreshToken: `refresh-${n}`,
  endsAt: START + 3_600_000,
})
const newerThan = (n: number) => (each: Session) => each.expiresAt > START + n * 1_000

const answered = (status: number, error?: string): Error =>
  error === undefined
    ? new Error('refused', { cause: new Response(null, { status }) })
    : new ResponseBodyError('refused', {
        cause: { error },
        response: new Response(null, { status }),
      })

/** What all replicas have in common: the store, and a provider that takes each refresh token once. */
interface World {
  readonly store: SessionStore
  readonly sessions: Sessions
  readonly key: string
  /** Refresh tokens that reached the provider, in order. */
  readonly sent: string[]
  readonly revoked: string[]
  /** How many times it was asked whether a token can be used. */
  asked: number
  readonly log: string[]
  /** What the provider does with a refresh token. */
  refresh: (refreshToken: string) => Promise<Grant>
  isActive: () => Promise<boolean | undefined>
  ready: () => Promise<void>
  replica(options?: {
    readonly grace?: number
    readonly store?: SessionStore
    readonly minimumLifetime?: number
  }): SessionRefresher
}

let world: World
beforeEach(async () => {
  vi.useFakeTimers({ now: START })
  const store = memoryStore()
  const sessions = createSessions(store)
  const line = (text: string) => void world.log.push(text)
  world = {
    store,
    sessions,
    key: await sessions.keyOf(await sessions.open(session(1))),
    sent: [],
    revoked: [],
    asked: 0,
    log: [],
    refresh: async () => session(world.sent.length + 5),
    isActive: async () => undefined,
    ready: async () => {},
    replica: ({ grace = 0, store: own = store, minimumLifetime = -Infinity } = {}) =>
      sessionRefresher({
        sessions: createSessions(own),
        provider: {
          ready: () => world.ready(),
          async refresh(refreshToken) {
            world.sent.push(refreshToken)
            return world.refresh(refreshToken)
          },
          isActive() {
            world.asked += 1
            return world.isActive()
          },
          async revoke(refreshToken) {
            world.revoked.push(refreshToken)
          },
        },
        minimumLifetime,
        logger: { info: line, warn: line, error: line },
        now: Date.now,
        grace,
      }),
  }
})
afterEach(() => {
  vi.useRealTimers()
})

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** The outcome once there is one, however long that takes. */
async function outcomeOf(promise: Promise<Freshening>): Promise<Freshening> {
  let isOver = false
  void promise.catch(() => {}).finally(() => (isOver = true))
  for (let waited = 0; waited < 60_000; waited += 10) {
    if (isOver) break
    await pass(10)
  }
  return promise
}

/** What a replica leaves behind that dies after its refresh token was sent, or before. */
async function die(isSent: boolean): Promise<void> {
  const locked = await world.sessions.lock(world.key, 4_000)
  if (!isSent) return
  const at = Date.now()
  const marked = { ...session(1), refresh: { sentAt: at, openSince: at } }
  expect(await world.sessions.replace(world.key, marked, locked?.fence ?? 0, 4_000)).toBe(true)
}

describe('sessionRefresher', () => {
  it('lets a caller join a flight only if what that brings is enough for it', async () => {
    const refresher = world.replica()
    // Both read the old session; another replica writes a newer one before the first of them looks again.
    const modest = refresher.freshen(world.key, newerThan(1))
    const demanding = refresher.freshen(world.key, newerThan(3))
    await world.store.set(
      world.key,
      JSON.stringify({ ...session(3), refreshToken: 'refresh-3' }),
      session(3).endsAt,
    )

    expect(await outcomeOf(modest)).toMatchObject({
      session: { accessToken: 'access-3' },
      refreshed: false,
    })
    expect(await outcomeOf(demanding)).toMatchObject({ session: { accessToken: 'access-6' } })
    expect(world.sent).toEqual(['refresh-3'])
    // Nobody waited for a lock that was not let go.
    expect(Date.now() - START).toBeLessThan(1_000)
  })

  it('gives up rather than refresh in a circle when the provider has nothing newer', async () => {
    const refresher = world.replica()
    const outcomes = await Promise.all(
      [1, 2, 3].map(() => outcomeOf(refresher.freshen(world.key, () => false))),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['current', 'current', 'current'])
    expect(world.sent).toEqual(['refresh-1'])
  })

  it('keeps the old refresh token and ID token when the provider sends none', async () => {
    world.refresh = async () => {
      const { accessToken, expiresAt, tokenType } = session(6)
      return { accessToken, expiresAt, tokenType }
    }
    await outcomeOf(world.replica().freshen(world.key, newerThan(1)))
    expect(await world.sessions.read(world.key)).toEqual({
      ...session(6),
      refreshToken: 'refresh-1',
    })
  })

  it('is settled when the last refresh has stored its answer', async () => {
    const refresher = world.replica()
    world.refresh = () => after(500).then(() => session(6))
    void refresher.freshen(world.key, newerThan(1))
    await pass(0)
    let isSettled = false
    void refresher.settled().then(() => (isSettled = true))
    await pass(499)
    expect(isSettled).toBe(false)
    await pass(1)
    expect(isSettled).toBe(true)
    expect((await world.sessions.read(world.key))?.refreshToken).toBe('refresh-6')
  })
})

describe('two replicas', () => {
  it('can tell that a refresh token is on its way', async () => {
    let seen: Session | undefined
    world.refresh = async () => {
      seen = await world.sessions.read(world.key)
      return session(6)
    }
    await outcomeOf(world.replica().freshen(world.key, newerThan(1)))
    expect(seen?.refresh).toEqual({ sentAt: START, openSince: START })
  })

  it('that need a newer token in the same moment refresh once, and both hand out that token', async () => {
    world.refresh = () => after(300).then(() => session(6))
    const outcomes = await Promise.all(
      [world.replica(), world.replica(), world.replica()].map((replica) =>
        outcomeOf(replica.freshen(world.key, newerThan(1))),
      ),
    )
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'current', session: { accessToken: 'access-6' } })
    expect(world.sent).toEqual(['refresh-1'])
  })

  it('refresh once, also when the provider takes longer than a lock lives', async () => {
    world.refresh = () => after(7_500).then(() => session(6))
    const outcomes = await Promise.all(
      [world.replica(), world.replica()].map((replica) =>
        outcomeOf(replica.freshen(world.key, newerThan(1))),
      ),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['current', 'current'])
    expect(world.sent).toEqual(['refresh-1'])
  })

  it('do not both ask a provider that fails', async () => {
    world.refresh = () =>
      after(300).then(() => {
        throw answered(503)
      })
    const outcomes = await Promise.all(
      [world.replica(), world.replica()].map((replica) =>
        outcomeOf(replica.freshen(world.key, newerThan(1))),
      ),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['unavailable', 'unavailable'])
    expect(world.sent).toEqual(['refresh-1'])
  })

  it('ask the store a few times a second while they wait', async () => {
    world.refresh = () => after(3_000).then(() => session(6))
    void world.replica().freshen(world.key, newerThan(1))
    await pass(0)
    let looks = 0
    const lock: SessionStore['lock'] = (...details) => {
      looks += 1
      return world.store.lock(...details)
    }
    const store = { ...world.store, lock }
    await outcomeOf(world.replica({ store }).freshen(world.key, newerThan(1)))
    expect(looks).toBeGreaterThan(5)
    expect(looks).toBeLessThan(40)
  })

  it('wait for each other no longer than a browser waits', async () => {
    world.refresh = () => after(30_000).then(() => session(6))
    void world.replica().freshen(world.key, newerThan(1))
    await pass(0)
    const waiting = world.replica().freshen(world.key, newerThan(1))
    const startedAt = Date.now()
    expect(await outcomeOf(waiting)).toMatchObject({ status: 'unavailable' })
    expect(Date.now() - startedAt).toBeGreaterThan(8_000)
    expect(Date.now() - startedAt).toBeLessThan(9_000)
    expect(world.sent).toEqual(['refresh-1'])
  })
})

describe('a replica that died', () => {
  it.each([false, true])('is replaced within five seconds (token sent: %s)', async (isSent) => {
    world.isActive = async () => true
    await die(isSent)
    const startedAt = Date.now()
    const outcome = await outcomeOf(world.replica().freshen(world.key, newerThan(1)))
    expect(outcome).toMatchObject({ status: 'current', session: { accessToken: 'access-6' } })
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(4_000)
    expect(Date.now() - startedAt).toBeLessThan(5_000)
    expect(world.sent).toEqual(['refresh-1'])
    expect(world.asked).toBe(isSent ? 1 : 0)
  })

  it.each([
    ['says that it was used', false],
    ['cannot say', undefined],
  ])(
    'after sending the token ends the session, without a reuse, when the provider %s',
    async (_what, isActive) => {
      world.isActive = async () => isActive
      await die(true)
      const first = world.replica()
      // Who sent the token may yet live, and have the answer.
      expect(await outcomeOf(first.freshen(world.key, newerThan(1)))).toMatchObject({
        status: 'unavailable',
        retryAfter: 3_000,
      })
      await pass(START + 20_000 - Date.now())
      const outcomes = await Promise.all(
        [first.freshen(world.key, newerThan(1)), first.freshen(world.key, newerThan(1))].map(
          outcomeOf,
        ),
      )
      expect(outcomes.map(({ status }) => status)).toEqual(['interrupted', 'interrupted'])
      expect(await world.replica().freshen(world.key, newerThan(1))).toEqual({ status: 'gone' })
      expect(world.sent).toEqual([])
      expect(world.log).toEqual(['[auth] session ended: a refresh was interrupted'])
    },
  )

  it('after sending the token costs nothing while nobody can be asked', async () => {
    world.isActive = async () => {
      throw answered(503)
    }
    await die(true)
    const replica = world.replica()
    expect(await outcomeOf(replica.freshen(world.key, newerThan(1)))).toMatchObject({
      status: 'unavailable',
    })
    expect(world.sent).toEqual([])
    world.isActive = async () => true
    const startedAt = Date.now()
    expect(await outcomeOf(replica.freshen(world.key, newerThan(1)))).toMatchObject({
      status: 'current',
    })
    expect(Date.now() - startedAt).toBeLessThan(1_000)
    expect(world.sent).toEqual(['refresh-1'])
  })

  it('is asked about once, however long the answer takes', async () => {
    world.isActive = () => after(6_000).then(() => true)
    await die(true)
    await pass(4_000)
    const outcomes = await Promise.all(
      [world.replica(), world.replica()].map((replica) =>
        outcomeOf(replica.freshen(world.key, newerThan(1))),
      ),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['current', 'current'])
    expect(world.asked).toBe(1)
    expect(world.sent).toEqual(['refresh-1'])
  })

  it('has its refresh repeated within the grace period of the provider, which is not asked', async () => {
    await die(true)
    const replica = world.replica({ grace: 20_000 })
    const outcome = await outcomeOf(replica.freshen(world.key, newerThan(1)))
    expect(outcome).toMatchObject({ status: 'current', session: { accessToken: 'access-6' } })
    expect(world.sent).toEqual(['refresh-1'])
    expect(world.asked).toBe(0)
  })

  it('has its refresh repeated no longer than the grace period', async () => {
    await die(true)
    await pass(20_001)
    const replica = world.replica({ grace: 20_000 })
    expect(await outcomeOf(replica.freshen(world.key, newerThan(1)))).toEqual({
      status: 'interrupted',
    })
    expect(world.sent).toEqual([])
  })
})

describe('a refresh without an answer', () => {
  beforeEach(async () => {
    world.refresh = async () => {
      throw new TypeError('fetch failed')
    }
    await outcomeOf(world.replica().freshen(world.key, newerThan(1)))
    world.refresh = async () => session(6)
  })

  it('is kept in mind, with the session', async () => {
    expect(await world.sessions.read(world.key)).toEqual({
      ...session(1),
      refresh: { sentAt: START, openSince: START, outcome: 'unanswered' },
    })
  })

  it('is tried again where the provider cannot say what became of the token', async () => {
    expect(await outcomeOf(world.replica().freshen(world.key, newerThan(1)))).toMatchObject({
      status: 'current',
    })
    expect(world.sent).toEqual(['refresh-1', 'refresh-1'])
    expect((await world.sessions.read(world.key))?.refresh).toBeUndefined()
  })

  it('ends the session, without a reuse, where the provider says that the token was used', async () => {
    world.isActive = async () => false
    expect(await outcomeOf(world.replica().freshen(world.key, newerThan(1)))).toEqual({
      status: 'interrupted',
    })
    expect(world.sent).toEqual(['refresh-1'])
  })
})

describe('a refresh that the provider declines', () => {
  it('is tried again without a question when it says "later"', async () => {
    world.refresh = async () => {
      throw answered(429)
    }
    const replica = world.replica()
    await outcomeOf(replica.freshen(world.key, newerThan(1)))
    world.refresh = async () => session(6)
    world.isActive = async () => false
    expect(await outcomeOf(replica.freshen(world.key, newerThan(1)))).toMatchObject({
      status: 'current',
    })
    expect(world.asked).toBe(0)
  })

  it('ends the session when the grant is no longer known', async () => {
    world.refresh = async () => {
      throw answered(400, 'invalid_grant')
    }
    const replica = world.replica()
    expect(await outcomeOf(replica.freshen(world.key, newerThan(1)))).toEqual({ status: 'ended' })
    expect(await world.sessions.read(world.key)).toBeUndefined()
  })

  it('is not even begun while the addresses of the provider are unknown', async () => {
    world.ready = async () => {
      throw answered(503)
    }
    const replica = world.replica()
    expect(await outcomeOf(replica.freshen(world.key, newerThan(1)))).toMatchObject({
      status: 'unavailable',
    })
    expect(world.sent).toEqual([])
    expect(await world.sessions.lock(world.key, 1_000)).toBeDefined()
  })
})

describe('a replica that was taken for dead', () => {
  /** The store that a stalled replica sees: its lock is not extended. */
  const stalled = (store: SessionStore): SessionStore => ({
    ...store,
    replace: async (key, value, fence, lockFor) =>
      // Its lock was extended when the token was sent, and then never again.
      lockFor > 0 && Date.now() > START + 500 ? true : store.replace(key, value, fence, lockFor),
  })

  it('writes nothing over what its successor wrote, hands that out, and revokes nothing', async () => {
    const answers = [after(6_000).then(() => session(7)), after(0).then(() => session(9))]
    world.refresh = () => answers.shift() as Promise<Grant>
    world.isActive = async () => true
    const late = world.replica({ store: stalled(world.store) }).freshen(world.key, newerThan(1))
    await pass(1)
    const successor = world.replica().freshen(world.key, newerThan(1))
    expect(await outcomeOf(successor)).toMatchObject({ session: { accessToken: 'access-9' } })
    expect(await outcomeOf(late)).toMatchObject({ session: { accessToken: 'access-9' } })
    expect((await world.sessions.read(world.key))?.refreshToken).toBe('refresh-9')
    expect(world.revoked).toEqual([])
  })

  it('does not end the session of its successor when the provider refuses it', async () => {
    const answers = [
      after(6_000).then(() => Promise.reject<Grant>(answered(400, 'invalid_grant'))),
      after(0).then(() => session(9)),
    ]
    world.refresh = () => answers.shift() as Promise<Grant>
    world.isActive = async () => true
    const late = world.replica({ store: stalled(world.store) }).freshen(world.key, newerThan(1))
    await pass(1)
    await outcomeOf(world.replica().freshen(world.key, newerThan(1)))
    expect(await outcomeOf(late)).toMatchObject({ session: { accessToken: 'access-9' } })
    expect((await world.sessions.read(world.key))?.refreshToken).toBe('refresh-9')
  })

  it('does not end the session of its successor when it hears late that the token was used', async () => {
    const answers = [after(9_000).then(() => false), Promise.resolve(true)]
    world.isActive = () => answers.shift() as Promise<boolean>
    world.refresh = async () => session(9)
    const sentAt = START - 15_000
    const marked = { ...session(1), refresh: { sentAt, openSince: sentAt } }
    await world.store.set(world.key, JSON.stringify(marked), marked.endsAt)
    const late = world.replica({ store: stalled(world.store) }).freshen(world.key, newerThan(1))
    await pass(1)
    await outcomeOf(world.replica().freshen(world.key, newerThan(1)))
    expect(await outcomeOf(late)).toMatchObject({ session: { accessToken: 'access-9' } })
    expect((await world.sessions.read(world.key))?.refreshToken).toBe('refresh-9')
    expect(world.log).toEqual([])
  })

  it.each([
    ['revokes what came late when its session was ended', 'session-ended', ['refresh-7']],
    ['leaves a grant alone that a new sign-in may share', 'session-replaced', []],
  ] as const)('%s', async (_what, reason, revoked) => {
    world.refresh = () => after(6_000).then(() => session(7))
    const late = world.replica({ store: stalled(world.store) }).freshen(world.key, newerThan(1))
    await pass(1)
    await world.sessions.end(world.key, undefined, reason)
    expect(await outcomeOf(late)).toEqual({ status: 'gone' })
    expect(world.revoked).toEqual(revoked)
  })
})

describe('a store that stumbles', () => {
  const failing = (store: SessionStore, times: number, doesWrite: boolean): SessionStore => {
    let left = times
    return {
      ...store,
      async replace(key, value, fence, lockFor) {
        if (lockFor > 0 || left === 0) return store.replace(key, value, fence, lockFor)
        left -= 1
        if (doesWrite) await store.replace(key, value, fence, lockFor)
        throw new Error('no connection')
      },
    }
  }

  it.each([false, true])(
    'does not lose the answer of the provider (written all the same: %s)',
    async (doesWrite) => {
      const replica = world.replica({ store: failing(world.store, 5, doesWrite) })
      expect(await outcomeOf(replica.freshen(world.key, newerThan(1)))).toMatchObject({
        status: 'current',
        session: { accessToken: 'access-6' },
      })
      expect((await world.sessions.read(world.key))?.refreshToken).toBe('refresh-6')
      expect(world.revoked).toEqual([])
    },
  )

  it('is not asked for ever', async () => {
    const replica = world.replica({ store: failing(world.store, Infinity, false) })
    await expect(outcomeOf(replica.freshen(world.key, newerThan(1)))).rejects.toThrow(
      'no connection',
    )
  })
})

describe('a store that cannot be reached for longer than a lock lives', () => {
  let isDown = false
  const shared = (): SessionStore => {
    const { store } = world
    const up =
      <Args extends unknown[], T>(task: (...args: Args) => Promise<T>) =>
      async (...args: Args): Promise<T> => {
        if (isDown) throw new Error('no connection')
        return task(...args)
      }
    return {
      ...store,
      get: up(store.get),
      lock: up(store.lock),
      replace: up(store.replace),
      delete: up(store.delete),
    }
  }
  /** One replica sends the token; the store goes away before the answer is there, and comes back after `outage`. */
  async function outage(span: number, answer: () => Promise<Grant>) {
    isDown = false
    const store = shared()
    world.refresh = () => after(100).then(answer)
    world.isActive = async () => false
    const first = world.replica({ store }).freshen(world.key, newerThan(1))
    void first.catch(() => {})
    await pass(50)
    isDown = true
    await pass(span)
    isDown = false
    // The lock is over, and another one is there before the first tries again.
    const second = await outcomeOf(world.replica({ store }).freshen(world.key, newerThan(1)))
    return { second, first: await outcomeOf(first) }
  }

  it.each([4_600, 6_000, 9_500])(
    'costs no session whose answer is in hand (%i ms)',
    async (span) => {
      const { first, second } = await outage(span, async () => session(6))
      expect(['current', 'unavailable']).toContain(second.status)
      expect(first).toMatchObject({ status: 'current', session: { accessToken: 'access-6' } })
      expect((await world.sessions.read(world.key))?.refreshToken).toBe('refresh-6')
      expect(world.sent).toEqual(['refresh-1'])
      expect(world.revoked).toEqual([])
    },
  )

  it('together with the provider costs no session of a server that lives', async () => {
    world.isActive = async () => undefined
    const { first } = await outage(6_000, async () => {
      throw new TypeError('fetch failed')
    })
    expect(first).toMatchObject({ status: 'unavailable' })
    expect((await world.sessions.read(world.key))?.refresh).toMatchObject({ outcome: 'unanswered' })
    await pass(30_000)
    world.isActive = async () => undefined
    world.refresh = async () => session(8)
    expect(await outcomeOf(world.replica().freshen(world.key, newerThan(1)))).toMatchObject({
      status: 'current',
      session: { accessToken: 'access-8' },
    })
  })
})

describe('the grace period of the provider', () => {
  const replica = () => world.replica({ grace: 20_000 })
  const ask = () => outcomeOf(replica().freshen(world.key, newerThan(1)))
  /** Sends the token and dies: nothing it does later reaches the store. */
  async function sendAndDie(): Promise<void> {
    let isDead = false
    const store: SessionStore = {
      ...world.store,
      replace: async (...args) => (isDead ? true : world.store.replace(...args)),
    }
    world.refresh = () => {
      isDead = true
      return new Promise(() => {})
    }
    void world.replica({ grace: 20_000, store }).freshen(world.key, newerThan(1))
    const sent = world.sent.length
    while (world.sent.length === sent) await pass(100)
    world.refresh = async () => session(9)
  }

  it('saves a session however many servers die in it', async () => {
    for (let deaths = 0; deaths < 3; deaths += 1) await sendAndDie()
    expect(Date.now() - START).toBeLessThan(16_000)
    expect(await ask()).toMatchObject({ status: 'current', session: { accessToken: 'access-9' } })
    expect(world.sent).toHaveLength(4)
    expect(world.asked).toBe(0)
  })

  it('is counted from the first time that the token was sent, not from the last', async () => {
    await sendAndDie()
    await pass(10_000)
    await sendAndDie()
    await pass(START + 20_000 - Date.now())
    world.isActive = async () => false
    expect(await ask()).toMatchObject({ status: 'unavailable' })
    await pass(20_000)
    expect(await ask()).toEqual({ status: 'interrupted' })
    expect(world.sent).toEqual(['refresh-1', 'refresh-1'])
  })

  it.each([429, 503])('is not counted anew when the provider says %i in it', async (status) => {
    await sendAndDie()
    world.refresh = async () => {
      throw answered(status)
    }
    expect(await ask()).toMatchObject({ status: 'unavailable' })
    world.refresh = async () => session(9)
    await pass(40_000)
    expect(await ask()).toEqual({ status: 'interrupted' })
    expect(world.sent).toEqual(['refresh-1', 'refresh-1'])
    expect(world.asked).toBe(1)
  })
})

describe('a provider that says when to come back', () => {
  beforeEach(async () => {
    world.refresh = async () => {
      const response = new Response(null, { status: 429, headers: { 'retry-after': '17' } })
      throw new Error('refused', { cause: response })
    }
    await outcomeOf(world.replica().freshen(world.key, newerThan(1)))
    world.refresh = async () => session(6)
  })

  it('is not asked before, by any server, and callers are told what is left', async () => {
    await pass(START + 5_000 - Date.now())
    expect(await world.replica().freshen(world.key, newerThan(1))).toMatchObject({
      status: 'unavailable',
      retryAfter: 12_000,
    })
    expect(world.sent).toHaveLength(1)
    await pass(12_000)
    expect(await outcomeOf(world.replica().freshen(world.key, newerThan(1)))).toMatchObject({
      status: 'current',
    })
  })

  it('keeps nobody from a token that still serves', async () => {
    expect(await world.replica().freshen(world.key, newerThan(0))).toMatchObject({
      status: 'current',
      session: { accessToken: 'access-1' },
    })
  })
})

describe('tokens that live shorter than is asked for', () => {
  const nothing = () => false

  it('are fetched once, for all who waited, and warned of once', async () => {
    world.refresh = () => after(300).then(() => session(6))
    const replicas = [1, 2, 3].map(() => world.replica({ minimumLifetime: 90_000 }))
    const outcomes = await Promise.all(
      replicas.map((replica) => outcomeOf(replica.freshen(world.key, nothing, newerThan(1)))),
    )
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'current', session: { accessToken: 'access-6' } })
    expect(world.sent).toEqual(['refresh-1'])
    await outcomeOf(replicas[0]?.freshen(world.key, nothing) as Promise<Freshening>)
    expect(world.log.filter((line) => line.includes('minimumLifetime')).length).toBeLessThan(3)
    expect(world.log.filter((line) => line.includes('minimumLifetime'))).not.toEqual([])
  })

  it('are no good for one who waited and wants a newer one than that', async () => {
    world.refresh = () => after(300).then(() => session(world.sent.length + 5))
    const first = world.replica().freshen(world.key, newerThan(1))
    await pass(10)
    const second = world.replica().freshen(world.key, nothing, newerThan(6))
    await outcomeOf(first)
    expect(await outcomeOf(second)).toMatchObject({ session: { accessToken: 'access-7' } })
  })
})

describe('a thousand sessions that expire together', () => {
  let atOnce = 0
  let mostAtOnce = 0
  let answers = 0
  async function wave(latency: number) {
    atOnce = mostAtOnce = answers = 0
    world.refresh = async () => {
      atOnce += 1
      mostAtOnce = Math.max(mostAtOnce, atOnce)
      await after(latency)
      atOnce -= 1
      answers += 1
      return { ...session(6), refreshToken: `next-${answers}` }
    }
    const keys = await Promise.all(
      Array.from({ length: 1_000 }, async (_, index) =>
        world.sessions.keyOf(
          await world.sessions.open({ ...session(1), refreshToken: `wave-${index}` }),
        ),
      ),
    )
    const refresher = world.replica()
    const ask = () => Promise.all(keys.map((key) => refresher.freshen(key, newerThan(1))))
    const waited = ask()
    await pass(60_000)
    return { keys, ask, outcomes: await waited }
  }

  it('meet the provider a few at a time, and none is lost', async () => {
    const { outcomes } = await wave(20)
    expect(outcomes.every(({ status }) => status === 'current')).toBe(true)
    expect(mostAtOnce).toBe(64)
    expect(new Set(world.sent).size).toBe(1_000)
    expect(world.sent).toHaveLength(1_000)
  })

  it('come back at different times when it is slow, with nothing spent, and are served in the end', async () => {
    const { keys, ask, outcomes } = await wave(1_000)
    const served = outcomes.filter(({ status }) => status === 'current').length
    expect(served).toBe(answers)
    expect(served).toBeGreaterThan(200)
    expect(served).toBeLessThan(400)
    const told = outcomes.flatMap((each) =>
      each.status === 'unavailable' ? [each.retryAfter] : [],
    )
    expect(told).toHaveLength(1_000 - served)
    expect(Math.min(...told.map(Number))).toBeGreaterThanOrEqual(5_000)
    expect(Math.max(...told.map(Number))).toBeLessThanOrEqual(10_000)
    expect(new Set(told).size).toBeGreaterThan(100)
    expect(world.log).toEqual([
      '[auth] more refreshes at once than there is room for: some have to come back',
    ])
    // Those who were turned away left neither a note nor a lock.
    const turnedAway = keys[outcomes.findIndex(({ status }) => status === 'unavailable')] ?? ''
    expect((await world.sessions.read(turnedAway))?.refresh).toBeUndefined()
    for (let rounds = 0; rounds < 4; rounds += 1) {
      const again = ask()
      await pass(60_000)
      await again
    }
    expect((await ask()).every(({ status }) => status === 'current')).toBe(true)
    expect(new Set(world.sent).size).toBe(1_000)
    expect(world.sent).toHaveLength(1_000)
  })
})
