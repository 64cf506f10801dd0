import { from, map, type Observable, type ObservableInput } from 'rxjs'
import type { InteropObservable } from './interop-observable.ts'
import type { TokenReader } from './reader.ts'
import type { AuthSnapshot } from './state.ts'
import type { AccessToken } from './token.ts'

/** True for two types that are the same, readonly and optional included. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <T extends true>(): T => true as T

declare const reader: TokenReader
declare const token: AccessToken
declare const snapshot: AuthSnapshot

// RxJS takes what a reader hands out, and keeps its type.
const token$: Observable<AccessToken> = from(reader.getToken())
const snapshot$: Observable<AuthSnapshot> = from(reader.snapshot$)
const generation$: Observable<number> = token$.pipe(map(({ generation }) => generation))
const input: ObservableInput<AccessToken> = reader.getToken()
holds<Same<ReturnType<TokenReader['getToken']>, InteropObservable<AccessToken>>>()

// @ts-expect-error a stream of snapshots is no stream of tokens
const wrong: Observable<AccessToken> = from(reader.snapshot$)
// @ts-expect-error it is no RxJS object: operators come with from()
reader.getToken().pipe(map(({ generation }) => generation))
// @ts-expect-error nor has it the way in that a Subject has
reader.getToken().next(token)

// A reader reads.
holds<
  Same<
    keyof TokenReader,
    | 'remote'
    | 'getToken'
    | 'current'
    | 'ready'
    | 'validateToken'
    | 'snapshot'
    | 'snapshot$'
    | 'subscribe'
    | 'fetch'
  >
>()
// @ts-expect-error only the host writes
reader.updateToken({ accessToken: 'a', expiresAt: 1 })
// @ts-expect-error only the host rotates
reader.rotate()
// @ts-expect-error only the host resets
reader.reset('sign-out')
// @ts-expect-error a remote cannot rename itself
reader.remote = 'billing'
// @ts-expect-error nor replace the way out
reader.fetch = globalThis.fetch

// What is handed out cannot be changed.
holds<Same<AccessToken, Readonly<AccessToken>>>()
holds<Same<AuthSnapshot, Readonly<AuthSnapshot>>>()
// @ts-expect-error readonly
token.accessToken = 'forged'
// @ts-expect-error readonly
token.expiresAt = Number.MAX_SAFE_INTEGER
// @ts-expect-error readonly
token.generation += 1
// @ts-expect-error readonly
snapshot.status = 'ready'
// @ts-expect-error a snapshot has no token
void snapshot.accessToken

void [token$, snapshot$, generation$, input, wrong]
