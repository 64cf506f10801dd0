import * as fc from 'fast-check'
import {
  mountAtNextEvent,
  rotate,
  signIn,
  signOut,
  subscribe,
  use,
  type OnToken,
} from './actions.ts'
import * as act from './machine-actions.ts'
import type { ServerFault } from './auth-server.ts'
import { networks } from './settings.ts'
import type { Tab, TabState } from './tab.ts'
import { disturb, type World } from './world.ts'

/** What a schedule knows of the world without looking: which commands make sense. */
export interface Model {
  readonly tabs: TabState[]
  isOnline: boolean
  flag: boolean
}

export type Command = fc.AsyncCommand<Model, World>

/** The most tabs that are ever opened in a world. */
const MOST_TABS = 6

interface Step {
  readonly name: string
  readonly check?: (model: Model) => boolean
  readonly run: (world: World, model: Model) => void | Promise<void>
}

function command({ name, check = () => true, run }: Step): Command {
  return {
    check,
    async run(model, world) {
      world.log(() => `> ${name}`)
      await run(world, model)
      await world.settle()
    },
    toString: () => name,
  }
}

const always = (step: Step): fc.Arbitrary<Command> => fc.constant(command(step))

const tabNumbers = fc.nat(MOST_TABS - 1)

/** A command for a tab in a certain state, which it may change. */
function forTab<Detail>(
  name: string,
  details: fc.Arbitrary<Detail>,
  run: (world: World, tab: Tab, detail: Detail) => void | Promise<unknown>,
  { from = 'open', to = from }: { readonly from?: TabState; readonly to?: TabState } = {},
): fc.Arbitrary<Command> {
  return fc.tuple(tabNumbers, details).map(([number, detail]) =>
    command({
      name: `tab ${number}: ${name}${detail === null ? '' : ` ${String(detail)}`}`,
      check: ({ tabs }) => tabs[number] === from,
      run(world, model) {
        model.tabs[number] = to
        void run(world, world.tabs[number] as Tab, detail)
      },
    }),
  )
}

const nothing = fc.constant(null)

/** The worst moment to be frozen: the tab has its turn, and the others wait. */
const freezesWhenItAsks = tabNumbers.map((number) =>
  command({
    name: `tab ${number}: freezes when it next asks`,
    check: ({ tabs }) => tabs[number] === 'open',
    run(world, model) {
      const tab = world.tabs[number] as Tab
      tab.onQuestion = () => {
        if (world.isEnding || tab.state !== 'open') return
        model.tabs[number] = 'frozen'
        act.freeze(world, tab)
      }
    },
  }),
)

const spans = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 3, arbitrary: fc.integer({ min: 300, max: 15_000 }) },
  { weight: 3, arbitrary: fc.integer({ min: 15_000, max: 150_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 150_000, max: 500_000 }) },
)

const time = spans.map((span) =>
  command({ name: `${span} ms pass`, run: (world) => world.advance(span) }),
)

const faults: fc.Arbitrary<ServerFault | null> = fc.oneof(
  fc.constant(null),
  fc.record(
    {
      kind: fc.constant('status' as const),
      status: fc.constantFrom(500, 503, 429, 403, 302),
      retryAfter: fc.constantFrom(1, 20, 100),
    },
    { requiredKeys: ['kind', 'status'] },
  ),
  fc.record({ kind: fc.constantFrom('html' as const, 'garbage' as const, 'empty-token' as const) }),
)

const session: readonly fc.Arbitrary<Command>[] = [
  forTab('signs in', fc.constantFrom('put' as const, 'rotate' as const), signIn),
  forTab(
    'signs out',
    fc.constantFrom('server-first' as const, 'at-once' as const, 'page-only' as const),
    signOut,
  ),
  forTab('host rotates', nothing, rotate),
  always({
    name: 'the session is ended elsewhere',
    run: ({ server, browser }) => server.end(browser.cookie),
  }),
]

const remotes: readonly fc.Arbitrary<Command>[] = [
  forTab(
    'remote uses',
    fc.constantFrom(
      'fetch' as const,
      'ready' as const,
      'elsewhere' as const,
      'refused' as const,
      'hostile' as const,
    ),
    (_, tab, how) => use(tab, how),
  ),
  forTab(
    'remote subscribes, then',
    fc.constantFrom<OnToken>('nothing', 'throw', 'subscribe', 'rotate', 'sign-out', 'leave'),
    subscribe,
  ),
  forTab('host mounts a remote at the next event', nothing, (_, tab) => mountAtNextEvent(tab)),
]

const pages: readonly fc.Arbitrary<Command>[] = [
  forTab('freezes', nothing, act.freeze, { to: 'frozen' }),
  freezesWhenItAsks,
  forTab('thaws', nothing, act.thaw, { from: 'frozen', to: 'open' }),
  forTab('is left', nothing, act.leavePage, { to: 'cached' }),
  forTab('is come back to', nothing, act.comeBack, { from: 'cached', to: 'open' }),
  forTab('is hidden', nothing, act.hide),
  forTab('is shown', nothing, act.show),
  forTab('closes', nothing, act.close, { to: 'closed' }),
  always({
    name: 'a tab opens',
    check: ({ tabs }) => tabs.length < MOST_TABS,
    run(world, model) {
      model.tabs.push('open')
      world.open()
    },
  }),
]

const machine: readonly fc.Arbitrary<Command>[] = [
  fc.integer({ min: -7_200_000, max: 7_200_000 }).map((by) =>
    command({
      name: `the clock is set by ${by} ms`,
      run: (world) => act.setClock(world, by),
    }),
  ),
  fc
    .integer({ min: 1_000, max: 8 * 3_600_000 })
    .map((span) => command({ name: `sleeps ${span} ms`, run: (world) => act.sleep(world, span) })),
  always({
    name: 'offline',
    check: ({ isOnline }) => isOnline,
    run(world, model) {
      model.isOnline = false
      act.goOffline(world)
    },
  }),
  always({
    name: 'online',
    check: ({ isOnline }) => !isOnline,
    run(world, model) {
      model.isOnline = true
      act.goOnline(world)
    },
  }),
]

const servers: readonly fc.Arbitrary<Command>[] = [
  networks.map((conditions) =>
    command({
      name: `network ${JSON.stringify(conditions)}`,
      run: (world) => act.setNetwork(world, conditions),
    }),
  ),
  faults.map((fault) =>
    command({
      name: `server ${JSON.stringify(fault)}`,
      run(world) {
        disturb(world)
        world.server.fault = fault
      },
    }),
  ),
  fc.constantFrom('up' as const, 'slow' as const, 'down' as const).map((state) =>
    command({
      name: `provider ${state}`,
      run(world) {
        disturb(world)
        world.provider.state = state
      },
    }),
  ),
  fc.boolean().map((refusesAll) =>
    command({
      name: refusesAll ? 'the API refuses all' : 'the API is well',
      run(world) {
        world.api.refusesAll = refusesAll
      },
    }),
  ),
  always({
    name: 'the kill switch is thrown',
    run(world, model) {
      model.flag = !model.flag
      act.setFlag(world, model.flag)
    },
  }),
]

/** Time passes about every other command: the others meet what is under way. */
const everything = [...session, ...remotes, ...pages, ...machine, ...servers]
const passing = Array.from({ length: Math.round(everything.length * 0.7) }, () => time)

export function schedules(replayPath?: string): fc.Arbitrary<Iterable<Command>> {
  return fc.commands<Model, World, false>([...everything, ...passing], {
    maxCommands: 40,
    size: 'max',
    ...(replayPath !== undefined && { replayPath }),
  })
}
