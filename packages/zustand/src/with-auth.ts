import type { SecureTokenBridge } from '@token-bridge/core'
import type { AuthSnapshot, BridgeEvent } from '@token-bridge/core/state'
import type { StateCreator, StoreMutatorIdentifier } from 'zustand/vanilla'

/** The part of the bridge that the adapter uses. */
export type AuthBridge = Pick<SecureTokenBridge, 'attach' | 'snapshot' | 'reportViolation'>

/** What `withAuth` adds to a store's state: the bridge's snapshot, and no token. */
export interface AuthSlice {
  readonly auth: AuthSnapshot
}

type Mutators = [StoreMutatorIdentifier, unknown][]

/** `set` as every middleware passes it on: a third argument names the action for devtools. */
type AnySet = (partial: unknown, replace?: boolean, ...rest: unknown[]) => void

/**
 * Adds the key `auth` to a Zustand store and keeps it equal to the bridge's snapshot: the one line that a Zustand host
 * adds. Nobody else can write, remove or replace the key: such a write is dropped and reported as a violation, and the
 * rest of it goes through.
 *
 * @example
 * const useStore = create<Cart & AuthSlice>()(withAuth(bridge)((set) => ({ items: [] })))
 */
export function withAuth(
  bridge: AuthBridge,
): <T extends AuthSlice, Mps extends Mutators = [], Mcs extends Mutators = []>(
  initializer: StateCreator<T, Mps, Mcs, Omit<T, 'auth'>>,
) => StateCreator<T, Mps, Mcs> {
  return (initializer) => (set, get, api) => {
    const write = set as AnySet

    /** A write as it may happen: without the key, and with the rest of it. */
    function checked(next: unknown, isReplacement: boolean, state: unknown): unknown {
      // An Immer recipe returns nothing, or the draft that it was given.
      if (typeof next !== 'object' || next === null || next === state) return next
      const { auth, ...others }: Partial<AuthSlice> = next
      const touched = 'auth' in next ? auth !== bridge.snapshot : isReplacement
      if (touched) bridge.reportViolation('store-write', 'a write to the key "auth" was dropped')
      if (isReplacement) return { ...others, auth: bridge.snapshot }
      return 'auth' in next ? others : next
    }

    function guard(setState: AnySet): AnySet {
      return (partial, replace, ...rest) => {
        // Functions are handed down as functions, so that an Immer around us still gives them its draft.
        const change: unknown =
          typeof partial === 'function'
            ? (state: unknown) => checked(partial(state), replace === true, state)
            : checked(partial, replace === true, undefined)
        setState(change, replace, ...rest)
      }
    }

    const guarded = guard(write)
    api.setState = guard(api.setState as AnySet)

    bridge.attach({
      name: 'zustand',
      apply(event, snapshot) {
        if (snapshot !== get().auth) write({ auth: snapshot }, false, actionName(event))
      },
    })
    // Some middlewares, `persist` among them, keep a `set` of their own from before us: mend what they wrote at once.
    api.subscribe((state: AuthSlice) => {
      if (state.auth === bridge.snapshot) return
      bridge.reportViolation('store-write', 'the key "auth" was replaced and has been restored')
      write({ auth: bridge.snapshot }, false, 'auth/statusChanged')
    })

    const initial = initializer(guarded as typeof set, get, api)
    return { ...initial, auth: bridge.snapshot } as unknown as ReturnType<StateCreator<never>>
  }
}

function actionName(event: BridgeEvent): string {
  if (event.type === 'token-rotated') return 'auth/tokenRotated'
  if (event.type === 'auth-reset') return 'auth/authReset'
  return 'auth/statusChanged'
}
