import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ready } from './messages.ts'

/** Compiled code, so that starting the next replica costs half. */
const compileCache = join(tmpdir(), 'token-bridge-replicas')

/** A process of the run. */
export interface Child<Message> {
  readonly url: string
  readonly process: ChildProcess
  onMessage(listener: (message: Message) => void): void
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

/** Starts a file of this folder and resolves when it is ready. */
export async function startChild<Message extends { readonly type: string }>(
  file: 'provider.ts' | 'replica.ts',
  settings: object,
): Promise<Child<Message>> {
  const child = fork(`${import.meta.dirname}/${file}`, [JSON.stringify(settings)], {
    // Whatever runs the run: the sources of the packages, unless it is to be their build.
    execArgv: process.env['TEST_DIST'] ? [] : ['--conditions=@token-bridge/source'],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const exit = once(child, 'exit')
  child.stderr?.on('data', (text: Buffer) => {
    // It is no production, which the provider says at each start.
    if (!String(text).startsWith('oidc-provider ')) process.stderr.write(text)
  })
  const port = await new Promise<number>((resolve, reject) => {
    child.on('message', (message: Ready | Message) => {
      if (message.type === 'ready') resolve((message as Ready).port)
    })
    child.on('exit', (code) => reject(new Error(`${file} has ended with ${code}.`)))
  })
  return {
    url: `http://127.0.0.1:${port}`,
    process: child,
    onMessage: (listener) => void child.on('message', listener),
    async kill() {
      child.kill('SIGKILL')
      await exit
    },
  }
}
