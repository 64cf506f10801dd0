import type { Tab } from '../tab.ts'
import type { World } from '../world.ts'
import { unread } from './property.ts'

/** Every token of the simulated world has one of these beginnings. */
const SECRET = /(access|legacy|refresh)\.\d/

/** Nothing that leaves a tab by another way than a reader holds a token: events, snapshots, log lines, signals to other tabs. */
export function secretsStayIn(world: World): () => string | null {
  const newEvents = unread<Tab['facts']['events'][number]>()
  const newLines = unread<string>()
  const newSignals = unread<unknown>()
  return () => {
    for (const signal of newSignals(world.origin.posted))
      if (SECRET.test(JSON.stringify(signal))) return 'a signal to other tabs holds a token'
    for (const { number, facts, bridge } of world.tabs) {
      const events = newEvents(facts.events)
      if (events.length > 0 && SECRET.test(JSON.stringify([events, bridge.snapshot])))
        return `an event of tab ${number} holds a token`
      for (const line of newLines(facts.lines))
        if (SECRET.test(line)) return `a log line of tab ${number} holds a token`
    }
    return null
  }
}

/** What a subscriber of ours throws on purpose. */
export const PLANNED_FAULT = 'planned'

/** Nothing throws that was not meant to. */
export function noFaults(world: World): () => string | null {
  const newFaults = unread<unknown>()
  return () => {
    for (const { number, facts } of world.tabs) {
      for (const fault of newFaults(facts.faults))
        if ((fault as Error).message !== PLANNED_FAULT)
          return `tab ${number} reports a fault: ${String(fault)}`
    }
    return null
  }
}
