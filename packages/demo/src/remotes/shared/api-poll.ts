import type { TokenReader } from '@token-bridge/core'
import { isAuthError } from '@token-bridge/core/errors'

/** One answer of the API, as a remote shows it. */
export interface Answer {
  readonly id: number
  /** Epoch milliseconds. */
  readonly at: number
  /** The HTTP status, or the code of the error in its place. */
  readonly status: string
  readonly ok: boolean
}

export interface PollState<Data> {
  readonly data: Data | null
  /** Newest first. */
  readonly answers: readonly Answer[]
  /** Answers since the session began. */
  readonly count: number
}

export interface ApiPoll<Data> {
  readonly state: () => PollState<Data>
  readonly subscribe: (listener: () => void) => () => void
  readonly call: () => Promise<void>
  readonly stop: () => void
}

const EVERY = 4_000
const KEPT = 10

/** Calls the API every few seconds while there is a token, and forgets everything when there is none. */
export function createApiPoll<Data>(auth: TokenReader, url: string): ApiPoll<Data> {
  const empty: PollState<Data> = { data: null, answers: [], count: 0 }
  const listeners = new Set<() => void>()
  let state = empty
  let timer: ReturnType<typeof setInterval> | undefined
  let calls = 0

  const become = (next: PollState<Data>): void => {
    state = next
    for (const listener of listeners) listener()
  }
  const isOpen = (): boolean => auth.snapshot().expiresAt !== null

  async function call(): Promise<void> {
    const id = ++calls
    let data = state.data
    let status: string
    let ok = false
    try {
      const response = await auth.fetch(url)
      ;({ ok } = response)
      status = String(response.status)
      if (ok) data = (await response.json()) as Data
    } catch (error) {
      status = isAuthError(error) ? error.code : 'network error'
    }
    if (timer === undefined) return
    const answer: Answer = { id, at: Date.now(), status, ok }
    become({
      data,
      answers: [answer, ...state.answers].slice(0, KEPT),
      count: state.count + 1,
    })
  }

  function follow(): void {
    if (isOpen() && timer === undefined) {
      timer = setInterval(() => void call(), EVERY)
      void call()
    } else if (!isOpen() && timer !== undefined) {
      clearInterval(timer)
      timer = undefined
      if (auth.snapshot().status === 'signed-out') become(empty)
    }
  }

  const unsubscribe = auth.subscribe(follow)
  follow()

  return Object.freeze<ApiPoll<Data>>({
    state: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    call,
    stop() {
      unsubscribe()
      clearInterval(timer)
      timer = undefined
      listeners.clear()
    },
  })
}
