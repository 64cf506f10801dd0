import {
  SecureTokenBridge,
  type BridgeConfig,
  type BridgeEvent,
  type TokenPayload,
  type TokenRequest,
} from '@token-bridge/core'
import { vi } from 'vitest'

export const MINUTE = 60_000

/** A token payload that ends `lifetime` milliseconds from now. */
export const payload = (name: string, lifetime = 5 * MINUTE): TokenPayload => ({
  accessToken: name,
  expiresAt: Date.now() + lifetime,
})

/** A source that issues token-1, token-2, … and can be told to answer otherwise. */
export function countingSource(lifetime = 5 * MINUTE) {
  const requests: TokenRequest[] = []
  let answer: (request: TokenRequest) => Promise<TokenPayload | null> = async () =>
    payload(`token-${requests.length}`, lifetime)
  return {
    requests,
    source: (request: TokenRequest) => {
      requests.push(request)
      return answer(request)
    },
    answerWith(next: (request: TokenRequest) => Promise<TokenPayload | null>) {
      answer = next
    },
    issueAgain() {
      answer = async () => payload(`token-${requests.length}`, lifetime)
    },
  }
}

/** A promise with its ends in hand. */
export function deferred<T>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

/** A bridge on a counting source, with its events written down. Not started. */
export function testBridge(config: BridgeConfig = {}) {
  const authority = countingSource()
  const bridge = new SecureTokenBridge({
    source: authority.source,
    origins: ['https://api.test'],
    ...config,
  })
  const events: BridgeEvent[] = []
  bridge.events$.subscribe((event) => events.push(event))
  return { bridge, authority, events, types: () => events.map(({ type }) => type) }
}

/** Lets everything run that is due now. */
export const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)
