import {
  AuthError,
  SecureTokenBridge,
  type BridgeConfig,
  type TokenPayload,
  type TokenReader,
} from '@token-bridge/core'

let issued = 0

/** A payload with a token of its own, five minutes to live. */
export const payload = (): TokenPayload => ({
  accessToken: `token-${(issued += 1)}`,
  expiresAt: Date.now() + 300_000,
})

/** A bridge that is not started, and the reader of its remote. Tokens count from 1. */
export function setUp(config: BridgeConfig = {}) {
  issued = 0
  const bridge = new SecureTokenBridge({ source: async () => payload(), tabs: false, ...config })
  return { bridge, reader: bridge.reader('remote') }
}

/** What a source throws while its endpoint is down. @param retryAfter - milliseconds. */
export const outage = (retryAfter?: number): AuthError =>
  new AuthError('ERR_SYNC_STATUS', 'POST /sync answered 503.', {
    phase: 'sync',
    retryable: true,
    ...(retryAfter !== undefined && { retryAfter }),
  })

/** A clock that is moved by hand, in a realm whose timers never fire. */
export function stillTime() {
  let time = Date.now()
  const now = () => time
  return {
    environment: {
      wallClock: now,
      monotonic: now,
      setTimer: () => undefined,
      clearTimer: () => {},
      isOnline: () => true,
    },
    pass: (span: number) => void (time += span),
  }
}

/** The same reader, and how many subscriptions on it are open. */
export function counted(reader: TokenReader) {
  const open = new Set<symbol>()
  return {
    open,
    reader: {
      ...reader,
      subscribe(listener: () => void) {
        const own = Symbol('subscription')
        open.add(own)
        const leave = reader.subscribe(listener)
        return () => {
          open.delete(own)
          leave()
        }
      },
    } satisfies TokenReader,
  }
}
