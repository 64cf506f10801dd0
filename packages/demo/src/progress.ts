/** Says on the terminal what is being done and how long it took. */
export interface Progress {
  say(line: string): void
  step<T>(what: string, how: string, work: () => Promise<T>): Promise<T>
}

export function createProgress(quiet: boolean): Progress {
  const say = (line: string): void => {
    if (!quiet) process.stdout.write(`${line}\n`)
  }
  return Object.freeze<Progress>({
    say,
    async step(what, how, work) {
      const started = performance.now()
      say(`  building ${what.padEnd(10)} ${how.padEnd(8)} …`)
      const result = await work()
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      say(`  built    ${what.padEnd(10)} ${how.padEnd(8)} ${seconds.padStart(5)} s`)
      return result
    },
  })
}
