import { checkNumber, checkSection, misconfigured, refuse, type Bounds } from './checks.ts'
import type { Environment } from './environment.ts'
import type { FlagSource } from './flags/watch-flag.ts'
import type { RefreshPolicy } from './rotation/refresher.ts'
import { LONGEST_TIMER } from './rotation/schedule.ts'
import type { TokenSource } from './source.ts'
import type { ResetReason } from './state.ts'
import { resolveTabs, type TabsOptions } from './tabs/resolve-tabs.ts'
import {
  resolveTelemetry,
  type ResolvedTelemetry,
  type TelemetryOptions,
} from './telemetry/options.ts'
import type { TokenPayload } from './wire.ts'

/** Lets a payload pass, or throws a `TokenRejectedError`. Every payload goes through it before it enters. */
export type TokenVerifier = (
  payload: TokenPayload,
  context: {
    readonly signal: AbortSignal
    /** Epoch milliseconds, server time. */ readonly now: number
  },
) => void | Promise<void>

/** All spans are milliseconds. */
export interface RotationOptions {
  /** How long before the skew buffer begins the bridge rotates. Default 30 000. */
  readonly leadTime?: number
  /** Share of the lead time by which tabs are spread, 0 to 1. Default 0.2. */
  readonly jitter?: number
  /** Waits between attempts, full jitter. Default 500 growing to 30 000. */
  readonly backoff?: { readonly initialDelay?: number; readonly maxDelay?: number }
  /** Opens after `threshold` consecutive failures (default 3) for `cooldown` (default 30 000), then lets one probe through. */
  readonly breaker?: { readonly threshold?: number; readonly cooldown?: number }
  /** For one call to the source. Default 10 000. */
  readonly timeout?: number
}

/** What a host sets. Everything has a default; spans are milliseconds. A wrong value fails at construction with `ERR_CONFIG`. */
export interface BridgeConfig {
  /** Where tokens come from. Default: `syncEndpoint('/api/auth/sync')`. */
  readonly source?: TokenSource
  /** The kill switch, ENABLE_SECURE_TOKEN_BRIDGE. Default `true`. */
  readonly enabled?: FlagSource
  /** Where tokens come from while the switch is off. Without it: cookie-only. */
  readonly legacy?: TokenSource
  /** Origins to which `reader.fetch` may send the token. Default: the page's own. */
  readonly origins?: readonly string[]
  /** From `@token-bridge/core/jwt`, or your own. */
  readonly verify?: TokenVerifier
  /** Milliseconds before expiry at which a token counts as expired. Default 60 000. */
  readonly skewBuffer?: number
  readonly rotation?: RotationOptions
  /** Called last when a session has ended; usually goes to the sign-in page. */
  readonly reauthenticate?: (reason: ResetReason) => void
  /** Tabs of the origin move together where the browser has channels and locks. Default `true`. */
  readonly tabs?: boolean | TabsOptions
  readonly telemetry?: TelemetryOptions
  /** Default: the `fetch` that stands when the bridge is made. */
  readonly fetch?: typeof globalThis.fetch
  /** Replaces clocks, timers and randomness; for tests. */
  readonly environment?: Partial<Environment>
}

/** A config with every default filled in and every value checked. */
export interface ResolvedConfig {
  readonly source: TokenSource | undefined
  readonly enabled: FlagSource
  readonly legacy: TokenSource | undefined
  readonly origins: readonly string[] | undefined
  readonly verify: TokenVerifier | undefined
  readonly skewBuffer: number
  readonly leadTime: number
  readonly jitter: number
  readonly refresh: RefreshPolicy
  readonly reauthenticate: ((reason: ResetReason) => void) | undefined
  readonly telemetry: ResolvedTelemetry
  readonly tabs: { readonly name: string } | null
}

const KNOWN: readonly (keyof BridgeConfig)[] = [
  'source',
  'enabled',
  'legacy',
  'origins',
  'verify',
  'skewBuffer',
  'rotation',
  'tabs',
  'reauthenticate',
  'telemetry',
  'fetch',
  'environment',
]

function count(field: string, value: unknown, fallback: number): number {
  const what = 'a whole number'
  const checked = checkNumber(field, value, fallback, { least: 1, what })
  return Number.isInteger(checked) ? checked : refuse(field, what, value)
}

function optionalFunction<T>(field: string, value: T | undefined, example: string): T | undefined {
  if (value === undefined || typeof value === 'function') return value
  return refuse(field, `a function, such as ${example}`, value)
}

function checkOrigin(entry: unknown, index: number): string {
  const field = `origins[${index}]`
  if (typeof entry !== 'string')
    return refuse(field, "an origin such as 'https://api.example.com'", entry)
  const origin = URL.canParse(entry) && !entry.includes('*') ? new URL(entry).origin : 'null'
  if (origin === 'null' || (entry !== origin && entry !== `${origin}/`)) {
    throw misconfigured(
      `\`${field}\` must be an origin (scheme, host and port, no path, no wildcard)${origin === 'null' ? '' : `; did you mean '${origin}'?`}`,
    )
  }
  return origin
}

function checkFlag(enabled: FlagSource | undefined): FlagSource {
  if (enabled === undefined) return true
  if (typeof enabled === 'boolean' || typeof enabled === 'function') return enabled
  if (typeof enabled?.subscribe === 'function') return enabled
  return refuse(
    'enabled',
    'a boolean, a function that returns one, or an observable of them',
    enabled,
  )
}

/**
 * Checks a config and fills in the defaults.
 *
 * @throws AuthError `ERR_CONFIG`, which names the field, the type it had and what it must be.
 */
export function resolveConfig(config: BridgeConfig = {}): ResolvedConfig {
  checkSection('config', config, KNOWN)
  const { origins } = config
  if (origins !== undefined && !Array.isArray(origins))
    refuse('origins', 'an array of origins', origins)
  optionalFunction('fetch', config.fetch, 'globalThis.fetch')
  checkSection('environment', config.environment)
  const rotation = checkSection('rotation', config.rotation, [
    'leadTime',
    'jitter',
    'backoff',
    'breaker',
    'timeout',
  ])
  const backoff = checkSection('rotation.backoff', rotation.backoff, ['initialDelay', 'maxDelay'])
  const breaker = checkSection('rotation.breaker', rotation.breaker, ['threshold', 'cooldown'])
  const timer: Bounds = { least: 1, most: LONGEST_TIMER }

  return {
    source: optionalFunction('source', config.source, "syncEndpoint('/api/auth/sync')"),
    enabled: checkFlag(config.enabled),
    legacy: optionalFunction('legacy', config.legacy, 'async () => ({ accessToken, expiresAt })'),
    origins: origins?.map(checkOrigin),
    verify: optionalFunction('verify', config.verify, 'jwtVerifier({ jwksUri, issuer, audience })'),
    skewBuffer: checkNumber('skewBuffer', config.skewBuffer, 60_000),
    leadTime: checkNumber('rotation.leadTime', rotation.leadTime, 30_000),
    jitter: checkNumber('rotation.jitter', rotation.jitter, 0.2, {
      most: 1,
      what: 'a share from 0 to 1',
    }),
    refresh: {
      timeout: checkNumber('rotation.timeout', rotation.timeout, 10_000, timer),
      backoff: {
        initialDelay: checkNumber(
          'rotation.backoff.initialDelay',
          backoff.initialDelay,
          500,
          timer,
        ),
        maxDelay: checkNumber('rotation.backoff.maxDelay', backoff.maxDelay, 30_000, timer),
      },
      breaker: {
        threshold: count('rotation.breaker.threshold', breaker.threshold, 3),
        cooldown: checkNumber('rotation.breaker.cooldown', breaker.cooldown, 30_000, { least: 1 }),
      },
    },
    reauthenticate: optionalFunction(
      'reauthenticate',
      config.reauthenticate,
      "() => location.assign('/api/auth/login')",
    ),
    telemetry: resolveTelemetry(config.telemetry),
    tabs: resolveTabs(config.tabs),
  }
}
