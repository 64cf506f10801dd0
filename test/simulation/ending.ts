import { goOnline, setNetwork, show, thaw, comeBack } from './machine-actions.ts'
import { GOOD_NETWORK } from './network.ts'
import { rotate } from './actions.ts'
import { RECOVERY } from './properties/liveness.ts'
import { violation } from './properties/property.ts'
import { SHORTEST_LIFETIME } from './settings.ts'
import type { Tab } from './tab.ts'
import type { World } from './world.ts'

/** Longer than one call may take with its retries. */
const SIGN_IN = 15_000

/** Ends all faults, and demands that everything comes right by itself; then that nothing is left. */
export async function ending(world: World): Promise<void> {
  heal(world)
  await world.settle()
  await world.advance(RECOVERY + 1)
  judgeRecovery(world)
  await judgeSignIn(world)
  await judgeResidue(world)
}

function heal(world: World): void {
  world.log(() => '> all faults end')
  world.isEnding = true
  world.server.fault = null
  world.provider.state = 'up'
  world.api.refusesAll = false
  world.channel.loss = 0
  setNetwork(world, GOOD_NETWORK)
  if (!world.machine.isOnline) goOnline(world)
  for (const tab of world.tabs) {
    if (tab.state === 'frozen') thaw(world, tab)
    if (tab.state === 'cached') comeBack(world, tab)
    if (tab.state === 'open') show(world, tab)
    world.flag = true
    tab.loop.post(0, () => tab.setFlag(true))
  }
}

const isOpen = ({ state }: Tab): boolean => state === 'open'

/** With all faults over nobody waits any more. That everybody has a token is checked after every step. */
function judgeRecovery(world: World): void {
  for (const { number, facts } of world.tabs.filter(isOpen)) {
    if (facts.pending > 0)
      throw violation('everythingSettles', `${facts.pending} of tab ${number} still wait`)
  }
}

/** Whoever was signed out can sign in. */
async function judgeSignIn(world: World): Promise<void> {
  const { server, browser, settings } = world
  if (server.sessionOf(browser.cookie) === null || settings.lifetime === SHORTEST_LIFETIME) return
  const signedOut = world.tabs.filter(
    ({ state, bridge }) => state === 'open' && bridge.snapshot.status === 'signed-out',
  )
  for (const tab of signedOut) void rotate(world, tab)
  await world.advance(SIGN_IN)
  for (const { number, remote } of signedOut)
    if (remote.current() === null)
      throw violation('canSignIn', `tab ${number} has no token after the sign-in`)
}

/** After `stop()` nothing is left: no timer, no listener, no channel, no lock. */
async function judgeResidue(world: World): Promise<void> {
  for (const { bridge } of world.tabs.filter(isOpen)) bridge.stop()
  await world.settle()
  await world.advance(1_000)
  for (const { number, loop, window, document } of world.tabs.filter(isOpen)) {
    const left = { timers: loop.timers, listeners: window.listeners + document.listeners }
    if (left.timers + left.listeners > 0)
      throw violation('nothingLeft', `tab ${number} keeps ${JSON.stringify(left)}`)
  }
  const census = world.origin.census()
  if (Object.values(census).some((count) => count > 0))
    throw violation('nothingLeft', `the tabs keep ${JSON.stringify(census)}`)
}
