/** One change of a source text. */
export interface Edit {
  /** Below `packages/`. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
}

/** A mistake that somebody could make, as edits of the source. */
export interface Fault {
  readonly name: string
  /** What is wrong with it, in words. */
  readonly what: string
  readonly edits: readonly Edit[]
}

/** The text of a file with the fault's edits made. @throws Error when a text to be replaced is not there exactly once. */
export function withFault({ name, edits }: Fault, file: string, text: string): string {
  let edited = text
  for (const edit of edits) {
    if (!file.endsWith(edit.file)) continue
    const parts = edited.split(edit.find)
    if (parts.length !== 2)
      throw new Error(
        `Fault ${name}: found ${parts.length - 1} times in ${edit.file}: ${edit.find}`,
      )
    edited = parts.join(edit.replace)
  }
  return edited
}

const BRIDGE = 'core/src/bridge.ts'
const CLOCK = 'core/src/clock.ts'
const HINTS = 'core/src/tabs/hints.ts'
const INTAKE = 'core/src/intake.ts'
const LISTENERS = 'core/src/listeners.ts'
const OBSERVABLE = 'core/src/interop-observable.ts'
const READER = 'core/src/reader.ts'
const REFRESHER = 'core/src/rotation/refresher.ts'
const REFUSED_TOKENS = 'core/src/refused-tokens.ts'
const SCHEDULE = 'core/src/rotation/schedule.ts'
const SERVER = 'server/src/session-refresher.ts'
const SIGNAL = 'core/src/tabs/signal.ts'
const SOURCE = 'core/src/source.ts'
const TABS = 'core/src/tabs/tabs.ts'
const TRANSACTION = 'core/src/transaction.ts'
const TURNS = 'core/src/tabs/turns.ts'
const VAULT = 'core/src/vault.ts'
const WAKE_UPS = 'core/src/rotation/wake-ups.ts'

const fault = (
  name: string,
  what: string,
  ...edits: readonly (readonly [file: string, find: string, replace: string])[]
): Fault => ({
  name,
  what,
  edits: edits.map(([file, find, replace]) => ({ file, find, replace })),
})

/** Faults that the simulator has to find. Many are what another SDK has shipped. */
export const FAULTS: readonly Fault[] = [
  fault('no abort', 'a reset does not end the rotation under way', [
    REFRESHER,
    'flight.controller.abort(ending)',
    '',
  ]),
  fault(
    'no epoch check',
    'a token that comes after a reset is taken, when the source ignores its signal',
    [REFRESHER, 'attempt(question, either), either)', 'attempt(question, either), timeout.signal)'],
    [
      REFRESHER,
      'await run(question, controller.signal)\n      controller.signal.throwIfAborted()',
      'await run(question, controller.signal)\n      if (answer === null) controller.signal.throwIfAborted()',
    ],
    [
      INTAKE,
      'question.signal.throwIfAborted()\n      if (payload === null) return null',
      'if (payload === null) {\n        question.signal.throwIfAborted()\n        return null\n      }',
    ],
  ),
  fault('no single-flight', 'each caller starts a refresh of its own', [
    REFRESHER,
    'if (flight !== null) {',
    'if (flight === undefined) {',
  ]),
  fault('expiry from the answer', 'expiry counts from the moment at which the answer came', [
    INTAKE,
    'const answer: Answer = { payload, sent, setsClock: true }',
    'const answer: Answer = { payload, sent: clock.mark(), setsClock: true }',
  ]),
  fault(
    'the wall clock alone',
    'time passes as the wall clock says',
    [CLOCK, 'byWall > bySteady ? byWall : bySteady', 'byWall + 0 * bySteady'],
    [CLOCK, 'if (step > 0) ', ''],
  ),
  fault('the monotonic clock alone', 'time stands still while the machine sleeps', [
    CLOCK,
    'byWall > bySteady ? byWall : bySteady',
    '0 * byWall + bySteady',
  ]),
  fault('expiry by timers alone', 'a read does not look whether the token has ended', [
    VAULT,
    'token !== null && clock.isAhead(validUntil) ? token : null',
    'token',
  ]),
  fault('no skew buffer', 'a token is handed out until its last moment', [
    VAULT,
    'token.expiresAt - skewBuffer',
    'token.expiresAt - 0 * skewBuffer',
  ]),
  fault('the vault is not wiped', 'a reset leaves the token where it is', [
    BRIDGE,
    "step('wipe', () => this.#vault.wipe())",
    '',
  ]),
  fault('a failure destroys the token', 'a failed early rotation wipes the vault', [
    BRIDGE,
    'onFailure: (error, timed) =>',
    'onFailure: (error, timed) => void this.#vault.wipe() ??',
  ]),
  fault('answers beat the host', 'an old answer replaces what the host has put in meanwhile', [
    BRIDGE,
    'if (this.#replacing !== this.#writes) return',
    '',
  ]),
  fault('no breaker', 'a dead endpoint is asked for ever', [
    REFRESHER,
    'isTripped ||= breaker.state !== CircuitState.Closed',
    '',
  ]),
  fault('Retry-After is ignored', 'the backoff alone says when to come again', [
    REFRESHER,
    'Math.max(delays.duration, retryAfter)',
    'delays.duration',
  ]),
  fault('401s cause storms', 'each 401 rotates', [
    REFUSED_TOKENS,
    'if (now < notBefore) return false',
    '',
  ]),
  fault('tokens spin', 'a short-lived token is rotated as fast as it ends', [
    SCHEDULE,
    'export const ROTATION_FLOOR = 5_000',
    'export const ROTATION_FLOOR = 0',
  ]),
  fault('every error signs out', 'an answer that is not OK is taken for "signed out"', [
    SOURCE,
    'if (!response.ok) throw statusError(response, name)',
    'if (!response.ok) return null',
  ]),
  fault(
    'asks while offline',
    'nobody looks whether there is a network',
    [REFRESHER, 'if (!isOnline()) throw offline()', ''],
    [REFRESHER, 'if (!isOnline()) return offline()', ''],
    [BRIDGE, 'if (!this.#environment.isOnline()) throw offline()', ''],
  ),
  fault('a timer is left', '`stop()` does not clear the timer', [
    WAKE_UPS,
    'stop() {\n      environment.clearTimer(timer)',
    'stop() {',
  ]),
  fault('a listener is left', '`stop()` forgets the window', [
    WAKE_UPS,
    'for (const name of WINDOW_EVENTS) window?.removeEventListener(name, wake)',
    '',
  ]),
  fault('the channel is left', '`stop()` does not close the channel', [
    TABS,
    'channel?.close()',
    '',
  ]),
  fault('changes within changes', 'a change that a subscriber asks for is made at once', [
    TRANSACTION,
    'if (running) return',
    '',
  ]),
  fault(
    'who throws harms others',
    'the error of one subscriber keeps the next from being told',
    [LISTENERS, 'reportFault(fault)', 'throw fault'],
    [OBSERVABLE, 'reportFault(fault)', 'throw fault'],
  ),
  fault('a generation is seen twice', 'a subscriber is told again of what it was given at first', [
    READER,
    'if (token.generation <= seen) return',
    '',
  ]),
  fault('signals are not heard', 'a sign-out in another tab is ignored', [
    HINTS,
    'if (isNews(signal)) followers[signal.type].follow(signal)',
    '',
  ]),
  fault(
    'no second look',
    'a sign-out that the server hears of late is neither told nor asked for again',
    [HINTS, '[() => 0, () => SECOND_LOOK]', '[() => 0]'],
    [TABS, 'if (channel === null) return', 'if (channel !== null) return'],
  ),
  fault('a lock is waited for', 'a frozen tab that holds the lock stops the others', [
    TURNS,
    'setTimer(goOn, TURN_LIMIT)',
    'setTimer(goOn, 2 ** 31 - 1)',
  ]),
  fault(
    'the signal says too much',
    'the token goes over the channel, so that other tabs need not ask',
    [
      BRIDGE,
      "tell({ type: 'rotated', expiresAt: event.expiresAt })",
      "tell({ type: 'rotated', expiresAt: event.expiresAt, token: this.#vault.held()?.accessToken } as never)",
    ],
    [
      SIGNAL,
      '{ v: VERSION, from, type, expiresAt',
      '{ ...signal, v: VERSION, from, type, expiresAt',
    ],
  ),
  fault('back undoes sign-out', 'a page from the back/forward cache goes on with its token', [
    WAKE_UPS,
    'if ((event as PageTransitionEvent).persisted) restore()',
    'if (event === undefined) restore()',
  ]),
  fault(
    'the server does not read again',
    'a refresh uses the refresh token that was read before it waited',
    [SERVER, 'flights.set(key, flight)', ''],
    [
      SERVER,
      'refreshLocked(key, locked, seen, wish)',
      'refreshLocked(key, { ...locked, session: seen }, seen, wish)',
    ],
  ),
]
