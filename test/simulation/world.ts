import { fakeOrigin, type FakeOrigin } from '../../packages/core/src/tabs/fake-tabs.test.support.ts'
import { createApiServer, type ApiServer } from './api-server.ts'
import { createAuthServer, type AuthServer } from './auth-server.ts'
import { createMachine, type Machine } from './machine.ts'
import { createNetwork, GOOD_NETWORK, type Network } from './network.ts'
import { createProvider, type Provider } from './provider.ts'
import { createRandom, type Random } from './random.ts'
import type { WorldSettings } from './settings.ts'
import { openTab, type Tab } from './tab.ts'
import { createTimeline, type Timeline } from './timeline.ts'

/** What a sign-out has promised: by then the tabs that could hear of it hold no token of an older session. */
export interface SignOutPromise {
  readonly by: number
  readonly disturbances: number
  readonly tabs: readonly Tab[]
}

/** Everything that is simulated, on one timeline. */
export interface World {
  readonly settings: WorldSettings
  readonly timeline: Timeline
  readonly machine: Machine
  readonly network: Network
  readonly provider: Provider
  readonly server: AuthServer
  readonly api: ApiServer
  readonly origin: FakeOrigin
  /** The browser's cookie jar. */
  readonly browser: { cookie: string | null }
  readonly tabs: Tab[]
  readonly random: Random
  readonly channel: { delay: number; loss: number }
  /** Counts what makes the world less than good: faults and suspensions. */
  disturbances: number
  /** When that was last. */
  disturbedAt: number
  readonly signOuts: SignOutPromise[]
  flag: boolean
  /** The schedule is over: nobody does anything careless any more. */
  isEnding: boolean
  log(line: () => string): void
  open(): Tab
  /** Lets everything that can happen now happen, and checks the properties. */
  settle(): Promise<void>
  /** Lets true time pass, in milliseconds. */
  advance(span: number): Promise<void>
}

/** Where the simulated world's time begins. */
export const START = 1_700_000_000_000

/** @param check - called after each step; throws when a property is violated. */
export function createWorld(
  settings: WorldSettings,
  check: () => void,
  log: (line: () => string) => void,
): World {
  const timeline = createTimeline(START)
  const random = createRandom(settings.seed)
  const machine = createMachine(timeline, settings)
  const provider = createProvider(timeline, random.fork('provider'), settings.lifetime)
  const storage = random.fork('store')
  const server = createAuthServer(timeline, provider, () => storage.between(0, settings.storeDelay))
  const api = createApiServer(timeline, provider)
  const browser = { cookie: null as string | null }
  const channel = { delay: settings.channelDelay, loss: settings.channelLoss }
  const chance = random.fork('channel')
  const tabs: Tab[] = []
  const network = createNetwork(timeline, random.fork('network'), browser, (request) =>
    request.path.startsWith('/api/auth') || request.path === '/legacy/token'
      ? server.handle(request)
      : api.handle(request),
  )
  network.conditions = settings.network
  const origin = fakeOrigin({
    setTimer: (callback, delay) => timeline.after(delay, callback),
    delay: () => chance.between(0, channel.delay),
    isLost: (_, to) => tabs[to]?.state === 'cached' || chance.chance(channel.loss),
    lockDelay: () => chance.between(0, 5),
  })

  const world: World = {
    settings,
    timeline,
    machine,
    network,
    provider,
    server,
    api,
    origin,
    browser,
    tabs,
    random,
    channel,
    disturbances: 0,
    disturbedAt: START,
    signOuts: [],
    flag: true,
    isEnding: false,
    log,
    open() {
      const number = tabs.length
      const tab = openTab(number, {
        timeline,
        machine,
        network,
        log,
        random: random.fork(`tab ${number}`),
        origin: origin.openTab(),
        flag: world.flag,
        settings,
      })
      tabs.push(tab)
      return tab
    },
    async settle() {
      await turn()
      check()
    },
    advance: (span) => timeline.runUntil(timeline.now + span, world.settle),
  }
  return world
}

/** Something gets worse, or better: what was promised of an undisturbed world is off. */
export function disturb(world: World): void {
  world.disturbances += 1
  world.disturbedAt = world.timeline.now
}

/** Whoever asks the server gets an answer soon. */
export function isServing({ network, server, provider, machine }: World): boolean {
  return (
    network.conditions === GOOD_NETWORK &&
    server.fault === null &&
    provider.state === 'up' &&
    machine.isOnline &&
    !machine.isAsleep
  )
}

/** Tabs hear each other. */
export function isConnected({ channel, settings }: World): boolean {
  return settings.hasChannel && channel.loss === 0
}

/** All promises that can settle have settled when the event loop comes round. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve)
  })
