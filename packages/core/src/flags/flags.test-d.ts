import { OpenFeature, type Client } from '@openfeature/web-sdk'
import type { BehaviorSubject, Observable } from 'rxjs'
import { expectTypeOf } from 'vitest'
import type { InteropObservable } from '../interop-observable.ts'
import { openFeatureFlag, type OpenFeatureClient } from './open-feature-flag.ts'
import { pollFlag } from './poll-flag.ts'
import type { FlagSource, FlagStream } from './watch-flag.ts'

declare const client: Client

// The SDK's own client is taken as it is.
expectTypeOf<Client>().toExtend<OpenFeatureClient>()
expectTypeOf(openFeatureFlag(client, 'flag')).toExtend<FlagSource>()
expectTypeOf(openFeatureFlag(OpenFeature.getClient('domain'), 'flag')).toExtend<FlagSource>()
// @ts-expect-error the API is not a client
openFeatureFlag(OpenFeature, 'flag')

// Every way to give the flag.
expectTypeOf<boolean>().toExtend<FlagSource>()
expectTypeOf<() => boolean>().toExtend<FlagSource>()
expectTypeOf<Observable<boolean>>().toExtend<FlagSource>()
expectTypeOf<BehaviorSubject<boolean>>().toExtend<FlagSource>()
expectTypeOf<InteropObservable<boolean>>().toExtend<FlagSource>()
expectTypeOf(pollFlag('/flags.json', 'flag')).toExtend<FlagSource>()

// An async function is a switch that nobody can turn off.
expectTypeOf<() => Promise<boolean>>().not.toExtend<FlagSource>()
expectTypeOf<'false'>().not.toExtend<FlagSource>()
expectTypeOf<Observable<string>>().not.toExtend<FlagStream>()
