import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Fault } from './faults.ts'
import type { Failure } from './report.ts'

const run = promisify(execFile)

const fileHere = (name: string): string => `${import.meta.dirname}/${name}`

/** Runs schedules in a process with a seeded fault; resolves with the failure, or with `null` when nothing catches it. */
export async function seedFault(
  { name }: Fault,
  seed: number,
  runs: number,
): Promise<Failure | null> {
  const { stdout } = await run(
    process.execPath,
    [
      '--conditions=@token-bridge/source',
      `--import=${fileHere('fault-loader.ts')}`,
      fileHere('run-fault.ts'),
      `${seed}`,
      `${runs}`,
    ],
    { env: { ...process.env, SIMULATED_FAULT: name } },
  )
  return JSON.parse(stdout) as Failure | null
}
