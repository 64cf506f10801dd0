import type { SecureTokenBridge } from '@token-bridge/core'
import { initialSnapshot, type AuthSnapshot, type BridgeEvent } from '@token-bridge/core/state'
import { createMarks, harmless, isSnapshot } from '@token-bridge/core/store-view'
import type { StateCreator, StoreMutatorIdentifier } from 'zustand/vanilla'
import { leaveOutOfStorage, withoutKey } from './leave-out-of-storage.ts'

/** The part of the bridge that the adapter uses. */
export type AuthBridge = Pick<SecureTokenBridge, 'attach' | 'snapshot' | 'reportViolation'>

/** What `withAuth` adds to a store's state: the bridge's snapshot, and no token. */
export interface AuthSlice {
  /** What the bridge says. The very object, so it compares by identity. */
  readonly auth: AuthSnapshot
}

/** How the store is connected. */
export interface WithAuthOptions {
  /**
   * Ends the connection, for a store that does not live as long as the bridge: one of a request, a test, a hot reload.
   * Without it the bridge keeps the store for as long as there is the bridge.
   */
  readonly signal?: AbortSignal
}

type Mutators = [StoreMutatorIdentifier, unknown][]

type Write<T, U> = Omit<T, keyof U> & U

/** One argument too few, so that a signature does not fit when it cannot find out what the state is. */
type IfKnown<Keys> = [Keys] extends [never] ? [unknown: never] : []

/** The middleware: takes a store's initializer and returns one with the key `auth`. */
export interface WithAuth {
  /** The state is given, as by `create<State>()`: the initializer returns the rest of it. */
  <T extends AuthSlice, Mps extends Mutators = [], Mcs extends Mutators = []>(
    initializer: StateCreator<T, Mps, Mcs, Omit<T, 'auth'>>,
    ...known: IfKnown<Exclude<keyof T, 'auth'>>
  ): StateCreator<T, Mps, Mcs>
  /** The state is what the initializer says, as `combine` and `redux` do, or a part of it, inside of `combine`. */
  <T, Mps extends Mutators = [], Mcs extends Mutators = [], U = T>(
    initializer: StateCreator<T, Mps, Mcs, U>,
  ): [T, U] extends [U, T]
    ? StateCreator<Write<T, AuthSlice>, Mps, Mcs>
    : StateCreator<T, Mps, Mcs, U & AuthSlice>
}

/** `set` as every middleware passes it on: a third argument names the action for devtools. */
type AnySet = (partial: unknown, replace?: boolean, ...rest: unknown[]) => unknown

/** What of the store's own interface is used here, whatever the other middlewares have made of it. */
interface AnyStore {
  setState: AnySet
  getInitialState(): object
  subscribe(listener: (state: unknown) => void): () => void
}

type AnyCreator = (set: AnySet, get: () => unknown, api: AnyStore) => object

/**
 * Adds the key `auth` to a Zustand store and keeps it equal to the bridge's snapshot: the one line that a Zustand host
 * adds, inside or outside of other middlewares. Nobody else can write, remove or replace the key: what is attempted is
 * dropped and reported as a violation, and the rest of the write goes through. `persist` does not store it.
 *
 * @example
 * const useStore = create<Cart & AuthSlice>()(withAuth(bridge)((set) => ({ items: [] })))
 */
export function withAuth(bridge: AuthBridge, options: WithAuthOptions = {}): WithAuth {
  const middleware =
    (initializer: AnyCreator): AnyCreator =>
    (set, get, api) =>
      createGuarded(bridge, options, initializer, set, get, api)
  return middleware as unknown as WithAuth
}

function createGuarded(
  bridge: AuthBridge,
  { signal }: WithAuthOptions,
  initializer: AnyCreator,
  set: AnySet,
  get: () => unknown,
  api: AnyStore,
): object {
  // As a server renders it, whatever its bridge or the one of this page holds already: else hydration would not match.
  let told = initialSnapshot
  /** What may come back with a state of the store's own past, and is no attempt to write. */
  const issued = createMarks()
  issued.add(told)
  let put = set
  let isMade = false
  let isComplete = false
  /** The state as the app left it, while a write of ours is under way. */
  let left: unknown

  /** A write of the app's that happens within ours changes more than the key, and is stored as any other. */
  function isQuiet(): boolean {
    const state = get()
    if (left === undefined || isSameBesidesKey(left, state)) return left !== undefined
    left = state
    return false
  }

  function tell(snapshot: AuthSnapshot, action: string): void {
    // Not before there is a state: `persist` does not yet ask us what to leave out.
    if (!isMade) return
    told = snapshot
    issued.add(snapshot)
    write(action)
  }

  function write(action: string): void {
    const before = left
    left = get()
    try {
      put({ auth: told }, false, action)
    } finally {
      left = before
    }
  }

  function review(state: unknown): void {
    const auth = authOf(state)
    if (isSnapshot(auth, told) || issued.has(auth)) return
    // `persist` may begin with what the initializer has written, which had no key yet.
    if (auth === undefined && !isComplete) return
    bridge.reportViolation('store-write', 'a write to the key "auth" was dropped')
  }

  /** What may replace the whole state. It is not ours to change, and may be frozen, so it is copied. */
  function replacement(next: unknown): unknown {
    if (authOf(next) === (isMade ? told : undefined)) return next
    review(next)
    return isMade ? locked(next, told) : withoutKey(next)
  }

  function guard(setState: AnySet): AnySet {
    return (partial, replace, ...rest) => {
      if (replace !== true) return setState(partial, replace, ...rest)
      const change: unknown =
        typeof partial === 'function'
          ? (state: unknown) => {
              const next: unknown = partial(state)
              // Given a draft it is an Immer recipe, and may have changed that instead.
              const isRecipe = state !== get() && (next === undefined || next === state)
              return isRecipe ? next : replacement(next)
            }
          : replacement(partial)
      return setState(change, replace, ...rest)
    }
  }

  api.setState = guard(api.setState)
  leaveOutOfStorage(api, isQuiet)

  // Before anybody else hears of a new state it has the key, whoever made it, and nobody can take it out again.
  api.subscribe((state) => {
    // An initializer that is not done yet may write what has no key, and nothing else.
    if (!isMade && authOf(state) === undefined) return
    review(state)
    if (isObject(state) && (isMade ? tryLock(state, told) : Reflect.deleteProperty(state, 'auth')))
      return
    write('auth/statusChanged')
  })

  const detach = bridge.attach({
    name: 'zustand',
    apply(event, snapshot) {
      // A reader that is revoked changes no state, but what a selector makes of it.
      if (snapshot !== told || event.type === 'reader-revoked') tell(snapshot, actionName(event))
    },
  })
  if (signal?.aborted === true) detach()
  else signal?.addEventListener('abort', detach, { once: true })

  const { getInitialState } = api
  const initial = initializer(guard(set), get, api)
  isMade = true
  // With all middlewares around it, and before anybody can put something else in its place.
  put = api.setState
  const lockInitial = (): boolean => tryLock(api.getInitialState(), initialSnapshot)
  // A middleware inside of us says that what it has is the initial state, which Zustand's own cannot be asked for yet.
  if (api.getInitialState !== getInitialState) lockInitial()
  queueMicrotask(
    harmless(() => {
      isComplete = true
      // A middleware around us may have made a copy of what we return.
      lockInitial()
      if (signal?.aborted === true) return
      if (authOf(get()) !== bridge.snapshot) tell(bridge.snapshot, 'auth/statusChanged')
    }),
  )
  return tryLock(initial, told) ? initial : locked(initial, told)
}

/** Sets the key for good: it can be neither written nor deleted. Tells whether the object let it. */
function tryLock(state: object, auth: AuthSnapshot): boolean {
  return Reflect.defineProperty(state, 'auth', {
    value: auth,
    enumerable: true,
    writable: false,
    configurable: false,
  })
}

/** A copy with the key. */
function locked(state: unknown, auth: AuthSnapshot): object {
  const copy: object = { ...(state as object), auth }
  tryLock(copy, auth)
  return copy
}

/** Whether nothing but the key differs, at the first level of two states. */
function isSameBesidesKey(before: unknown, after: unknown): boolean {
  if (!isObject(before) || !isObject(after)) return before === after
  const keys = new Set([...Reflect.ownKeys(before), ...Reflect.ownKeys(after)])
  keys.delete('auth')
  return [...keys].every((key) => Object.is(Reflect.get(before, key), Reflect.get(after, key)))
}

function authOf(state: unknown): unknown {
  return isObject(state) ? (state as Partial<AuthSlice>).auth : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function actionName(event: BridgeEvent): string {
  if (event.type === 'token-rotated') return 'auth/tokenRotated'
  if (event.type === 'auth-reset') return 'auth/authReset'
  return 'auth/statusChanged'
}
