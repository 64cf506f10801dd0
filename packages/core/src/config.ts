import { AuthError } from './errors.ts'
import type { Environment } from './environment.ts'
import type { FlagSource } from './flags/watch-flag.ts'
import type { RefreshPolicy } from './rotation/refresher.ts'
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

const KNOWN = new Set([
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
])

const kind = (value: unknown): string => {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function refuse(field: string, expected: string, value: unknown): never {
  throw new AuthError(
    'ERR_CONFIG',
    `createTokenBridge: \`${field}\` must be ${expected}, got ${kind(value)}.`,
    { phase: 'configure' },
  )
}

/** The bounds of a number, and what it is. */
interface Bounds {
  readonly least?: number
  readonly most?: number
  readonly what?: string
}

/** The longest delay a timer keeps; with a longer one it would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1

function number(
  field: string,
  value: unknown,
  fallback: number,
  { least = 0, most = Number.MAX_VALUE, what = 'a number of milliseconds' }: Bounds = {},
): number {
  if (value === undefined) return fallback
  if (typeof value !== 'number' || !Number.isFinite(value)) return refuse(field, what, value)
  if (value >= least && value <= most) return value
  throw new AuthError(
    'ERR_CONFIG',
    `createTokenBridge: \`${field}\` must be ${value < least ? `at least ${least}` : `at most ${most}`}, got ${value}.`,
    { phase: 'configure' },
  )
}

function count(field: string, value: unknown, fallback: number): number {
  const what = 'a whole number'
  const checked = number(field, value, fallback, { least: 1, what })
  return Number.isInteger(checked) ? checked : refuse(field, what, value)
}

function optionalFunction<T>(field: string, value: T | undefined, example: string): T | undefined {
  if (value === undefined || typeof value === 'function') return value
  return refuse(field, `a function, such as ${example}`, value)
}

function section<T extends object>(field: string, value: T | undefined): Partial<T> {
  if (value === undefined) return {}
  return isObject(value) ? value : refuse(field, 'an object', value)
}

function checkOrigin(entry: unknown, index: number): string {
  const field = `origins[${index}]`
  if (typeof entry !== 'string')
    return refuse(field, "an origin such as 'https://api.example.com'", entry)
  const origin = URL.canParse(entry) && !entry.includes('*') ? new URL(entry).origin : 'null'
  if (origin === 'null' || (entry !== origin && entry !== `${origin}/`)) {
    throw new AuthError(
      'ERR_CONFIG',
      `createTokenBridge: \`${field}\` must be an origin (scheme, host and port, no path, no wildcard)${origin === 'null' ? '' : `; did you mean '${origin}'?`}`,
      { phase: 'configure' },
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
  if (!isObject(config)) return refuse('config', 'an object', config)
  for (const field of Object.keys(config)) {
    if (!KNOWN.has(field)) {
      throw new AuthError(
        'ERR_CONFIG',
        `createTokenBridge: there is no option \`${field}\`. Known: ${[...KNOWN].join(', ')}.`,
        { phase: 'configure' },
      )
    }
  }
  const { origins } = config
  if (origins !== undefined && !Array.isArray(origins))
    refuse('origins', 'an array of origins', origins)
  optionalFunction('fetch', config.fetch, 'globalThis.fetch')
  section('environment', config.environment)
  const rotation = section('rotation', config.rotation)
  const backoff = section('rotation.backoff', rotation.backoff)
  const breaker = section('rotation.breaker', rotation.breaker)
  const timer: Bounds = { least: 1, most: LONGEST_TIMER }

  return {
    source: optionalFunction('source', config.source, "syncEndpoint('/api/auth/sync')"),
    enabled: checkFlag(config.enabled),
    legacy: optionalFunction('legacy', config.legacy, 'async () => ({ accessToken, expiresAt })'),
    origins: origins?.map(checkOrigin),
    verify: optionalFunction('verify', config.verify, 'jwtVerifier({ jwksUri, issuer, audience })'),
    skewBuffer: number('skewBuffer', config.skewBuffer, 60_000),
    leadTime: number('rotation.leadTime', rotation.leadTime, 30_000),
    jitter: number('rotation.jitter', rotation.jitter, 0.2, {
      most: 1,
      what: 'a share from 0 to 1',
    }),
    refresh: {
      timeout: number('rotation.timeout', rotation.timeout, 10_000, timer),
      backoff: {
        initialDelay: number('rotation.backoff.initialDelay', backoff.initialDelay, 500, timer),
        maxDelay: number('rotation.backoff.maxDelay', backoff.maxDelay, 30_000, timer),
      },
      breaker: {
        threshold: count('rotation.breaker.threshold', breaker.threshold, 3),
        cooldown: number('rotation.breaker.cooldown', breaker.cooldown, 30_000, { least: 1 }),
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
