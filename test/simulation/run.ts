/**
 * `npm run simulate`: random schedules of tabs, networks and clocks against the real bridge.
 *
 *     npm run simulate -- --runs 100000 --seed 1     as many schedules, the same ones each time
 *     npm run simulate -- --seed 7 --path 12:0:3     one schedule again, with its trace
 */
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { explain, findFailure, replay, type Failure } from './report.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    path: { type: 'string' },
    'replay-path': { type: 'string' },
    workers: { type: 'string', default: String(Math.min(4, availableParallelism())) },
    // Set by the run itself: the number of this worker.
    worker: { type: 'string' },
  },
})
const runs = Number(values.runs)
const seed = Number(values.seed)
const workers = Number(values.workers)

/** Schedules for one call of fast-check; each call has a seed of its own. */
const CHUNK = 500

interface Progress {
  readonly schedules: number
  readonly failure: Failure | null
}

if (values.worker !== undefined) await runShare(Number(values.worker))
else if (values.path !== undefined) await runAgain(values.path, values['replay-path'])
else await runAll()

/** In a worker: every so many-th chunk, until a property is violated. */
async function runShare(worker: number): Promise<void> {
  for (let chunk = worker; chunk * CHUNK < runs; chunk += workers) {
    const schedules = Math.min(CHUNK, runs - chunk * CHUNK)
    const failure = await findFailure(seed + chunk, schedules)
    process.send?.({ schedules, failure } satisfies Progress)
    if (failure !== null) break
  }
  process.disconnect()
}

async function runAgain(path: string, replayPath: string | undefined): Promise<void> {
  const { message, trace } = await replay({
    seed,
    path,
    ...(replayPath !== undefined && { replayPath }),
  })
  for (const line of trace) console.log(line)
  console.log(message ?? 'No property was violated.')
  process.exitCode = message === null ? 0 : 1
}

async function runAll(): Promise<void> {
  console.log(`${runs} schedules from seed ${seed}, ${workers} at a time …`)
  const started = performance.now()
  let told = started
  let done = 0
  const count = ({ schedules }: Progress): void => {
    done += schedules
    if (performance.now() - told < 10_000) return
    told = performance.now()
    console.log(`${done} schedules, ${Math.round((done / (told - started)) * 1000)} per second`)
  }
  const failure = await runWorkers(count)
  if (failure !== null) {
    console.error(await explain(failure))
    process.exitCode = 1
    return
  }
  const seconds = (performance.now() - started) / 1000
  console.log(
    `${done} schedules in ${Math.round(seconds)} s (${Math.round(done / seconds)} per second): no property was violated.`,
  )
}

/** Resolves with the first failure, or with `null` when all workers have come to their end. */
async function runWorkers(onProgress: (progress: Progress) => void): Promise<Failure | null> {
  const children = Array.from({ length: workers }, (_, worker) =>
    fork(import.meta.filename, [
      `--runs=${runs}`,
      `--seed=${seed}`,
      `--workers=${workers}`,
      `--worker=${worker}`,
    ]),
  )
  try {
    return await new Promise<Failure | null>((resolve, reject) => {
      let running = workers
      for (const child of children) {
        child.on('message', (progress: Progress) => {
          onProgress(progress)
          if (progress.failure !== null) resolve(progress.failure)
        })
        child.on('exit', (code, signal) => {
          running -= 1
          if (code !== 0) reject(new Error(`A worker has ended with ${code ?? signal}.`))
          else if (running === 0) resolve(null)
        })
      }
    })
  } finally {
    for (const child of children) child.kill()
  }
}
