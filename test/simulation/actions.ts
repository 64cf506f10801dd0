import type { AccessToken, TokenPayload } from '@token-bridge/core'
import { canAsk, isFollowedAtOnce } from './properties/tabs.ts'
import { PLANNED_FAULT } from './properties/secrets.ts'
import type { Tab } from './tab.ts'
import { isConnected, isServing, type World } from './world.ts'

/** How a host tells its bridge that somebody has signed in. */
export type SignIn = 'put' | 'rotate'

/** In which order a host signs out: at the server, then in the page; at the same time; or in the page alone. */
export type SignOut = 'server-first' | 'at-once' | 'page-only'

/** How a remote uses what it was given. */
export type Use = 'fetch' | 'ready' | 'elsewhere' | 'refused' | 'hostile'

/** Somebody signs in, in a tab. */
export function signIn(world: World, tab: Tab, how: SignIn): void {
  const { timeline, machine } = world
  void tab
    .fetch('/api/auth/login', { method: 'POST' })
    .then(async (response) => {
      const payload = (await response.json()) as TokenPayload
      tab.facts.hostActedAt = timeline.now
      if (how === 'rotate') return rotate(world, tab)
      const put = {
        sentAt: timeline.now,
        clocks: { wall: machine.wallClock(), monotonic: machine.monotonic() },
        transit: timeline.now - (payload.serverTime ?? 0),
      }
      try {
        tab.bridge.updateToken(payload)
        tab.facts.putByHost.set(payload.accessToken, put)
      } catch {
        // By a wrong clock the token is over: the bridge asks, and learns the time.
        return rotate(world, tab)
      }
    })
    .catch(() => {})
}

/** The host asks for a newer token. */
export function rotate({ timeline }: World, tab: Tab): Promise<void> {
  tab.facts.hostActedAt = timeline.now
  return tab.bridge.rotate().then(
    (token) => void tab.facts.handedOut.push({ token, via: 'rotate()' }),
    () => {},
  )
}

/** Somebody signs out, in a tab. */
export function signOut(world: World, tab: Tab, order: SignOut): void {
  const { timeline, tabs } = world
  // Whoever is open at that moment hears of it: once where the server has ended the session before, else twice.
  let hearing: readonly Tab[] = []
  const reset = (): void => {
    const signals = order === 'server-first' ? 1 : 2
    hearing = tabs.filter(
      (other) => canAsk(world, other) && isFollowedAtOnce(world, other, signals),
    )
    tab.facts.signOutsAt.push(timeline.now)
    tab.facts.callsAtReset = tab.facts.calls.length
    void tab.bridge.reset('sign-out')
  }
  if (order !== 'server-first') reset()
  if (order === 'page-only') return
  const { disturbances, settings } = world
  // A slow verifier is waited for. Nobody signs out in a tab that is hidden, where the second signal would be late.
  const isPromised =
    isServing(world) && isConnected(world) && settings.verifyDelay < 100 && !tab.loop.isHidden
  void tab
    .fetch('/api/auth/logout', { method: 'POST' })
    .then(
      () => true,
      () => false,
    )
    .then((isEnded) => {
      if (order === 'server-first') reset()
      if (isEnded && isPromised) promise()
    })

  function promise(): void {
    world.signOuts.push({ by: timeline.now + 1_000, disturbances, tabs: hearing })
    timeline.after(1_000, () => {})
  }
}

/** A remote does something. */
export function use(tab: Tab, how: Use): void {
  const { facts, remote } = tab
  const settled = (work: Promise<unknown>): void => {
    facts.pending += 1
    void work
      .catch(() => {})
      .finally(() => {
        facts.pending -= 1
      })
  }
  switch (how) {
    case 'fetch':
      return settled(remote.fetch('https://api.test/orders'))
    case 'ready':
      return settled(
        remote.ready().then((token) => facts.handedOut.push({ token, via: 'ready()' })),
      )
    case 'elsewhere':
      return settled(remote.fetch('https://elsewhere.test/'))
    case 'refused':
      return settled(remote.fetch('https://api.test/always-401'))
    case 'hostile':
      return settled(attack(tab))
  }
}

/** Requests, and reports of requests, that are answered with 401 whatever the token. */
const ATTACKS = 12

/** A remote that does its worst with what it was given: it tries to make the bridge rotate again and again. */
async function attack({ bridge }: Tab): Promise<void> {
  const reader = bridge.reader('hostile')
  for (let count = 0; count < ATTACKS; count += 1) {
    const { generation } = reader.snapshot()
    reader.report({ generation: generation - (count % 2), status: 401 })
    await Promise.all([
      reader.fetch('https://api.test/always-401'),
      reader.fetch('https://api.test/always-401'),
    ])
  }
}

/** What a subscriber does when it is told of a token. */
export type OnToken = 'nothing' | 'throw' | 'subscribe' | 'rotate' | 'sign-out' | 'leave'

/** A remote subscribes; some subscribers are careless. */
export function subscribe(world: World, tab: Tab, onToken: OnToken): void {
  let times = 0
  const careless: Record<OnToken, (token: AccessToken) => void> = {
    nothing: () => {},
    throw: () => {
      throw new Error(PLANNED_FAULT)
    },
    subscribe: () => {
      // Each of a few: a subscriber for each token would be a flood of our own making.
      if ((times += 1) <= 2) tab.subscribe()
    },
    rotate: () => {
      if ((times += 1) <= 2) void rotate(world, tab)
    },
    'sign-out': () => {
      if ((times += 1) === 2) signOut(world, tab, 'at-once')
    },
    leave: () => leave(),
  }
  let isGone = false
  const subscriber = tab.subscribe((token) => {
    if (!world.isEnding) careless[onToken](token)
  })
  function leave(): void {
    isGone = true
    queueMicrotask(remove)
  }
  function remove(): void {
    subscriber.unsubscribe()
    const { subscribers } = tab.facts
    subscribers.splice(subscribers.indexOf(subscriber), 1)
  }
  if (isGone) remove()
}

/** The host mounts a remote when its store is told of the next event, which is before the readers are. */
export function mountAtNextEvent({ bridge, subscribe: mount }: Tab): void {
  const detach = bridge.attach({
    name: 'mount',
    apply() {
      detach()
      mount()
    },
  })
}
