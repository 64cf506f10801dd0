import { isServerTime } from './clock.ts'
import { TokenRejectedError } from './errors.ts'
import type { TokenPayload } from './wire.ts'

/**
 * A token as it may be handed out: frozen, and shy.
 *
 * `accessToken` is not enumerable, and `toJSON()` leaves it out: a spread, `structuredClone`, `JSON.stringify`, a log or
 * an error reporter that walks the object does not carry the secret along.
 */
export interface AccessToken {
  readonly accessToken: string
  /** Epoch milliseconds. The bridge stops handing the token out a skew buffer earlier. */
  readonly expiresAt: number
  /** Counts the tokens of this bridge: 1, 2, … */
  readonly generation: number
  /** `Bearer` unless the source said otherwise (RFC 6750). */
  readonly tokenType: string
  readonly scope: string | null
  toJSON(): Readonly<Record<string, unknown>>
}

/** RFC 6750 section 2.1, `b64token`: what may stand behind `Bearer ` in a header. */
const TOKEN_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/='

/** A token above this is a mistake; servers refuse such a header anyway. */
const LONGEST_TOKEN = 16 * 1024

function isHeaderSafe(secret: string): boolean {
  if (secret.length > LONGEST_TOKEN) return false
  // A loop instead of a regular expression: `RegExp.input` would keep the secret for anybody to read.
  for (let index = 0; index < secret.length; index += 1) {
    if (!TOKEN_CHARACTERS.includes(secret[index] as string)) return false
  }
  return true
}

const isBearer = (tokenType: unknown): boolean =>
  typeof tokenType === 'string' && tokenType.toLowerCase() === 'bearer'

/** Whether a token can be acted on at `now`: it is one, and it lives longer than the skew buffer (milliseconds). */
export function isUsable(
  token: Pick<TokenPayload, 'accessToken' | 'expiresAt'> | null | undefined,
  now: number,
  skewBuffer: number,
): boolean {
  return (
    typeof token === 'object' &&
    token !== null &&
    typeof token.accessToken === 'string' &&
    token.accessToken !== '' &&
    Number.isFinite(token.expiresAt) &&
    token.expiresAt > now + skewBuffer
  )
}

const reject = (
  code: 'ERR_TOKEN_MALFORMED' | 'ERR_TOKEN_EXPIRED' | 'ERR_TOKEN_LIFETIME',
  message: string,
): never => {
  throw new TokenRejectedError(code, message, {
    phase: 'validate',
    retryable: code !== 'ERR_TOKEN_MALFORMED',
  })
}

const seconds = (milliseconds: number): string => `${Math.round(milliseconds / 1000)} s`

/**
 * Lets a payload pass that may enter the vault at `now` (epoch milliseconds, server time).
 *
 * @throws TokenRejectedError `ERR_TOKEN_MALFORMED` when a field has the wrong type, `ERR_TOKEN_EXPIRED` when it is over,
 * `ERR_TOKEN_LIFETIME` when it ends inside the skew buffer.
 */
export function assertUsable(payload: TokenPayload, now: number, skewBuffer: number): void {
  if (typeof payload !== 'object' || payload === null) {
    reject(
      'ERR_TOKEN_MALFORMED',
      `Expected a token payload { accessToken, expiresAt }, got ${payload === null ? 'null' : typeof payload}.`,
    )
  }
  const { accessToken, expiresAt, serverTime, tokenType, scope } = payload
  if (typeof accessToken !== 'string' || accessToken === '') {
    reject(
      'ERR_TOKEN_MALFORMED',
      `"accessToken" must be a string that is not empty, got ${accessToken === '' ? 'an empty one' : typeof accessToken}.`,
    )
  }
  if (!isHeaderSafe(accessToken)) {
    reject(
      'ERR_TOKEN_MALFORMED',
      '"accessToken" cannot be sent in an Authorization header: it is over 16 KiB or has a character outside RFC 6750 b64token.',
    )
  }
  if (!Number.isSafeInteger(expiresAt)) {
    reject(
      'ERR_TOKEN_MALFORMED',
      `"expiresAt" must be a whole number of epoch milliseconds, got ${typeof expiresAt === 'number' ? 'one that is not' : typeof expiresAt}.`,
    )
  }
  if (serverTime !== undefined && !isServerTime(serverTime)) {
    reject(
      'ERR_TOKEN_MALFORMED',
      '"serverTime" must be a whole number of epoch milliseconds. Leave it out when the source does not know it.',
    )
  }
  if (tokenType !== undefined && !isBearer(tokenType)) {
    reject(
      'ERR_TOKEN_MALFORMED',
      '"tokenType" must be "Bearer" (RFC 6750): the bridge signs requests in no other way.',
    )
  }
  if (scope !== undefined && typeof scope !== 'string') {
    reject(
      'ERR_TOKEN_MALFORMED',
      `"scope" must be a string, separated by spaces, got a ${typeof scope}.`,
    )
  }
  const left = expiresAt - now
  if (left <= 0) {
    const hint = expiresAt < 1e11 ? ' It looks like seconds: send epoch milliseconds.' : ''
    reject('ERR_TOKEN_EXPIRED', `The token expired ${seconds(-left)} ago.${hint}`)
  }
  if (left <= skewBuffer) {
    reject(
      'ERR_TOKEN_LIFETIME',
      `The token lives ${seconds(left)} more, which is inside the skew buffer of ${seconds(skewBuffer)}, so it could never be used. ` +
        'Let the provider issue tokens that live longer, or lower `skewBuffer`.',
    )
  }
}

function toJSON(this: AccessToken): Readonly<Record<string, unknown>> {
  return { accessToken: '[redacted]', expiresAt: this.expiresAt, generation: this.generation }
}

/** Makes the frozen token of a generation from a payload that has been let in. The refresh token is left behind. */
export function createAccessToken(payload: TokenPayload, generation: number): AccessToken {
  return Object.freeze(
    Object.create(null, {
      accessToken: { value: payload.accessToken },
      expiresAt: { value: payload.expiresAt, enumerable: true },
      generation: { value: generation, enumerable: true },
      tokenType: { value: payload.tokenType ?? 'Bearer', enumerable: true },
      scope: { value: payload.scope ?? null, enumerable: true },
      toJSON: { value: toJSON },
    }),
  ) as AccessToken
}
