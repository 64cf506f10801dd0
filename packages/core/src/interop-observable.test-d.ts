import { from, map, type Observable, type ObservableInput } from 'rxjs'
import { expectTypeOf } from 'vitest'
import type { InteropObservable } from './interop-observable.ts'
import type { TokenReader } from './reader.ts'
import type { AuthSnapshot } from './state.ts'
import type { AccessToken } from './token.ts'

declare const reader: TokenReader
declare const token: AccessToken
declare const snapshot: AuthSnapshot

// RxJS takes what a reader hands out, and keeps its type.
const token$: Observable<AccessToken> = from(reader.getToken())
const snapshot$: Observable<AuthSnapshot> = from(reader.snapshot$)
const generation$: Observable<number> = token$.pipe(map(({ generation }) => generation))
const input: ObservableInput<AccessToken> = reader.getToken()
expectTypeOf(reader.getToken).returns.toEqualTypeOf<InteropObservable<AccessToken>>()

// @ts-expect-error a stream of snapshots is no stream of tokens
const wrong: Observable<AccessToken> = from(reader.snapshot$)
// @ts-expect-error it is no RxJS object: operators come with from()
reader.getToken().pipe(map(({ generation }) => generation))
// @ts-expect-error nor has it the way in that a Subject has
reader.getToken().next(token)

// A reader reads.
expectTypeOf<keyof TokenReader>().toEqualTypeOf<
  | 'remote'
  | 'getToken'
  | 'current'
  | 'ready'
  | 'validateToken'
  | 'snapshot'
  | 'snapshot$'
  | 'subscribe'
  | 'report'
  | 'fetch'
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
type Data = Omit<AccessToken, 'toJSON'>
expectTypeOf<Data>().toEqualTypeOf<Readonly<Data>>()
expectTypeOf<AuthSnapshot>().toEqualTypeOf<Readonly<AuthSnapshot>>()
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
