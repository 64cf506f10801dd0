import { base64url } from 'jose'
import { configError } from './config-error.ts'
import { memoryStore } from './memory-store.ts'
import { isSecretId } from './secret-id.ts'
import type { SessionStore } from './session-store.ts'
import { isLoopback, isWebOrigin } from './web-origin.ts'

/** The same as the line, for machines: `event` is a stable name, the rest says more. Flat, and free of secrets. */
export type LogFields = Readonly<Record<string, string | number>>

/**
 * Takes what happens, free of secrets, as a line for people and as fields for machines. `console` is one; for pino write
 * `{ warn: (line, fields) => pino.warn(fields, line), … }`.
 */
export interface AuthLogger {
  info(line: string, fields?: LogFields): void
  warn(line: string, fields?: LogFields): void
  error(line: string, fields?: LogFields): void
}

/** A token bucket for each session (RFC 6585 section 4 answers when it is empty). */
export interface RateLimit {
  /** Requests that may come at once. */
  readonly burst: number
  /** Requests that come back in each second. */
  readonly perSecond: number
}

/** What `authRoutes` takes. Spans are milliseconds. */
export interface AuthOptions {
  /** Issuer identifier of the OpenID provider: https, or http on this machine. */
  readonly issuer: string
  readonly clientId: string
  /**
   * Without it the server is a public client, guarded by PKCE alone. RFC 10017 section 6.2.3.1 asks for a confidential
   * one. Sent by HTTP Basic where the provider offers it, in the body otherwise.
   */
  readonly clientSecret?: string
  /** The app's own origin as browsers see it, e.g. `https://app.example.com`; http only on localhost, 127.0.0.1 and [::1]. */
  readonly origin: string
  /** Where the app mounts the routes. Default `/api/auth`; register `<origin><basePath>/callback` at the provider. */
  readonly basePath?: string
  /** Default `openid offline_access`. Without a refresh token the session ends with its first access token. */
  readonly scope?: string
  /** The API that the tokens are for (RFC 8707). */
  readonly resource?: string
  /** The same for providers that do not know RFC 8707 and take an `audience` with the sign-in, such as Auth0. */
  readonly audience?: string
  /** Default: memory of this process. */
  readonly store?: SessionStore
  /**
   * What the store keeps is sealed with the first (JWE, AES-256) and opened with any of these, so a new key is put in
   * front and an old one removed when the sessions of its time are over. Each 32 random bytes, or the same in base64url
   * (43 characters). Without keys values are stored as they are.
   */
  readonly encryptionKeys?: readonly (string | Uint8Array)[]
  /**
   * How long the provider accepts a refresh token again after its first use. With it, a refresh whose server died before
   * the answer was stored is repeated; give a second less than the provider grants. Default 0: the provider ends the
   * grant on any reuse, so such a session is ended.
   */
  readonly refreshTokenGrace?: number
  /**
   * A token that lives no longer than this is refreshed before it is handed out. Default 90 000: the bridge's skew
   * buffer (60 000) plus its lead time (30 000), or it would have to come back at once.
   */
  readonly minimumLifetime?: number
  /** After this a user signs in again, however active. Default 12 hours; at most 400 days, the most a cookie can live. */
  readonly sessionLifetime?: number
  /**
   * After this without a sign of a person a user signs in again. Only a page that says that it saw one (core's
   * `syncEndpoint(url, { isActive })`) keeps a session alive; a background sync does not. Default: off. Make it longer
   * than an access token lives, or an active page asks too late.
   */
  readonly idleLifetime?: number
  /** For `POST /sync`, and apart from it for `POST /logout`. Default `{ burst: 120, perSecond: 5 }`; `false`: none. */
  readonly rateLimit?: RateLimit | false
  /** Where the provider sends the browser after sign-out: a path, or an absolute address registered there. */
  readonly postLogoutRedirect?: string
  /** Lets `GET /sync` through as well, for clients that exist already. Default `false`. */
  readonly allowGet?: boolean
  /** Default `console`. */
  readonly logger?: AuthLogger
  /** Default: the `fetch` that stands when the routes are made. */
  readonly fetch?: typeof fetch
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/** {@link AuthOptions}, checked and complete. */
export interface Settings {
  readonly issuer: URL
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly origin: string
  readonly basePath: string
  readonly scope: string
  readonly resource: string | undefined
  readonly audience: string | undefined
  readonly store: SessionStore
  readonly encryptionKeys: readonly Uint8Array[]
  readonly refreshTokenGrace: number
  readonly minimumLifetime: number
  readonly sessionLifetime: number
  readonly idleLifetime: number | undefined
  readonly rateLimit: RateLimit | false
  readonly postLogoutRedirect: string | undefined
  readonly allowGet: boolean
  readonly logger: AuthLogger
  readonly fetch: typeof fetch
  readonly now: () => number
}

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

const fail = (field: string, expected: string, value: unknown, fix: string): never => {
  throw configError(`authRoutes({ ${field} })`, expected, value, fix)
}

/**
 * Checks the options and fills in what is missing.
 *
 * @throws AuthError `ERR_CONFIG`, which names the field, the type it had and the fix, never the value.
 */
export function readOptions(options: AuthOptions): Settings {
  if (typeof options !== 'object' || options === null) {
    throw configError(
      'authRoutes(options)',
      'an object',
      options,
      'Give it at least { issuer, clientId, origin }.',
    )
  }
  const now = optional('now', options.now, isClock, 'a function', 'Leave it out.', Date.now)
  const origin = readOrigin(options.origin)
  // Given, so meant: an environment variable that is not set must not leave the store unsealed.
  if (Object.hasOwn(options, 'encryptionKeys') && options.encryptionKeys === undefined) {
    fail(
      'encryptionKeys',
      'a list of keys',
      undefined,
      'Check that the environment variable they come from is set, or leave it out to store values as they are.',
    )
  }
  const settings: Settings = {
    issuer: readIssuer(options.issuer),
    clientId: isText(options.clientId)
      ? options.clientId
      : fail(
          'clientId',
          'a string that is not empty',
          options.clientId,
          'Use the one that the provider registered.',
        ),
    clientSecret: optional(
      'clientSecret',
      options.clientSecret,
      isText,
      'a string that is not empty',
      'Check that its environment variable is set, or leave it out for a public client.',
      undefined,
    ),
    origin,
    basePath: optional(
      'basePath',
      options.basePath,
      isPath,
      'a path without a slash at its end',
      'Write the path that the routes are mounted on, e.g. "/api/auth".',
      '/api/auth',
    ),
    scope: optional(
      'scope',
      options.scope,
      isOpenIdScope,
      'a space-separated list with "openid" in it',
      'Write e.g. "openid offline_access".',
      'openid offline_access',
    ),
    resource: optional(
      'resource',
      options.resource,
      isResource,
      'an absolute URI without a fragment (RFC 8707 section 2)',
      'Write the identifier of the API, e.g. "https://api.example.com".',
      undefined,
    ),
    audience: optional(
      'audience',
      options.audience,
      isText,
      'a string that is not empty',
      'Write the identifier of the API as the provider knows it, or leave it out.',
      undefined,
    ),
    store:
      optional(
        'store',
        options.store,
        isStore,
        'a SessionStore',
        'Use memoryStore(), sqliteStore(path), redisStore(client), or an object with all of its functions.',
        undefined,
      ) ?? memoryStore({ now }),
    encryptionKeys: optional(
      'encryptionKeys',
      options.encryptionKeys,
      isKeys,
      'a list of keys, each 32 bytes or their 43 characters in base64url',
      "Make one with crypto.randomBytes(32).toString('base64url').",
      [],
    ).map(toKey),
    refreshTokenGrace: optional(
      'refreshTokenGrace',
      options.refreshTokenGrace,
      isGrace,
      'a number of milliseconds: 0, or from 10 seconds to a day',
      'Use a second less than the provider grants. A server that died is noticed after some seconds, so less than ten would be of no use.',
      0,
    ),
    minimumLifetime: optional(
      'minimumLifetime',
      options.minimumLifetime,
      isSpan(0, DAY),
      'a number of milliseconds, up to a day',
      'Use the skew buffer plus the lead time of the bridge, e.g. 90_000.',
      90_000,
    ),
    sessionLifetime: optional(
      'sessionLifetime',
      options.sessionLifetime,
      isSpan(MINUTE, 400 * DAY),
      'a number of milliseconds, from a minute to 400 days',
      'Write e.g. 12 * 60 * 60 * 1000.',
      12 * 60 * MINUTE,
    ),
    idleLifetime: optional(
      'idleLifetime',
      options.idleLifetime,
      isSpan(MINUTE, 400 * DAY),
      'a number of milliseconds, from a minute to 400 days',
      'Write e.g. 30 * 60 * 1000, or leave it out.',
      undefined,
    ),
    rateLimit: optional(
      'rateLimit',
      options.rateLimit,
      isRateLimit,
      'false or an object with the positive numbers burst and perSecond and nothing else',
      'Write e.g. { burst: 120, perSecond: 5 }, or leave it out.',
      { burst: 120, perSecond: 5 },
    ),
    postLogoutRedirect: readPostLogoutRedirect(options.postLogoutRedirect, origin),
    allowGet: optional(
      'allowGet',
      options.allowGet,
      isBoolean,
      'a boolean',
      'Leave it out.',
      false,
    ),
    logger: optional(
      'logger',
      options.logger,
      isLogger,
      'an object with the functions info, warn and error',
      'Use `console`.',
      console,
    ),
    fetch: optional(
      'fetch',
      options.fetch,
      isFetch,
      'a function',
      'Leave it out.',
      globalThis.fetch,
    ),
    now,
  }
  for (const field of ['idleLifetime', 'minimumLifetime'] as const) {
    const value = options[field]
    if (value !== undefined && value > settings.sessionLifetime)
      fail(
        field,
        'no longer than `sessionLifetime`',
        value,
        'Shorten it, or write a longer `sessionLifetime`; its default is 12 hours.',
      )
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(settings, name))
      throw configError(
        'authRoutes(options)',
        'an object with known names only',
        options,
        `There is no option "${name}"; look for a slip in the name.`,
      )
  }
  return Object.freeze(settings)
}

function optional<Value, Default>(
  field: keyof AuthOptions,
  value: unknown,
  is: (value: unknown) => value is Value,
  expected: string,
  fix: string,
  fallback: Default,
): Value | Default {
  if (value === undefined) return fallback
  return is(value) ? value : fail(field, expected, value, fix)
}

function readIssuer(value: unknown): URL {
  if (isText(value) && URL.canParse(value)) {
    const url = new URL(value)
    if (isWebOrigin(url.origin) && url.search === '' && url.hash === '' && url.username === '') {
      return url
    }
  }
  return fail(
    'issuer',
    'an https address without a query (http only on localhost, 127.0.0.1 and [::1])',
    value,
    'Copy the "issuer" of the provider\'s /.well-known/openid-configuration.',
  )
}

function readOrigin(value: unknown): string {
  if (isWebOrigin(value)) return value
  const isPlain = isText(value) && URL.canParse(value) && new URL(value).protocol === 'http:'
  return fail(
    'origin',
    'an https origin (http only on localhost, 127.0.0.1 and [::1])',
    value,
    isPlain && !isLoopback(new URL(value))
      ? 'Serve the app over https: no browser keeps a Secure cookie of a plain-http origin that is not this machine.'
      : 'Write the scheme, the host and the port and nothing else, e.g. "https://app.example.com".',
  )
}

function readPostLogoutRedirect(value: unknown, origin: string): string | undefined {
  if (value === undefined) return undefined
  if (isText(value) && URL.canParse(value, origin)) {
    const url = new URL(value, origin)
    if (isWebOrigin(url.origin)) return url.href
  }
  return fail(
    'postLogoutRedirect',
    'a path or an https address',
    value,
    'Write e.g. "/", and register the whole address at the provider.',
  )
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'
const isFunction = (value: unknown): boolean => typeof value === 'function'
const isClock = (value: unknown): value is () => number => isFunction(value)
const isFetch = (value: unknown): value is typeof fetch => isFunction(value)
const isPath = (value: unknown): value is string =>
  isText(value) && /^(?:\/[\w.~-]+)+$/.test(value) && new URL(value, 'http://a').pathname === value
const isOpenIdScope = (value: unknown): value is string =>
  isText(value) && /^[\x21\x23-\x5b\x5d-\x7e ]+$/.test(value) && value.split(' ').includes('openid')
const isResource = (value: unknown): value is string =>
  isText(value) && URL.canParse(value) && !value.includes('#')
const isSpan =
  (least: number, most: number) =>
  (value: unknown): value is number =>
    typeof value === 'number' && value >= least && value <= most
const isPositive = (value: unknown): boolean =>
  typeof value === 'number' && value > 0 && Number.isFinite(value)
const isRateLimit = (value: unknown): value is RateLimit | false => {
  if (value === false) return true
  if (typeof value !== 'object' || value === null) return false
  const { burst, perSecond, ...others } = value as Record<string, unknown>
  const isComplete = isPositive(burst) && Number(burst) >= 1 && isPositive(perSecond)
  return isComplete && Object.keys(others).length === 0
}
const hasFunctions = (value: unknown, names: readonly string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  names.every((name) => isFunction((value as Record<string, unknown>)[name]))
const isStore = (value: unknown): value is SessionStore =>
  hasFunctions(value, ['get', 'set', 'touch', 'lock', 'replace', 'delete'])
const isKey = (value: unknown): value is string | Uint8Array =>
  value instanceof Uint8Array ? value.length === 32 : isSecretId(value)
const isKeys = (value: unknown): value is readonly (string | Uint8Array)[] =>
  Array.isArray(value) && value.length > 0 && value.every(isKey)
const toKey = (key: string | Uint8Array): Uint8Array =>
  typeof key === 'string' ? base64url.decode(key) : Uint8Array.from(key)
const isGrace = (value: unknown): value is number => value === 0 || isSpan(10_000, DAY)(value)
/** Whether a value has the functions of an {@link AuthLogger}. */
export const isLogger = (value: unknown): value is AuthLogger =>
  hasFunctions(value, ['info', 'warn', 'error'])
