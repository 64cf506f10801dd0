import { within } from './abort.ts'
import type { Environment } from './environment.ts'
import type { CleanupStep, ResetReason } from './state.ts'

/** What an app runs when the session ends: clear a query cache, close a socket. */
export type CleanupTask = (reason: ResetReason) => void | Promise<void>

/** What a reset did, in order. */
export interface CleanupReport {
  readonly reason: ResetReason
  readonly steps: readonly CleanupStep[]
}

export interface Cleanup {
  readonly size: number
  register(name: string, task: CleanupTask): () => void
  /**
   * Runs all tasks side by side, each for a bounded time; one that throws does not keep the others from running.
   *
   * @param signal - ends the wait for tasks that are not done yet; they count as `timed-out`.
   */
  run(reason: ResetReason, signal: AbortSignal): Promise<readonly CleanupStep[]>
}

/** How long a reset waits for a task, in milliseconds. */
const TASK_LIMIT = 5_000

/** Runs and records the bridge's own steps of a reset; a step that throws does not keep the next from running. */
export function createSteps({ monotonic, reportFault }: Environment): {
  readonly steps: CleanupStep[]
  step(name: string, work: () => void): void
} {
  const steps: CleanupStep[] = []
  return {
    steps,
    step(name, work) {
      const started = monotonic()
      let outcome: CleanupStep['outcome'] = 'done'
      try {
        work()
      } catch (fault) {
        outcome = 'failed'
        reportFault(fault)
      }
      steps.push({ name, outcome, duration: monotonic() - started })
    },
  }
}

export function createCleanup(environment: Environment): Cleanup {
  const tasks = new Set<{ readonly name: string; readonly task: CleanupTask }>()

  async function runTask(
    name: string,
    task: CleanupTask,
    reason: ResetReason,
    signal: AbortSignal,
  ): Promise<CleanupStep> {
    const started = environment.monotonic()
    const work = (async (): Promise<CleanupStep['outcome']> => {
      try {
        await task(reason)
        return 'done'
      } catch (fault) {
        environment.reportFault(fault)
        return 'failed'
      }
    })()
    const outcome = (await within(work, TASK_LIMIT, signal, environment)) ?? 'timed-out'
    return { name, outcome, duration: environment.monotonic() - started }
  }

  return {
    get size() {
      return tasks.size
    },
    register(name, task) {
      const entry = { name, task }
      tasks.add(entry)
      return () => void tasks.delete(entry)
    },
    run: (reason, signal) =>
      Promise.all([...tasks].map(({ name, task }) => runTask(name, task, reason, signal))),
  }
}
