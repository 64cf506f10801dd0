import * as fc from 'fast-check'
import { schedules, type Command, type Model } from './commands.ts'
import { ending } from './ending.ts'
import { ALL_PROPERTIES } from './properties/all-properties.ts'
import { createCheck, violation } from './properties/property.ts'
import { worlds, type WorldSettings } from './settings.ts'
import { START, createWorld, type World } from './world.ts'

/** Takes a line of what happens, with the milliseconds since the start of the simulated world. */
export type Trace = (at: number, line: string) => void

/** Runs one schedule in one world. Rejects with a violation of the first property that does not hold. */
export async function simulate(
  settings: WorldSettings,
  commands: Iterable<Command>,
  trace?: Trace,
): Promise<void> {
  const rejections: unknown[] = []
  const onRejection = (reason: unknown): void => void rejections.push(reason)
  process.on('unhandledRejection', onRejection)
  try {
    const world = createSimulatedWorld(settings, rejections, trace)
    world.log(() => `the world is ${JSON.stringify(settings)}`)
    await begin(world)
    const model: Model = { tabs: world.tabs.map(() => 'open'), isOnline: true, flag: true }
    await fc.asyncModelRun(() => ({ model, real: world }), commands)
    await ending(world)
    release(world)
  } finally {
    process.off('unhandledRejection', onRejection)
  }
}

/** Ends what is under way in tabs that were closed: Node keeps a signal that somebody listens to for as long as the process lives. */
function release({ tabs }: World): void {
  for (const { bridge } of tabs) {
    void bridge.reset('sign-out').catch(() => {})
    bridge.stop()
  }
}

function createSimulatedWorld(
  settings: WorldSettings,
  rejections: readonly unknown[],
  trace: Trace | undefined,
): World {
  let check = (): void => {}
  const world = createWorld(
    settings,
    () => {
      check()
      if (rejections.length > 0) throw violation('noRejections', String(rejections[0]))
    },
    (line) => trace?.(world.timeline.now - START, line()),
  )
  check = createCheck(world, ALL_PROPERTIES)
  return world
}

async function begin(world: World): Promise<void> {
  const { settings, server, browser } = world
  if (settings.isSignedIn) {
    const answer = await server.handle({
      path: '/api/auth/login',
      cookie: null,
      body: null,
      authorization: null,
    })
    browser.cookie = answer.cookie ?? null
  }
  for (let count = 0; count < settings.tabs; count += 1) world.open()
  await world.settle()
}

/** What fast-check runs: any world, any schedule. */
export function simulation(
  options: { readonly trace?: Trace; readonly replayPath?: string } = {},
): fc.IAsyncPropertyWithHooks<[WorldSettings, Iterable<Command>]> {
  return fc.asyncProperty(worlds, schedules(options.replayPath), (settings, commands) =>
    simulate(settings, commands, options.trace),
  )
}
