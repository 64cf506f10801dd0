import { AuthError } from './errors.ts'
import type { ReaderHandle, ReaderOptions, TokenReader } from './reader.ts'

/** The readers of a host's remotes, by name. */
export interface Readers {
  /** The remote's reader; the same one until it is revoked. @throws AuthError `ERR_CONFIG`. */
  get(remote: string, options?: ReaderOptions): TokenReader
  /** Revokes a remote's reader and tells whether it had one. The name is free again. */
  revoke(remote: string): boolean
  /** How many are told of a new token. */
  readonly subscribers: number
}

/** On one line, and not blank: the name stands in messages and in the log. */
const NAME = /^[^\s\p{Cc}]([^\p{Cc}]*[^\s\p{Cc}])?$/u

export function createReaders(
  create: (remote: string, access: 'token' | 'fetch') => ReaderHandle,
): Readers {
  const handles = new Map<string, ReaderHandle>()
  return {
    get(remote, { access = 'token' } = {}) {
      assertName(remote)
      if (access !== 'token' && access !== 'fetch')
        throw misused("bridge.reader(remote, { access }): access must be 'token' or 'fetch'.")
      let handle = handles.get(remote)
      if (handle === undefined) {
        handle = create(remote, access)
        handles.set(remote, handle)
      }
      if (handle.access === access) return handle.reader
      throw misused(
        `Remote "${remote}" already has a reader with access: '${handle.access}'. Revoke it first, or use another name.`,
      )
    },
    revoke(remote) {
      const handle = handles.get(remote)
      handles.delete(remote)
      handle?.revoke()
      return handle !== undefined
    },
    get subscribers() {
      let count = 0
      for (const handle of handles.values()) count += handle.subscribers
      return count
    },
  }
}

function assertName(remote: unknown): asserts remote is string {
  if (typeof remote === 'string' && NAME.test(remote)) return
  const got = typeof remote === 'string' ? 'one that is not' : `a ${typeof remote}`
  throw misused(
    `bridge.reader(remote): the remote's name must be a string on one line that is not blank, got ${got}.`,
  )
}

const misused = (message: string): AuthError =>
  new AuthError('ERR_CONFIG', message, { phase: 'configure' })
