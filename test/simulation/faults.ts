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
const LISTENERS = 'core/src/listeners.ts'
const OBSERVABLE = 'core/src/interop-observable.ts'
const READER = 'core/src/reader.ts'
const REFRESHER = 'core/src/rotation/refresher.ts'
const SCHEDULE = 'core/src/rotation/schedule.ts'
const SERVER = 'server/src/session-refresher.ts'
const SOURCE = 'core/src/source.ts'
const TRANSACTION = 'core/src/transaction.ts'
const VAULT = 'core/src/vault.ts'
const WAKE_UPS = 'core/src/rotation/wake-ups.ts'

const fault = (
  name: string,
  what: string,
  ...edits: readonly [string, string, string][]
): Fault => ({
  name,
  what,
  edits: edits.map(([file, find, replace]) => ({ file, find, replace })),
})

/** Faults that the simulator has to find. Most are what another SDK has shipped. */
export const FAULTS: readonly Fault[] = [
  fault('late answers count', 'a reset does not abort the rotation under way', [
    REFRESHER,
    'flight.controller.abort(ending)',
    '',
  ]),
  fault('no single-flight', 'each caller starts a refresh of its own', [
    REFRESHER,
    'if (flight !== null) {',
    'if (flight === undefined) {',
  ]),
  fault(
    'expiry counts from the answer',
    'the server’s time is taken for the moment at which the answer came',
    [
      BRIDGE,
      'return { payload, sent, setsClock: true }',
      'return { payload, sent: this.#clock.mark(), setsClock: true }',
    ],
  ),
  fault(
    'the wall clock alone',
    'time passes as the wall clock says',
    [
      CLOCK,
      'return byWall > byMonotonic ? byWall : byMonotonic',
      'return byWall + 0 * byMonotonic',
    ],
    [
      CLOCK,
      'wallClock() < moment.wall && monotonic() < moment.monotonic',
      'wallClock() < moment.wall',
    ],
  ),
  fault(
    'the monotonic clock alone',
    'time passes as the monotonic clock says, which stands still in sleep',
    [
      CLOCK,
      'return byWall > byMonotonic ? byWall : byMonotonic',
      'return 0 * byWall + byMonotonic',
    ],
    [
      CLOCK,
      'wallClock() < moment.wall && monotonic() < moment.monotonic',
      'monotonic() < moment.monotonic',
    ],
  ),
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
  fault('the vault is not wiped', 'a reset forgets the token', [
    BRIDGE,
    "step('wipe', () => this.#vault.wipe())",
    '',
  ]),
  fault('a failure destroys the token', 'a failed early rotation wipes the vault', [
    BRIDGE,
    'onFailure: (error) => this.#publish(',
    'onFailure: (error) => void this.#vault.wipe() ?? this.#publish(',
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
  fault('401s cause storms', 'each report of a 401 rotates', [
    BRIDGE,
    'const UNAUTHORIZED_FLOOR = 10_000',
    'const UNAUTHORIZED_FLOOR = 0',
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
  fault(
    'a generation is seen twice',
    'a subscriber is told again of what it was given when it came',
    [READER, 'if (token.generation <= seen) return', ''],
  ),
  fault('the server refreshes side by side', 'a request does not wait for the refresh under way', [
    SERVER,
    'flights.set(key, flight)',
    '',
  ]),
  fault(
    'the server does not read again',
    'a refresh uses the refresh token that was read before it waited',
    [
      SERVER,
      'async function refresh(key: string, ',
      'async function refresh(session: Session, key: string, ',
    ],
    [SERVER, 'whole grant.\n    const session = await sessions.read(key)\n', 'whole grant.\n'],
    [SERVER, 'const flight = refresh(key', 'const flight = refresh(session, key'],
  ),
]
