import { SecureTokenBridge, type AuthSnapshot } from '@token-bridge/core'
import { createFakeAuthority, type FakeAuthority } from './fake-authority.ts'
import { flagSwitch, type FlagSwitch } from './flag-switch.ts'
import { holdsText } from './holds-text.ts'
import { stillEnvironment, type StillEnvironment } from './still-environment.ts'

/** A store that has been connected to the contract's bridge. */
export interface AdapterHarness {
  /** The auth snapshot as the store holds it. */
  getAuth(): AuthSnapshot
  /** Ends what `create` began: from then on the bridge writes nothing more to this store. */
  dispose(): void
  /** All of the store's state, for the search for tokens. Default: `getAuth()`. */
  getState?(): unknown
  /** Calls back after each write to the store. Without it the order of writes is looked at from a reader. */
  subscribe?(listener: () => void): () => void
  /**
   * Tries to put this snapshot into the store past the bridge, as whoever holds the store could. For stores that report
   * such attempts; without it the contract does not look at them, and that test is skipped.
   */
  forge?(snapshot: AuthSnapshot): void
  /**
   * Brings this snapshot back from where the store is persisted, as a reload of the page would. Without it that test is
   * skipped.
   */
  rehydrate?(snapshot: AuthSnapshot): Promise<void> | void
}

/** The three functions of a test runner that the contract uses; those of Vitest and Jest fit. */
export interface ContractTools {
  /** Groups the tests under a title. */
  readonly describe: (title: string, body: () => void) => unknown
  /** Registers a test. Its `skip` registers one that is shown as skipped; without that such a test says so in its title. */
  readonly it: RegisterTest & { readonly skip?: RegisterTest }
  /** Compares, and throws. */
  readonly expect: (value: unknown) => {
    toBe(expected: unknown): unknown
    toEqual(expected: unknown): unknown
  }
}

type RegisterTest = (title: string, body: () => Promise<void>) => unknown

/**
 * Registers the tests that every store binding has to pass: the store equals the bridge's snapshot after whatever happens,
 * before any remote is told, with each generation once and in order, and without the token.
 *
 * It brings its own bridge, authority and standing clock, so it needs neither network nor fake timers.
 *
 * @param name - of the adapter, for the titles.
 * @param create - makes a store that is connected to this bridge. Called for each test, and once more to see what it offers.
 * @example
 * adapterContract('zustand', (bridge) => {
 *   const life = new AbortController()
 *   const store = createAuthStore(bridge, { signal: life.signal })
 *   return {
 *     getAuth: () => store.getState().auth,
 *     subscribe: store.subscribe,
 *     dispose: () => life.abort(),
 *   }
 * }, { describe, it, expect })
 */
export function adapterContract(
  name: string,
  create: (bridge: SecureTokenBridge) => AdapterHarness,
  { describe, it, expect }: ContractTools,
): void {
  const check = (title: string, body: (host: ContractHost) => Promise<void>): unknown =>
    it(title, async () => {
      const host = createHost()
      try {
        await body(host)
      } finally {
        host.bridge.stop()
      }
    })
  /** As `check`, of a store that offers `method`. */
  function checkWith<Method extends 'forge' | 'rehydrate'>(
    method: Method,
    title: string,
    body: (
      host: ContractHost,
      store: Required<Pick<AdapterHarness, Method>> & AdapterHarness,
    ) => Promise<void>,
  ): unknown {
    if (offers[method])
      return check(title, (host) => connected(host, (store) => body(host, store as never)))
    const skip = it.skip ?? ((skipped, nothing) => it(`${skipped} (skipped)`, nothing))
    return skip(`${title}: the harness has no \`${method}\``, async () => {})
  }
  const offers = offersOf(create)
  /** Runs `body` on a store whose deferred beginnings are over. */
  async function connected(
    { bridge }: ContractHost,
    body: (store: AdapterHarness) => Promise<void> | void,
  ): Promise<void> {
    const store = create(bridge)
    try {
      await microtask()
      await body(store)
    } finally {
      store.dispose()
    }
  }
  /** The store has arrived where the bridge is, which is where this test meant to bring it. */
  function expectAt(
    { bridge }: ContractHost,
    store: AdapterHarness,
    expected: Partial<AuthSnapshot>,
  ): void {
    expect({ ...bridge.snapshot, ...expected }).toEqual(bridge.snapshot)
    expect(store.getAuth()).toEqual(bridge.snapshot)
  }

  describe(`${name} keeps the adapter contract`, () => {
    check('begins with the snapshot of a bridge that has not begun', (host) =>
      connected(host, (store) => expectAt(host, store, { status: 'loading', generation: 0 })),
    )

    check('follows a rotation', (host) =>
      connected(host, async (store) => {
        await host.bridge.rotate()
        expectAt(host, store, { status: 'ready', generation: 1 })
        await host.bridge.rotate()
        expectAt(host, store, { status: 'ready', generation: 2 })
      }),
    )

    check('follows a reset in the same turn, and the sign-in after it', (host) =>
      connected(host, async (store) => {
        await host.bridge.rotate()
        const reset = host.bridge.reset('sign-out')
        expectAt(host, store, { status: 'signed-out', generation: 1, expiresAt: null })
        await reset
        host.bridge.updateToken(host.payload('contract-token'))
        expectAt(host, store, { status: 'ready', generation: 2 })
      }),
    )

    check('follows a session that the server has ended', (host) =>
      connected(host, async (store) => {
        await host.bridge.rotate()
        host.authority.signOut()
        await host.bridge.rotate().catch(() => {})
        expectAt(host, store, { status: 'signed-out', expiresAt: null })
      }),
    )

    check('follows into maintenance and out of it', (host) =>
      connected(host, async (store) => {
        await host.bridge.rotate()
        host.authority.fail(503, { retryAfter: OUTAGE })
        await host.bridge.rotate().catch(() => {})
        expectAt(host, store, { status: 'maintenance', generation: 1 })
        host.authority.recover()
        host.still.advance(OUTAGE)
        await host.bridge.rotate()
        expectAt(host, store, { status: 'ready', generation: 2, error: null })
      }),
    )

    check('follows a change of mode and back', (host) =>
      connected(host, async (store) => {
        host.bridge.start()
        await host.bridge.rotate()
        host.enabled.set(false)
        expectAt(host, store, { mode: 'cookie-only', status: 'ready', expiresAt: null })
        host.enabled.set(true)
        expectAt(host, store, { mode: 'bridge', status: 'loading' })
        await host.bridge.rotate()
        expectAt(host, store, { mode: 'bridge', status: 'ready', generation: 2 })
      }),
    )

    check('catches up within a microtask when it comes after the token', async (host) => {
      await host.bridge.rotate()
      await connected(host, (store) => expectAt(host, store, { status: 'ready', generation: 1 }))
    })

    check('shows each generation once and in order', (host) =>
      connected(host, async (store) => {
        const seen = generations(host.bridge, store)
        for (let count = 0; count < 3; count += 1) await host.bridge.rotate()
        expect(seen).toEqual([1, 2, 3])
      }),
    )

    check('keeps the order when somebody who is told of a token brings the next one', (host) =>
      connected(host, (store) => {
        const seen = generations(host.bridge, store, () => {
          if (store.getAuth().generation === 1) host.bridge.updateToken(host.payload('contract-2'))
        })
        host.bridge.updateToken(host.payload('contract-1'))
        expect(seen).toEqual([1, 2])
        expectAt(host, store, { generation: 2 })
      }),
    )

    check('has changed before any remote is told', (host) =>
      connected(host, async (store) => {
        const reader = host.bridge.reader('contract')
        const told: AuthSnapshot[] = []
        const stored: AuthSnapshot[] = []
        reader.subscribe(() => {
          told.push(reader.snapshot())
          stored.push(store.getAuth())
        })
        await host.bridge.rotate()
        await host.bridge.reset('sign-out')
        expect(told.map(({ status }) => status)).toEqual(['ready', 'signed-out'])
        expect(stored).toEqual(told)
      }),
    )

    checkWith(
      'forge',
      'drops and reports what somebody else writes, and follows on',
      async (host, store) => {
        await host.bridge.rotate()
        store.forge({ ...host.bridge.snapshot, generation: 99 })
        await microtask()
        expectAt(host, store, { status: 'ready', generation: 1 })
        expect(host.bridge.metrics.violations).toBe(1)
        await host.bridge.rotate()
        expectAt(host, store, { status: 'ready', generation: 2 })
      },
    )

    checkWith('rehydrate', 'brings no session back that was stored before', async (host, store) => {
      await host.bridge.rotate()
      const stored = host.bridge.snapshot
      await host.bridge.reset('sign-out')
      await store.rehydrate({ ...stored, generation: 7 })
      await microtask()
      expectAt(host, store, { status: 'signed-out', expiresAt: null })
      host.bridge.updateToken(host.payload('contract-token'))
      expectAt(host, store, { status: 'ready', generation: 2 })
    })

    check('is told nothing more once it is disposed of', async (host) => {
      const seen: number[] = []
      let disposed!: AdapterHarness
      await connected(host, async (store) => {
        await host.bridge.rotate()
        disposed = store
      })
      disposed.subscribe?.(() => seen.push(disposed.getAuth().generation))
      const last = disposed.getAuth()
      await host.bridge.rotate()
      await host.bridge.reset('sign-out')
      await microtask()
      expect(disposed.getAuth()).toBe(last)
      expect(seen).toEqual([])
    })

    check('holds no token, whatever has happened', (host) =>
      connected(host, async (store) => {
        const holdsToken = (): boolean => {
          const state = [store.getAuth(), store.getState?.()]
          const found = [state, JSON.stringify(state)]
          return host.authority.issued.some((token) => holdsText(found, token))
        }
        await host.bridge.rotate()
        expect(holdsToken()).toBe(false)
        await host.bridge.rotate()
        expect(holdsToken()).toBe(false)
        host.authority.fail(503, { retryAfter: OUTAGE })
        await host.bridge.rotate().catch(() => {})
        expect(holdsToken()).toBe(false)
        await host.bridge.reset('sign-out')
        expect(holdsToken()).toBe(false)
        expect(host.authority.issued.length).toBe(2)
      }),
    )
  })
}

/** What the harness has of what it need not have. */
function offersOf(create: (bridge: SecureTokenBridge) => AdapterHarness) {
  const { bridge } = createHost()
  const store = create(bridge)
  const offers = { forge: store.forge !== undefined, rehydrate: store.rehydrate !== undefined }
  store.dispose()
  bridge.stop()
  return offers
}

/** Longer than the bridge waits by itself, in milliseconds, so it goes into maintenance at the first failure. */
const OUTAGE = 60_000

interface ContractHost {
  readonly bridge: SecureTokenBridge
  readonly authority: FakeAuthority
  readonly enabled: FlagSwitch
  readonly still: StillEnvironment
  payload(accessToken: string): { readonly accessToken: string; readonly expiresAt: number }
}

function createHost(): ContractHost {
  const still = stillEnvironment()
  const lifetime = 300_000
  const authority = createFakeAuthority({ now: still.now, lifetime, prefix: 'contract-secret' })
  const enabled = flagSwitch()
  const bridge = new SecureTokenBridge({
    source: authority.source,
    enabled: enabled.flag,
    environment: still.environment,
  })
  const payload = (accessToken: string) => ({ accessToken, expiresAt: still.now() + lifetime })
  return { bridge, authority, enabled, still, payload }
}

/** The generation at each write to the store from now on. */
function generations(
  bridge: SecureTokenBridge,
  store: AdapterHarness,
  onWrite: () => void = () => {},
): number[] {
  const seen: number[] = []
  const look = (): void => {
    seen.push(store.getAuth().generation)
    onWrite()
  }
  if (store.subscribe === undefined) bridge.reader('contract').subscribe(look)
  else store.subscribe(look)
  return seen
}

const microtask = (): Promise<void> => Promise.resolve()
