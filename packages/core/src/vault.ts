import type { Clock, ClockMark } from './clock.ts'
import { createAccessToken, type AccessToken } from './token.ts'
import type { TokenPayload } from './wire.ts'

/** The one place that holds the token. It hands out frozen tokens only. */
export interface Vault {
  /** Counts what was put in; keeps counting over wipes, so a generation never names two tokens. */
  readonly generation: number
  /** The token when it is valid now, else `null`. Synchronous, and allocates nothing. */
  current(): AccessToken | null
  /** The token as long as it is here, valid or not. */
  held(): AccessToken | null
  /** Takes a payload that has been let in, as the next generation. */
  put(payload: TokenPayload): AccessToken
  wipe(): void
  /** The clock was corrected: works out anew until when the token is valid. */
  retime(): void
}

/** @param skewBuffer - milliseconds before its expiry at which a token is no longer handed out. */
export function createVault(clock: Pick<Clock, 'momentOf' | 'isAhead'>, skewBuffer: number): Vault {
  let token: AccessToken | null = null
  let validUntil: ClockMark = 0
  let generation = 0

  function retime(): void {
    if (token !== null) validUntil = clock.momentOf(token.expiresAt - skewBuffer)
  }

  return {
    get generation() {
      return generation
    },
    current: () => (token !== null && clock.isAhead(validUntil) ? token : null),
    held: () => token,
    put(payload) {
      generation += 1
      token = createAccessToken(payload, generation)
      retime()
      return token
    },
    wipe() {
      token = null
    },
    retime,
  }
}
