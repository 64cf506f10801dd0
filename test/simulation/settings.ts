import * as fc from 'fast-check'
import { GOOD_NETWORK, type NetworkConditions } from './network.ts'

/** What a simulated world is like from the start. Spans are milliseconds. */
export interface WorldSettings {
  /** Draws latencies, losses and jitter. */
  readonly seed: number
  readonly tabs: number
  /** Somebody was signed in before the first tab was opened. */
  readonly isSignedIn: boolean
  /** How long access tokens live. */
  readonly lifetime: number
  readonly wallError: number
  /** `performance.now()` stands still in sleep. */
  readonly standsStill: boolean
  readonly hasChannel: boolean
  readonly hasLocks: boolean
  readonly hasLegacy: boolean
  /** The token sources ignore their signal. */
  readonly isDeaf: boolean
  /** How long the token verifier takes; 0 for none. */
  readonly verifyDelay: number
  /** How long the server's session store takes at most. */
  readonly storeDelay: number
  readonly network: NetworkConditions
  /** How long signals between tabs take at most. */
  readonly channelDelay: number
  readonly channelLoss: number
}

const HOUR = 3_600_000
const MINUTE = 60_000

/** Such a token is usable for less time than the bridge leaves between two rotations. */
export const SHORTEST_LIFETIME = 66_000

export const networks: fc.Arbitrary<NetworkConditions> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(GOOD_NETWORK) },
  {
    weight: 2,
    arbitrary: fc.record({
      state: fc.constant('up' as const),
      latency: fc.constantFrom([1, 2_000] as const, [500, 4_000] as const, [0, 0] as const),
      loss: fc.constantFrom(0, 0.1, 0.4),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { ...GOOD_NETWORK, state: 'refused' as const },
      { ...GOOD_NETWORK, state: 'hole' as const },
    ),
  },
)

const rarely = fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true))

/** Worlds: most are good to begin with, so that the schedule is what goes wrong. */
export const worlds: fc.Arbitrary<WorldSettings> = fc.record({
  seed: fc.nat(),
  tabs: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.constant(5)),
  isSignedIn: rarely.map((isNot) => !isNot),
  lifetime: fc.oneof(
    { weight: 8, arbitrary: fc.constant(5 * MINUTE) },
    { weight: 4, arbitrary: fc.constantFrom(3 * MINUTE, HOUR) },
    { weight: 1, arbitrary: fc.constantFrom(75_000, SHORTEST_LIFETIME, 30 * 24 * HOUR) },
  ),
  wallError: fc.oneof(fc.constant(0), fc.integer({ min: -2 * HOUR, max: 2 * HOUR })),
  standsStill: fc.boolean(),
  hasChannel: rarely.map((isMissing) => !isMissing),
  hasLocks: rarely.map((isMissing) => !isMissing),
  hasLegacy: fc.boolean(),
  isDeaf: rarely,
  verifyDelay: fc.constantFrom(0, 0, 40, 3_000),
  storeDelay: fc.constantFrom(0, 0, 300),
  network: fc.oneof({ weight: 3, arbitrary: fc.constant(GOOD_NETWORK) }, networks),
  channelDelay: fc.constantFrom(0, 30),
  channelLoss: fc.constantFrom(0, 0, 0.3),
})
