/** One thing to time. `run` does the work once, or `batch` times when it says so. */
export interface Work {
  readonly name: string
  readonly run: () => unknown
}

/** Nanoseconds for one call: the median of many short rounds, so that a pause of the machine does not count. */
export function nanosecondsPerCall({ run }: Work, rounds = 60, roundLength = 5): number {
  let calls = 1
  for (;;) {
    const started = performance.now()
    for (let call = 0; call < calls; call += 1) run()
    if (performance.now() - started > roundLength) break
    calls *= 2
  }
  const samples = Array.from({ length: rounds }, () => {
    const started = performance.now()
    for (let call = 0; call < calls; call += 1) run()
    return ((performance.now() - started) * 1e6) / calls
  })
  return median(samples)
}

/** The same for work that returns a promise. */
export async function nanosecondsPerAwait(
  { run }: Work,
  rounds = 60,
  calls = 500,
): Promise<number> {
  const samples: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now()
    for (let call = 0; call < calls; call += 1) await run()
    samples.push(((performance.now() - started) * 1e6) / calls)
  }
  return median(samples)
}

/** Bytes that one call leaves on the heap; needs `--expose-gc`. */
export function bytesPerCall({ run }: Work, calls = 200_000): number {
  const collect = (globalThis as { gc?: () => void }).gc
  if (collect === undefined) throw new Error('Run with --expose-gc.')
  run()
  collect()
  const before = process.memoryUsage().heapUsed
  for (let call = 0; call < calls; call += 1) run()
  return Math.max(0, (process.memoryUsage().heapUsed - before) / calls)
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number
