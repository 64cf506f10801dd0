import type { NetworkConditions } from './network.ts'
import type { Tab } from './tab.ts'
import { disturb, type World } from './world.ts'

const isOpen = ({ state }: Tab): boolean => state === 'open'

/** Someone, or a time service, sets the machine's clock. */
export function setClock(world: World, by: number): void {
  disturb(world)
  world.machine.moveWallClock(by)
}

/** The browser freezes a tab in the background: nothing runs in it, and what comes for it waits. */
export function freeze(world: World, tab: Tab): void {
  disturb(world)
  tab.state = 'frozen'
  stopRunning(tab)
}

export function thaw(world: World, tab: Tab): void {
  disturb(world)
  tab.state = 'open'
  run(world, tab)
  tab.document.fire('resume')
}

/** The user leaves the page, and the browser keeps it for the way back. */
export function leavePage(world: World, tab: Tab): void {
  disturb(world)
  tab.window.fire('pagehide', { persisted: true })
  tab.state = 'cached'
  stopRunning(tab)
}

/** The user comes back to the page. What a remote can read before anything else happens is noted. */
export function comeBack(world: World, tab: Tab): void {
  disturb(world)
  tab.state = 'open'
  tab.facts.restores.push(world.timeline.now)
  tab.window.fire('pageshow', { persisted: true })
  tab.facts.heldAtRestore = tab.remote.current()
  run(world, tab)
}

export function hide(world: World, { loop, document }: Tab): void {
  disturb(world)
  loop.isHidden = true
  document.fire('visibilitychange')
}

export function show(world: World, { loop, document, window }: Tab): void {
  disturb(world)
  loop.show()
  document.fire('visibilitychange')
  window.fire('focus')
}

/** The lid is closed for a while. Connections do not survive it. */
export async function sleep(world: World, span: number): Promise<void> {
  const { machine, tabs, network } = world
  disturb(world)
  machine.sleep()
  network.cut()
  for (const tab of tabs.filter(isOpen)) stopRunning(tab)
  await world.advance(span)
  disturb(world)
  machine.wake()
  for (const tab of tabs.filter(isOpen)) run(world, tab)
}

export function goOffline(world: World): void {
  disturb(world)
  world.machine.isOnline = false
  world.network.cut()
  for (const { loop, window } of world.tabs) loop.post(0, () => window.fire('offline'))
}

export function goOnline(world: World): void {
  disturb(world)
  world.machine.isOnline = true
  for (const { loop, window } of world.tabs) loop.post(0, () => window.fire('online'))
}

export function setNetwork(world: World, conditions: NetworkConditions): void {
  disturb(world)
  world.network.conditions = conditions
}

/** The tab is gone, as when the browser kills its process; nobody calls `stop()`. */
export function close(world: World, tab: Tab): void {
  disturb(world)
  tab.state = 'closed'
  tab.loop.close()
  tab.origin.close()
}

/** The kill switch is thrown, in all tabs at once as far as they run. */
export function setFlag(world: World, enabled: boolean): void {
  disturb(world)
  world.flag = enabled
  for (const tab of world.tabs) tab.loop.post(0, () => tab.setFlag(enabled))
}

function stopRunning({ loop, origin }: Tab): void {
  loop.suspend()
  origin.freeze()
}

function run({ timeline }: World, { loop, origin, facts }: Tab): void {
  facts.resumedAt = timeline.now
  loop.resume()
  origin.thaw()
}
