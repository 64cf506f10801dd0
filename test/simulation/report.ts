import * as fc from 'fast-check'
import type { Violation } from './properties/property.ts'
import { simulation } from './simulate.ts'

/** Names one schedule: with these the same things happen again, step by step. */
export interface Replay {
  readonly seed: number
  readonly path: string
  /** Which of the commands ran; fast-check needs it for schedules that it has shortened. */
  readonly replayPath?: string
}

/** A schedule that violates a property. */
export interface Failure {
  readonly property: string
  readonly message: string
  readonly replay: Replay
  /** How many schedules it took to find it. */
  readonly schedules: number
}

/**
 * Runs schedules until one violates a property; resolves with `null` when none does.
 *
 * @param options - `isShort`: the failure is worth the time that it takes to make its schedule short. Default true.
 */
export async function findFailure(
  seed: number,
  runs: number,
  { isShort = true }: { readonly isShort?: boolean } = {},
): Promise<Failure | null> {
  const details = await fc.check(simulation(), { seed, numRuns: runs, endOnFailure: !isShort })
  if (!details.failed) return null
  const { errorInstance, counterexample, counterexamplePath: path } = details
  if (path === null) throw errorInstance
  const replayPath = /replayPath="([^"]*)"/.exec(fc.stringify(counterexample))?.[1]
  const { message, property = 'noCrash' } = errorInstance as Partial<Violation> & Error
  return {
    property,
    message,
    replay: { seed, path, ...(replayPath !== undefined && { replayPath }) },
    schedules: details.numRuns,
  }
}

/** Runs one schedule again. Resolves with what goes wrong, if anything, and with what happens before it, line by line. */
export async function replay({ seed, path, replayPath }: Replay): Promise<{
  readonly message: string | null
  readonly trace: readonly string[]
}> {
  const trace: string[] = []
  const details = await fc.check(
    simulation({
      trace: (at, line) => trace.push(`${(at / 1000).toFixed(3).padStart(12)}  ${line}`),
      ...(replayPath !== undefined && { replayPath }),
    }),
    { seed, path, numRuns: 1, endOnFailure: true },
  )
  return { message: details.failed ? (details.errorInstance as Error).message : null, trace }
}

/** The failure for people: what, how to see it again, and everything that led to it. */
export async function explain(failure: Failure): Promise<string> {
  const { seed, path, replayPath } = failure.replay
  const { trace } = await replay(failure.replay)
  const again = [
    `npm run simulate -- --seed ${seed} --path ${path}`,
    ...(replayPath === undefined ? [] : [`--replay-path '${replayPath}'`]),
  ].join(' ')
  return [`${failure.message}\n`, 'Run it again with:', `  ${again}\n`, ...trace].join('\n')
}
