/** Runs in the page: a host with a bridge, and a remote that writes the token somewhere while it hydrates. */
import { createTokenBridge, isAuthError, type BridgeEvent } from '@token-bridge/core'
import {
  createStorageGuard,
  loadGatedRemote,
  type StorageGuard,
} from '@token-bridge/federation/runtime'

/** What became of one write. */
export interface Result {
  /** The code that the load was rejected with, or `mounted`. */
  readonly load: string
  /** What the write threw. */
  readonly thrown: string
  readonly violations: readonly string[]
  /** `remote-mount-failed` and `remote-mounted`, with the reason. */
  readonly mounts: readonly string[]
  readonly unmounts: number
  /** Whether the token was there afterwards, or had come out at the other end. */
  readonly landed: boolean
}

/** What a route does, as source text: it is run in the page. */
export interface RouteSource {
  readonly prepare: string
  readonly write: string
  readonly landed: string
}

export interface GuardHost {
  readonly token: string
  /** Puts one up that is not the next run's own. */
  guard(stays?: boolean): StorageGuard
  run(route: RouteSource, isGuarded: boolean, stays?: boolean): Promise<Result>
  rotate(token: string): void
  readonly events: readonly BridgeEvent[]
  readonly bridge: ReturnType<typeof createTokenBridge>
  readonly loadGatedRemote: typeof loadGatedRemote
}

declare global {
  var guardHost: GuardHost
  /** What a route keeps between its steps. */
  var kept: Record<string, never>
}

/** Like an access token of RFC 9068: 700 characters of which no two stretches are alike. */
function sampleToken(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  let seed = 42
  const part = (length: number): string =>
    Array.from({ length }, () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return alphabet[(seed >> 12) % 64]
    }).join('')
  return `eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.${part(572)}.${part(86)}`
}

const token = sampleToken()
const payload = (accessToken: string) => ({ accessToken, expiresAt: Date.now() + 3_600_000 })
const events: BridgeEvent[] = []
const bridge = createTokenBridge({
  source: async () => payload(token),
  tabs: false,
  telemetry: { logger: { info() {}, warn() {}, error() {} } },
})
bridge.events$.subscribe((event) => events.push(event))

const compile = (source: string): ((token: string) => unknown) =>
  // oxlint-disable-next-line typescript/no-implied-eval -- the routes of the test, which it sends over
  new Function(`return ${source}`)() as (token: string) => unknown

globalThis.kept = {}
globalThis.guardHost = {
  token,
  events,
  bridge,
  loadGatedRemote,
  guard: (stays = false) => createStorageGuard(bridge, { stays }),
  rotate: (next) => bridge.updateToken(payload(next)),
  async run(route, isGuarded, stays = false) {
    const storageGuard = isGuarded ? createStorageGuard(bridge, { stays }) : undefined
    let thrown = ''
    let unmounts = 0
    // Before the guard goes up: what ran here may have kept references.
    await compile(route.prepare)(token)
    const load = await loadGatedRemote(
      bridge,
      'thief',
      async () => {
        try {
          await compile(route.write)(bridge.reader('thief').current()?.accessToken ?? '')
        } catch (error) {
          thrown = isAuthError(error) ? error.code : (error as Error).name
        }
        return () => void (unmounts += 1)
      },
      storageGuard === undefined ? {} : { storageGuard },
    ).then(
      () => 'mounted',
      (error: unknown) => (isAuthError(error) ? error.code : String(error)),
    )
    // The guard of one that was caught stands until its remote has settled.
    await new Promise((resolve) => setTimeout(resolve, 120))
    return {
      load,
      thrown,
      violations: events.flatMap((event) =>
        event.type === 'violation' ? [`${event.kind} ${event.detail}`] : [],
      ),
      mounts: events.flatMap((event) => {
        if (event.type === 'remote-mounted') return ['mounted']
        return event.type === 'remote-mount-failed' ? [event.reason] : []
      }),
      unmounts,
      landed: Boolean(await compile(route.landed)(token)),
    }
  },
}
