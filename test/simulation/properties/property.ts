import type { World } from '../world.ts'

/**
 * Something that holds of every world at every moment. Made once for a world, so it can remember; what it returns is called
 * after each step and says what is wrong, or `null`. The name of the function is the name of the property.
 */
export type Property = (world: World) => () => string | null

/** What a violated property throws. */
export interface Violation extends Error {
  readonly property: string
}

/** Makes the check of all properties in a world. It throws a {@link Violation}. */
export function createCheck(world: World, properties: readonly Property[]): () => void {
  const checks = properties.map((property) => ({ name: property.name, check: property(world) }))
  return () => {
    for (const { name, check } of checks) {
      const problem = check()
      if (problem !== null) throw violation(name, problem)
    }
    for (const { facts } of world.tabs) if (facts.handedOut.length > 0) facts.handedOut = []
  }
}

export function violation(property: string, problem: string): Violation {
  return Object.assign(new Error(`${property}: ${problem}`), { property })
}

/** A list that is read to its end again and again, each entry once. */
export function unread<T>(): (entries: readonly T[]) => readonly T[] {
  const positions = new WeakMap<readonly T[], number>()
  return (entries) => {
    const position = positions.get(entries) ?? 0
    if (position === entries.length) return EMPTY
    positions.set(entries, entries.length)
    return entries.slice(position)
  }
}

const EMPTY: readonly never[] = []
