import { Browser, BRIDGE_HEADERS, ORIGIN } from '../../packages/server/src/app.test.fixture.ts'
import { startRedis } from '../../packages/server/src/redis.test.fixture.ts'
import { redisStore } from '../../packages/server/src/redis-store.ts'
import { sealing } from '../../packages/server/src/sealing.ts'
import { hashSecretId } from '../../packages/server/src/secret-id.ts'
import { createSessions, type Session } from '../../packages/server/src/sessions.ts'
import { createRandom } from '../simulation/random.ts'
import { startChild, type Child } from './child.ts'
import {
  ENCRYPTION_KEY,
  type ProviderEvent,
  type ProviderSettings,
  type ReplicaSettings,
  type WhenIdle,
} from './messages.ts'

export interface RunSettings {
  readonly replicas: number
  readonly rounds: number
  readonly seed: number
  /** Milliseconds for which the provider takes a refresh token again; 0: any reuse ends the grant. */
  readonly grace: number
  /** Whether the provider says what became of a refresh token. */
  readonly introspects: boolean
  /** Milliseconds that a request to the provider or its answer is on its way, at most. */
  readonly latency: number
  /**
   * Every how many rounds the kill comes when the provider has used the token up, instead of at random: so that few rounds
   * are enough to meet the window. It then says nothing of how often that is.
   */
  readonly aimEvery?: number
  /** Milliseconds after which no further round begins, once each phase was hit; after five times that in any case. */
  readonly time?: number
}

/**
 * Where a refresh was when its replica was killed. The provider's log decides, and what stands in the store.
 *
 * - `before`: the provider never got the token from this replica.
 * - `window`: the provider used the token up, and the store does not have its answer.
 * - `after`: the store has the answer.
 */
export type Phase = 'before' | 'window' | 'after'

export interface PhaseCount {
  kills: number
  /** Sessions that were over afterwards. */
  lost: number
}

export interface RunReport {
  readonly settings: RunSettings
  readonly rounds: number
  /** Refreshes that were under way in a replica, or had just been, when it was killed. */
  readonly phases: Record<Phase, PhaseCount>
  /** Rounds in which the killed replica left a lock behind, which another one took over. */
  readonly takeovers: number
  /** Replicas killed while they repeated a refresh that a killed one had left behind. */
  readonly killedAgain: number
  /** Refreshes that came to an end, killed or not. */
  readonly refreshes: number
  /** Requests with a refresh token that was used up. The provider's word. */
  readonly reuses: number
  /** Uses again within the grace period. */
  readonly repeats: number
  readonly introspections: number
  /** Why lost sessions were said to be over, to each tab. */
  readonly reasons: Readonly<Record<string, number>>
  /** What must never be, in words. */
  readonly violations: readonly string[]
  /** Milliseconds from the questions to the last answer, in rounds with a takeover: of sessions that went on, and that ended. */
  readonly longestTakeover: number
  readonly longestEnd: number
  readonly seconds: number
}

type Route = () => Replica

interface Replica extends Child<never> {
  readonly name: string
}

/** A signed-in browser, and what its store's entry is called. */
interface SignedIn {
  readonly cookie: string
  readonly key: string
  expiresAt: number
}

type Answer =
  | { readonly status: 200; readonly accessToken: string; readonly expiresAt: number }
  | { readonly status: 401; readonly reason: string }

/** How many requests want a newer token at the same time. */
const TABS = 4

/** Milliseconds after which a round without an answer is a violation. */
const PATIENCE = 60_000

/** Milliseconds: a refresh that takes longer than this was taken over from a replica that left its lock behind. */
const TAKEOVER = 3_000

/**
 * Signs sessions in, has them refreshed by replicas in processes of their own, kills a replica with SIGKILL at a random
 * point of each round, and looks at what became of the session.
 */
export async function killRounds(settings: RunSettings): Promise<RunReport> {
  const {
    rounds,
    seed,
    grace,
    introspects,
    latency,
    aimEvery = Infinity,
    time = Infinity,
  } = settings
  const random = createRandom(seed)
  await using resources = new AsyncDisposableStack()
  const redis = resources.use(await startRedis())
  const store = redisStore(await redis.connect())
  const sessions = createSessions(sealing(store, [ENCRYPTION_KEY], console))
  const provider = await startChild<ProviderEvent>('provider.ts', {
    origin: ORIGIN,
    grace,
    introspects,
    latency,
    seed,
  } satisfies ProviderSettings)
  resources.defer(() => provider.kill())

  const log: ProviderEvent[] = []
  const idle = new Map<string, () => void>()
  provider.onMessage((event) => {
    log.push(event)
    if (event.type === 'idle') idle.get(event.replica)?.()
    if (event.type === 'consumed') aims.get(event.token)?.(event.replica)
    if (event.type === 'consumed' && event.isRepeat && doomed.delete(event.token))
      void killAgain(event.replica)
  })
  /** Refresh tokens whose next sender is killed as well, as soon as the provider has seen it. */
  const doomed = new Set<string>()
  /** Who wants to know which replica has sent a refresh token. */
  const aims = new Map<string, (replica: string) => void>()

  const living: Replica[] = []
  /** Milliseconds that a refresh takes here: kills are spread over half as much again. */
  let typical = 40
  let turn = 0
  const nextReplica: Route = (): Replica => {
    turn += 1
    return living[turn % living.length] as Replica
  }

  let started = 0
  async function startReplica(): Promise<Replica> {
    const name = `replica-${(started += 1)}`
    const child = await startChild<never>('replica.ts', {
      name,
      origin: ORIGIN,
      issuer: provider.url,
      redisUrl: redis.url,
      // A second less than the provider's, as the documentation asks for.
      grace: grace === 0 ? 0 : grace - 1_000,
    } satisfies ReplicaSettings)
    const replica = { ...child, name }
    await warmUp(replica)
    return replica
  }
  /** A replica that has refreshed before is as fast as in a server that runs for days. */
  async function warmUp(replica: Replica): Promise<void> {
    const session = await signIn(() => replica)
    for (let count = 0; count < 3; count += 1) {
      const startedAt = performance.now()
      const answer = await ask(session, session.expiresAt, () => replica)
      if (answer.status !== 200) throw new Error('A replica cannot refresh.')
      session.expiresAt = answer.expiresAt
      if (count === 2) typical = 0.8 * typical + 0.2 * (performance.now() - startedAt)
    }
  }

  async function signIn(route: Route = nextReplica): Promise<SignedIn> {
    for (;;) {
      // The replica may be killed meanwhile.
      const session = await trySignIn(route().url).catch(() => undefined)
      if (session !== undefined) return session
      await pause(50)
    }
  }

  async function trySignIn(url: string): Promise<SignedIn> {
    const browser = new Browser()
    const visit = async (address: string, origin: string): Promise<Response> => {
      const response = await fetch(address, {
        redirect: 'manual',
        headers: { cookie: browser.cookieHeader(origin) },
      })
      browser.keep(origin, response)
      return response
    }
    let response = await visit(`${url}/api/auth/login`, ORIGIN)
    for (;;) {
      const location = new URL(response.headers.get('location') ?? '', provider.url)
      if (location.origin === ORIGIN) {
        await visit(`${url}${location.pathname}${location.search}`, ORIGIN)
        break
      }
      response = await visit(location.href, provider.url)
    }
    const id = browser.jar(ORIGIN).get('__Host-Http-sid') ?? ''
    const session: SignedIn = {
      cookie: `__Host-Http-sid=${id}`,
      key: await sessions.keyOf(id),
      expiresAt: 0,
    }
    session.expiresAt = (await read(session))?.expiresAt ?? 0
    if (session.expiresAt === 0) throw new Error('The sign-in brought no session.')
    return session
  }

  /** What a tab does: asks one replica after another until one has an answer. */
  async function ask(
    { cookie }: SignedIn,
    newerThan: number,
    route: Route = nextReplica,
  ): Promise<Answer> {
    const deadline = performance.now() + PATIENCE
    while (performance.now() < deadline) {
      try {
        const response = await fetch(`${route().url}/api/auth/sync`, {
          method: 'POST',
          headers: { ...BRIDGE_HEADERS, cookie },
          body: JSON.stringify({ newerThan }),
        })
        const body = (await response.json()) as Record<string, unknown>
        if (response.status === 200) return { status: 200, ...body } as Answer
        if (response.status === 401) return { status: 401, reason: String(body['reason']) }
      } catch {
        // It was killed, or is not there any more.
      }
      await pause(20 + random.next() * 80)
    }
    return { status: 401, reason: 'nobody answered' }
  }

  const read = ({ key }: SignedIn): Promise<Session | undefined> => sessions.read(key)

  living.push(...(await Promise.all(Array.from({ length: settings.replicas }, startReplica))))
  // Starting takes longer than a round, so some are ready beforehand.
  const spares = Array.from({ length: 2 }, startReplica)
  resources.defer(async () => {
    await Promise.all([...living, ...(await Promise.all(spares))].map((child) => child.kill()))
  })

  const phases: Record<Phase, PhaseCount> = {
    before: { kills: 0, lost: 0 },
    window: { kills: 0, lost: 0 },
    after: { kills: 0, lost: 0 },
  }
  const reasons: Record<string, number> = {}
  const violations: string[] = []
  let takeovers = 0
  let killedAgain = 0
  let longestTakeover = 0
  let longestEnd = 0
  let refreshes = 0
  let done = 0

  /** The replica has been killed. Where was the refresh? */
  async function phaseOf(killed: Replica, session: SignedIn, token: string): Promise<Phase> {
    // What it had sent is still on its way to the provider and to Redis.
    await pause(10)
    const isIdle = new Promise<void>((resolve) => idle.set(killed.name, resolve))
    provider.process.send({ replica: killed.name } satisfies WhenIdle)
    await isIdle
    const use = log.find(
      (event) =>
        event.type === 'consumed' && event.replica === killed.name && event.token === token,
    )
    if (use?.type !== 'consumed') return 'before'
    const stored = (await read(session))?.refreshToken
    return stored !== undefined && (await hashSecretId(stored)) === use.successor
      ? 'after'
      : 'window'
  }

  const underWay = new Set<Promise<void>>()
  const pool: Promise<SignedIn>[] = Array.from({ length: 12 }, signIn)

  /** The replica that refreshes, most of the time: the first of the tabs was sent to it. At a random moment. */
  async function anyone(): Promise<Replica> {
    const first = turn % living.length
    await pause(random.next() * typical * 1.5)
    const victim = random.chance(0.7) ? first : random.between(0, living.length - 1)
    return living[victim] as Replica
  }

  /** The replica that refreshes, as soon as the provider has used the token up. */
  async function sender(token: string): Promise<Replica> {
    const seen = new Promise<string>((resolve) => aims.set(token, resolve))
    const name = await Promise.race([seen, pause(PATIENCE / 4)])
    aims.delete(token)
    return living.find((each) => each.name === name) ?? anyone()
  }

  async function replace(killed: Replica): Promise<void> {
    const spare = spares.shift()
    spares.push(startReplica())
    const replica = await (spare as Promise<Replica>)
    const place = living.indexOf(killed)
    if (place >= 0) living[place] = replica
    // It was killed twice, and has been replaced.
    else await replica.kill()
  }

  async function killAgain(name: string): Promise<void> {
    const replica = living.find((each) => each.name === name)
    if (replica === undefined) return
    killedAgain += 1
    await replica.kill()
    const replacing = replace(replica).finally(() => underWay.delete(replacing))
    underWay.add(replacing)
  }

  /** A round: tabs ask for a newer token, a replica is killed, and everybody gets an answer all the same. */
  async function round(number: number): Promise<void> {
    const session = await (pool.shift() ?? signIn())
    const token = await hashSecretId((await read(session))?.refreshToken ?? '')
    const startedAt = performance.now()
    const answers = Promise.all(
      Array.from({ length: TABS }, async (_, tab) => {
        if (tab > 0) await pause(random.next() * 4)
        return ask(session, session.expiresAt)
      }),
    )
    const killed = await (number % aimEvery === 0 ? sender : anyone)(token)
    // Those who repeat its refresh are killed as well, here and there.
    if (grace > 0 && random.chance(0.5)) doomed.add(token)
    await killed.kill()
    const [phase] = await Promise.all([phaseOf(killed, session, token), replace(killed)])
    phases[phase].kills += 1

    const check = verify(number, phase, token, session, answers, startedAt).finally(() =>
      underWay.delete(check),
    )
    underWay.add(check)
  }

  /** Who took over may have been killed as well, and in the window: the round is one of those then. */
  function isLateWindow(token: string): boolean {
    const use = log.findLast((event) => event.type === 'consumed' && event.token === token)
    return use?.type === 'consumed' && living.every(({ name }) => name !== use.replica)
  }

  async function verify(
    number: number,
    first: Phase,
    token: string,
    session: SignedIn,
    answering: Promise<Answer[]>,
    startedAt: number,
  ): Promise<void> {
    let phase = first
    const violated = (what: string): void =>
      void violations.push(`round ${number}, ${phase}: ${what}`)
    const answers = await answering
    const span = performance.now() - startedAt
    const good = answers.filter((answer) => answer.status === 200)
    if (span > TAKEOVER) {
      takeovers += 1
      if (good.length === TABS) longestTakeover = Math.max(longestTakeover, span)
      else longestEnd = Math.max(longestEnd, span)
    }
    if (good.length === TABS) {
      refreshes += 1
      if (new Set(good.map(({ accessToken }) => accessToken)).size > 1)
        violated('tabs got different tokens')
      if (!good.every(({ expiresAt }) => expiresAt > session.expiresAt))
        violated('the token was not newer')
      session.expiresAt = Math.max(...good.map(({ expiresAt }) => expiresAt))
      pool.push(Promise.resolve(session))
      return
    }
    if (first === 'before' && isLateWindow(token)) {
      phase = 'window'
      phases.before.kills -= 1
      phases.window.kills += 1
    }
    phases[phase].lost += 1
    pool.push(signIn())
    // All tabs hear the same, whoever of them asked first.
    const told = answers.map((answer) => (answer.status === 401 ? answer.reason : 'a token'))
    for (const reason of told) {
      reasons[reason] = (reasons[reason] ?? 0) + 1
      if (reason !== 'refresh-interrupted') violated(`a tab was told ${reason}`)
    }
    // Where nobody can say whether a token was used, the note that it was sent has to do.
    if (phase === 'after' || (phase === 'before' && introspects)) violated('the session was lost')
    if (grace > 0) violated('the session was lost although the provider grants a grace period')
  }

  const begunAt = performance.now()
  await Promise.all(pool)
  const isTime = (): boolean => {
    const span = performance.now() - begunAt
    const hasHitAll = Object.values(phases).every(({ kills }) => kills > 0)
    return span < time || (!hasHitAll && span < 5 * time)
  }
  for (; done < rounds && isTime(); done += 1) await round(done + 1)
  while (underWay.size > 0) await Promise.all(underWay)
  // Whoever survived has to be able to go on.
  for (const each of pool) {
    const session = await each
    const answer = await ask(session, session.expiresAt)
    if (answer.status !== 200) violations.push(`in the end: a session was over, ${answer.reason}`)
  }
  const count = (type: ProviderEvent['type']): number =>
    log.filter((event) => event.type === type).length
  if (count('reuse') > 0) violations.push(`${count('reuse')} times a used refresh token was sent`)
  return {
    settings,
    rounds: done,
    phases,
    takeovers,
    killedAgain,
    longestTakeover: Math.round(longestTakeover),
    longestEnd: Math.round(longestEnd),
    refreshes,
    reuses: count('reuse'),
    repeats: log.filter((event) => event.type === 'consumed' && event.isRepeat).length,
    introspections: count('introspected'),
    reasons,
    violations,
    seconds: Math.round((performance.now() - begunAt) / 1000),
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
