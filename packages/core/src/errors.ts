/**
 * Every error of the suite, in one place: a stable `code`, the `phase` it happened in, whether trying
 * again can help, and a message that says what to do. No message ever holds a token.
 *
 * @module
 */

/** What went wrong. Codes are stable across versions; messages are not. */
export type AuthErrorCode =
  | 'ERR_CONFIG'
  | 'ERR_SECOND_COPY'
  | 'ERR_SYNC_NETWORK'
  | 'ERR_SYNC_TIMEOUT'
  | 'ERR_SYNC_STATUS'
  | 'ERR_SYNC_NOT_JSON'
  | 'ERR_SYNC_PAYLOAD'
  | 'ERR_TOKEN_MALFORMED'
  | 'ERR_TOKEN_EXPIRED'
  | 'ERR_TOKEN_LIFETIME'
  | 'ERR_TOKEN_SIGNATURE'
  | 'ERR_SIGNED_OUT'
  | 'ERR_MAINTENANCE'
  | 'ERR_OFFLINE'
  | 'ERR_COOKIE_ONLY'
  | 'ERR_READER_REVOKED'
  | 'ERR_TOKEN_WITHHELD'
  | 'ERR_READY_TIMEOUT'
  | 'ERR_ABORTED'
  | 'ERR_READ_ONLY_STORE'
  | 'ERR_FLAG'
  | 'ERR_REMOTE_UNKNOWN'
  | 'ERR_REMOTE_UNREACHABLE'
  | 'ERR_REMOTE_SIGNATURE'
  | 'ERR_REMOTE_EXPIRED'
  | 'ERR_REMOTE_NAME'
  | 'ERR_REMOTE_DOWNGRADE'
  | 'ERR_REMOTE_TAMPERED'
  | 'ERR_REMOTE_BYPASSED'
  | 'ERR_REMOTE_STORED_TOKEN'

/**
 * Where it went wrong: at construction, at the source, on the way into the vault, on a read, in a store, on the way of a
 * remote into the page.
 */
export type AuthErrorPhase = 'configure' | 'sync' | 'validate' | 'read' | 'store' | 'load'

/** What an {@link AuthError} is made of, beside its code and message. */
export interface AuthErrorDetails {
  readonly phase: AuthErrorPhase
  /** Whether the same call can succeed later with nothing changed. Default `false`. */
  readonly retryable?: boolean
  /** HTTP status of the answer that caused it. */
  readonly status?: number
  /** Milliseconds that the server asked us to wait (`Retry-After`, RFC 9110 section 10.2.3). */
  readonly retryAfter?: number
  readonly cause?: unknown
}

const brand = Symbol.for('@token-bridge/error')

/**
 * The base of every error that the suite throws on purpose.
 *
 * Recognise it with {@link isAuthError}: under Module Federation a page can hold two copies of this class, and
 * then `instanceof` says no to an error of the other copy.
 */
export class AuthError extends Error {
  override readonly name: string = 'AuthError'
  readonly code: AuthErrorCode
  readonly phase: AuthErrorPhase
  readonly retryable: boolean
  // `declare`: else a class field is there even when it holds nothing.
  declare readonly status?: number
  declare readonly retryAfter?: number

  constructor(code: AuthErrorCode, message: string, details: AuthErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.phase = details.phase
    this.retryable = details.retryable ?? false
    if (details.status !== undefined) this.status = details.status
    if (details.retryAfter !== undefined) this.retryAfter = details.retryAfter
    Object.defineProperty(this, brand, { value: true })
  }
}

/** A payload that may not enter the vault: malformed, expired, too short-lived, or with a bad signature. */
export class TokenRejectedError extends AuthError {
  override readonly name: string = 'TokenRejectedError'
}

/** A remote tried to write to a store that it was given read-only. */
export class ReadOnlyStoreError extends AuthError {
  override readonly name: string = 'ReadOnlyStoreError'

  constructor(method: string) {
    super(
      'ERR_READ_ONLY_STORE',
      `${method}() was called on a read-only store. Remotes read the host's store and never write to it: ` +
        'keep local state in a store of your own, or ask the host for a callback.',
      { phase: 'store' },
    )
  }
}

/**
 * Tells whether a value is an {@link AuthError}, of this copy of the package or of another one.
 *
 * @param code - when given, also asks for this very code.
 * @example
 * try { await reader.ready() } catch (error) {
 *   if (isAuthError(error, 'ERR_SIGNED_OUT')) location.assign('/login')
 * }
 */
export function isAuthError(value: unknown, code?: AuthErrorCode): value is AuthError {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Record<symbol, unknown>)[brand] === true &&
    (code === undefined || (value as AuthError).code === code)
  )
}
