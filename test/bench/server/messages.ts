import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Where sessions are kept, and whether values are sealed on their way there. */
export interface StoreChoice {
  readonly kind: 'memory' | 'sqlite' | 'redis'
  readonly isSealed: boolean
  /** Path of the file, or address of the server. */
  readonly location: string
}

/** What the server under load is made of. */
export interface ServerSetup {
  readonly store: StoreChoice
  readonly issuer: string
}

/** Microseconds of processor time, and bytes, since the process began. */
export interface Usage {
  readonly processor: number
  readonly heap: number
}

/** What the bench asks its processes, and what each answers. */
export interface Answers {
  /** Opens sessions; answers their ids. Expired: their access token has to be refreshed first. */
  fill: { readonly question: { count: number; isExpired: boolean }; readonly answer: string[] }
  /** Exact: what is no longer used does not count. */
  usage: { readonly question: { isExact: boolean }; readonly answer: Usage }
  /** How many requests the provider had at once at most, and how many refresh tokens came once, and more than once. */
  refreshes: {
    readonly question: null
    readonly answer: { readonly mostAtOnce: number; readonly once: number; readonly reused: number }
  }
}

export type Question = {
  [Name in keyof Answers]: { readonly name: Name; readonly question: Answers[Name]['question'] }
}[keyof Answers]

/** A process of the bench. */
export interface Process extends AsyncDisposable {
  readonly port: number
  ask<Name extends keyof Answers>(
    name: Name,
    question: Answers[Name]['question'],
  ): Promise<Answers[Name]['answer']>
}

/** Starts a module of this folder in a process of its own; it says its port when it is ready. */
export async function start(module: string, setup: ServerSetup | null): Promise<Process> {
  const child: ChildProcess = fork(
    fileURLToPath(new URL(module, import.meta.url)),
    [JSON.stringify(setup)],
    {
      execArgv: [
        '--conditions=@token-bridge/source',
        '--expose-gc',
        '--disable-warning=ExperimentalWarning',
      ],
      serialization: 'advanced',
    },
  )
  const exit = once(child, 'exit')
  /** What the process says next. One that ended says nothing more. */
  const next = async (): Promise<unknown> => {
    const ended = exit.then(([code]) => {
      throw new Error(`${module} ended: ${String(code)}`)
    })
    const [answer] = (await Promise.race([once(child, 'message'), ended])) as [unknown]
    return answer
  }
  const port = (await next()) as number
  return {
    port,
    async ask(name, question) {
      const answer = next()
      child.send({ name, question })
      return (await answer) as Answers[typeof name]['answer']
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exit
    },
  }
}

/** The other end: answers in a process that was started. */
export function serve(
  port: number,
  answer: (question: Question) => Promise<Answers[keyof Answers]['answer']>,
): void {
  process.on('message', (question: Question) => {
    void answer(question).then((value) => process.send?.(value))
  })
  // A bench that was broken off leaves nobody behind.
  process.on('disconnect', () => process.exit())
  process.send?.(port)
}
