import { vi } from 'vitest'
import { captureEnvironment, type Environment } from './environment.ts'
import type { AuthSnapshot } from './state.ts'
import type { AccessToken } from './token.ts'
import { createAccessToken } from './token.ts'
import type { TokenPayload } from './wire.ts'

/** 2024-06-20T16:13:20Z: the moment of the log line in the design. */
export const NOW = 1_718_900_000_000
export const SECOND = 1_000
export const MINUTE = 60_000
export const HOUR = 3_600_000

/** A token that may stand in a header and that no message should ever quote. */
export const SECRET = 'eyJhbGciOiJFUzI1NiJ9.c2VjcmV0LXNlbnRpbmVs.c2lnbmF0dXJl'

/** A payload of {@link SECRET} that ends five minutes after {@link NOW}. */
export const secretPayload = (overrides: Partial<TokenPayload> = {}): TokenPayload => ({
  accessToken: SECRET,
  expiresAt: NOW + 5 * MINUTE,
  ...overrides,
})

export const secretToken = (generation = 1, overrides: Partial<TokenPayload> = {}): AccessToken =>
  createAccessToken(secretPayload(overrides), generation)

export const snapshotOf = (overrides: Partial<AuthSnapshot> = {}): AuthSnapshot => ({
  status: 'ready',
  mode: 'bridge',
  generation: 1,
  expiresAt: NOW + 5 * MINUTE,
  error: null,
  ...overrides,
})

/** The machine's two clocks, moved by hand, together or apart. */
export function handClocks(wall = NOW) {
  const hands = { wall, monotonic: 1_000 }
  return {
    wallClock: () => hands.wall,
    monotonic: () => hands.monotonic,
    /** Time passes. */
    advance(span: number) {
      hands.wall += span
      hands.monotonic += span
    },
    /** The machine sleeps: on many systems the monotonic clock stands still. */
    sleep(span: number) {
      hands.wall += span
    },
    /** Somebody sets the wall clock. */
    setWall(to: number) {
      hands.wall = to
    },
  }
}

/** The real environment on the timers that stand now (use fake ones), with the faults written down. */
export function recordedEnvironment(overrides: Partial<Environment> = {}): Environment & {
  readonly faults: unknown[]
} {
  const faults: unknown[] = []
  return {
    ...captureEnvironment({
      random: () => 0.5,
      isOnline: () => true,
      reportFault: (fault) => void faults.push(fault),
      ...overrides,
    }),
    faults,
  }
}

/** What a promise rejects with; fails when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error
  }
  throw new Error(`expected a rejection, got ${typeof value}`)
}

/** What a function throws; fails when it returns. */
export function thrown(run: () => unknown): unknown {
  let value: unknown
  try {
    value = run()
  } catch (error) {
    return error
  }
  throw new Error(`expected an exception, got ${typeof value}`)
}

/** Everything that a log or an error reporter could find in a value: all own keys, messages, stacks and causes. */
export function everythingIn(value: unknown, seen: Set<unknown> = new Set()): string {
  if (typeof value !== 'object' || value === null) return `${String(value)}\n`
  if (seen.has(value)) return ''
  seen.add(value)
  return Reflect.ownKeys(value)
    .map((key) => `${String(key)}: ${everythingIn(Reflect.get(value, key), seen)}`)
    .join('')
}

/** Lets everything run that is due now. Needs fake timers. */
export const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

/** An event target that counts its listeners. */
export function countingTarget() {
  const target = new EventTarget()
  let count = 0
  return {
    get count() {
      return count
    },
    addEventListener: ((...args: Parameters<EventTarget['addEventListener']>) => {
      count += 1
      target.addEventListener(...args)
    }) as EventTarget['addEventListener'],
    removeEventListener: ((...args: Parameters<EventTarget['removeEventListener']>) => {
      count -= 1
      target.removeEventListener(...args)
    }) as EventTarget['removeEventListener'],
    fire: (type: string, properties: object = {}) =>
      void target.dispatchEvent(Object.assign(new Event(type), properties)),
  }
}

/** Goes back to real time; fails when a timer was left behind. */
export function endVirtualTime(): void {
  const left = vi.getTimerCount()
  vi.useRealTimers()
  if (left > 0) throw new Error(`${left} timer(s) left behind`)
}
