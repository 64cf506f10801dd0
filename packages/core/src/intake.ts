import type { Clock, ClockMark } from './clock.ts'
import type { TokenVerifier } from './config.ts'
import type { Environment } from './environment.ts'
import type { TokenRequest, TokenSource } from './source.ts'
import { assertUsable } from './token.ts'
import type { TokenPayload } from './wire.ts'

/** A payload that may enter the vault, and the moment at which it was asked for. */
export interface Answer {
  readonly payload: TokenPayload
  readonly sent: ClockMark
  /** Its server time may set the clock. */
  readonly setsClock: boolean
}

/** The way in: every payload passes here before it may enter the vault. */
export interface Intake {
  /** How many questions are being answered, and how many were asked while another one was. */
  readonly duplicateCalls: number
  /** Asks a source; resolves with `null` when nobody is signed in. Rejects with a typed error for what may not enter. */
  ask(source: TokenSource, question: Omit<TokenRequest, 'fetch'>): Promise<Answer | null>
  /** Looks at a payload that the host brings. @throws TokenRejectedError. */
  check(payload: TokenPayload): Answer
  /** Asks the verifier, then looks at the payload again: it may have ended meanwhile. */
  verify(answer: Answer, signal: AbortSignal): Promise<void>
}

export function createIntake(options: {
  readonly clock: Clock
  readonly skewBuffer: number
  readonly verify: TokenVerifier | undefined
  readonly environment: Pick<Environment, 'fetch'>
}): Intake {
  const { clock, skewBuffer, environment } = options
  let underWay = 0
  let duplicateCalls = 0

  /** Server time, as it would be if the answer were let in. */
  const timeBy = ({ payload, sent, setsClock }: Answer): number =>
    setsClock ? clock.candidate(payload?.serverTime, sent) : clock.now()
  const look = (answer: Answer): void => assertUsable(answer.payload, timeBy(answer), skewBuffer)

  async function fetchPayload(source: TokenSource, question: Omit<TokenRequest, 'fetch'>) {
    underWay += 1
    if (underWay > 1) duplicateCalls += 1
    try {
      return await source({ ...question, fetch: environment.fetch })
    } finally {
      underWay -= 1
    }
  }

  async function verify(answer: Answer, signal: AbortSignal): Promise<void> {
    if (options.verify === undefined) return
    await options.verify(answer.payload, { signal, now: timeBy(answer) })
    look(answer)
  }

  return {
    get duplicateCalls() {
      return duplicateCalls
    },
    async ask(source, question) {
      const sent = clock.mark()
      const payload = await fetchPayload(source, question)
      question.signal.throwIfAborted()
      if (payload === null) return null
      const answer: Answer = { payload, sent, setsClock: true }
      look(answer)
      await verify(answer, question.signal)
      return answer
    },
    check(payload) {
      const sent = clock.mark()
      // The payload may come from a cache: its server time can only set the clock forward.
      const serverTime = payload?.serverTime
      const setsClock = serverTime === undefined || clock.candidate(serverTime, sent) > clock.now()
      const answer: Answer = { payload, sent, setsClock }
      look(answer)
      return answer
    },
    verify,
  }
}
