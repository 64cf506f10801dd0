import type { AuthSnapshot, BridgeEvent, SecureTokenBridge } from '@token-bridge/core'
import { describe, expect, it } from 'vitest'
import { adapterContract, type AdapterHarness } from './adapter-contract.ts'

type Apply = (
  event: BridgeEvent,
  snapshot: AuthSnapshot,
  store: { auth: AuthSnapshot; write(auth: AuthSnapshot): void },
  bridge: SecureTokenBridge,
) => void

const faithful: Apply = (_event, snapshot, store) => {
  if (snapshot !== store.auth) store.write(snapshot)
}

/** A store in its smallest form, with a binding that may be wrong on purpose. */
function harness(apply: Apply, begin?: (snapshot: AuthSnapshot) => AuthSnapshot) {
  return (bridge: SecureTokenBridge): AdapterHarness => {
    const listeners = new Set<() => void>()
    const store = {
      auth: begin ? begin(bridge.snapshot) : bridge.snapshot,
      write(auth: AuthSnapshot) {
        store.auth = auth
        for (const listener of listeners) listener()
      },
    }
    const detach = bridge.attach({
      name: 'test',
      apply: (event, snapshot) => apply(event, snapshot, store, bridge),
    })
    return {
      getAuth: () => store.auth,
      getState: () => store,
      subscribe(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      dispose: detach,
    }
  }
}

/** Runs the contract and returns the titles that failed. */
async function failures(create: (bridge: SecureTokenBridge) => AdapterHarness): Promise<string[]> {
  const tests: [string, () => Promise<void>][] = []
  adapterContract('broken', create, {
    describe: (_title, body) => body(),
    it: (title, body) => tests.push([title, body]),
    expect,
  })
  const failed: string[] = []
  for (const [title, body] of tests) {
    await body().catch(() => failed.push(title))
  }
  return failed
}

adapterContract('a faithful store', harness(faithful), { describe, it, expect })

adapterContract(
  'a faithful store without subscribe',
  (bridge) => {
    const { getAuth, dispose } = harness(faithful)(bridge)
    return { getAuth, dispose }
  },
  { describe, it, expect },
)

const stale: AuthSnapshot = Object.freeze({
  status: 'error',
  mode: 'legacy',
  generation: 0,
  expiresAt: null,
  error: null,
})

describe('adapterContract', () => {
  it('finds nothing wrong with a faithful store', async () => {
    expect(await failures(harness(faithful))).toEqual([])
  })

  it('finds a store that does not begin with the snapshot', async () => {
    expect(await failures(harness(faithful, () => stale))).toEqual([
      'begins with the snapshot of a bridge that has not begun',
      'catches up within a microtask when it comes after the token',
    ])
  })

  it('finds a store that comes late and stays behind', async () => {
    const empty: AuthSnapshot = { ...stale, status: 'loading', mode: 'bridge' }

    expect(await failures(harness(faithful, () => empty))).toEqual([
      'catches up within a microtask when it comes after the token',
    ])
  })

  it.each<readonly [BridgeEvent['type'], string]>([
    ['token-rotated', 'follows a rotation'],
    ['auth-reset', 'follows a reset in the same turn, and the sign-in after it'],
    ['auth-reset', 'follows a session that the server has ended'],
    ['maintenance-entered', 'follows into maintenance and out of it'],
    ['mode-changed', 'follows a change of mode and back'],
  ])('finds a store that misses %s: %s', async (missed, title) => {
    const apply: Apply = (event, snapshot, store, bridge) => {
      if (event.type !== missed) faithful(event, snapshot, store, bridge)
    }

    expect(await failures(harness(apply))).toContain(title)
  })

  it('finds a store that writes twice', async () => {
    const twice: Apply = (event, snapshot, store, bridge) => {
      faithful(event, snapshot, store, bridge)
      if (event.type === 'token-rotated') store.write({ ...snapshot })
    }

    expect(await failures(harness(twice))).toEqual([
      'shows each generation once and in order',
      'keeps the order when somebody who is told of a token brings the next one',
    ])
  })

  it('finds a store that changes after remotes were told', async () => {
    const late: Apply = (event, snapshot, store, bridge) =>
      queueMicrotask(() => faithful(event, snapshot, store, bridge))

    expect(await failures(harness(late))).toContain('has changed before any remote is told')
  })

  it.each<[string, (snapshot: AuthSnapshot, report: () => void) => AuthSnapshot | null]>([
    ['keeps what somebody else writes', (snapshot, report) => (report(), snapshot)],
    ['does not report what it drops', () => null],
    ['reports it twice', (_snapshot, report) => (report(), report(), null)],
  ])('finds a store that %s', async (_, take) => {
    const create = (bridge: SecureTokenBridge): AdapterHarness => {
      let auth = bridge.snapshot
      const dispose = bridge.attach({ name: 'test', apply: (_event, next) => void (auth = next) })
      return {
        getAuth: () => auth,
        dispose,
        forge(snapshot) {
          auth = take(snapshot, () => bridge.reportViolation('store-write', 'test')) ?? auth
        },
      }
    }

    expect(await failures(create)).toEqual([
      'drops and reports what somebody else writes, and follows on',
    ])
  })

  it('finds a store that keeps what its persistence brings back', async () => {
    const create = (bridge: SecureTokenBridge): AdapterHarness => {
      let auth = bridge.snapshot
      const dispose = bridge.attach({ name: 'test', apply: (_event, next) => void (auth = next) })
      return { getAuth: () => auth, dispose, rehydrate: (stored) => void (auth = stored) }
    }

    expect(await failures(create)).toEqual(['brings no session back that was stored before'])
  })

  it('finds a store that goes on after it was disposed of', async () => {
    expect(await failures((bridge) => ({ ...harness(faithful)(bridge), dispose() {} }))).toEqual([
      'is told nothing more once it is disposed of',
    ])
  })

  it('shows as skipped what the harness does not offer', async () => {
    const skipped: string[] = []
    const titles: string[] = []
    const note = (title: string) => titles.push(title)
    const tools = { describe: (_: string, body: () => void) => body(), expect }
    adapterContract('plain', harness(faithful), {
      ...tools,
      it: Object.assign(note, { skip: (title: string) => skipped.push(title) }),
    })
    expect(skipped).toEqual([
      'drops and reports what somebody else writes, and follows on: the harness has no `forge`',
      'brings no session back that was stored before: the harness has no `rehydrate`',
    ])
    const count = titles.length
    adapterContract('plain', harness(faithful), { ...tools, it: (title) => note(title) })
    expect(titles.slice(count).filter((title) => title.endsWith('(skipped)'))).toEqual(
      skipped.map((title) => `${title} (skipped)`),
    )
  })

  it('finds a token in the auth state of a store that shows nothing else', async () => {
    const leaky: Apply = (_event, snapshot, store, bridge) => {
      const token = bridge.reader('leak').current()
      const error = token && { code: 'ERR_CONFIG' as const, message: token.accessToken }
      store.write({ ...snapshot, error })
    }
    const create = (bridge: SecureTokenBridge): AdapterHarness => {
      const { getAuth, dispose } = harness(leaky)(bridge)
      return { getAuth, dispose }
    }

    expect(await failures(create)).toContain('holds no token, whatever has happened')
  })

  it('finds a token elsewhere in the state, and only there', async () => {
    const create = (bridge: SecureTokenBridge): AdapterHarness => {
      const store = harness(faithful)(bridge)
      const reader = bridge.reader('leak')
      const cache = new Map<string, unknown>()
      reader.subscribe(() => cache.set('token', reader.current()))
      return { ...store, getState: () => ({ cache }) }
    }

    expect(await failures(create)).toEqual(['holds no token, whatever has happened'])
  })

  it('disposes of every store, also when a test fails', async () => {
    let alive = 0
    await failures((bridge) => {
      const store = harness(faithful, () => stale)(bridge)
      alive += 1
      return {
        ...store,
        dispose() {
          alive -= 1
          store.dispose()
        },
      }
    })

    expect(alive).toBe(0)
  })
})
