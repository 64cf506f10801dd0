import type { AccessToken, AuthStatus, TokenReader } from '@token-bridge/core'
import { computed, customRef, onScopeDispose, type ComputedRef, type Ref } from 'vue'

export interface Auth {
  readonly status: ComputedRef<AuthStatus>
  readonly token: ComputedRef<string | null>
  readonly fetch: typeof globalThis.fetch
}

/** Follows the reader for as long as the component, or the effect scope, lives. */
export function useAuth(auth: TokenReader): Auth {
  const snapshot = following(auth, () => auth.snapshot())
  const token: Ref<AccessToken | null> = following(auth, () => auth.current())
  return {
    // Computed: what reads the status does not run again because the token rotates.
    status: computed(() => snapshot.value.status),
    token: computed(() => token.value?.accessToken ?? null),
    fetch: auth.fetch,
  }
}

/** A ref that holds nothing itself: it reads, and says when to read again. */
function following<Value>(auth: TokenReader, read: () => Value): Ref<Value> {
  return customRef((track, trigger) => {
    onScopeDispose(auth.subscribe(trigger))
    return {
      get() {
        track()
        return read()
      },
      set() {},
    }
  })
}
