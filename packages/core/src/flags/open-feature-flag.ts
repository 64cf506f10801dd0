import { createListeners } from '../listeners.ts'
import { reportFault } from '../report-fault.ts'
import { flagError, refuseArgument, requireText } from './flag-error.ts'
import type { FlagStream } from './watch-flag.ts'

/** The part of a `Client` of `@openfeature/web-sdk` that is used, so that nothing of the SDK is imported. */
export interface OpenFeatureClient {
  getBooleanDetails(
    flagKey: string,
    defaultValue: boolean,
  ): { readonly value: boolean; readonly reason?: string; readonly errorCode?: string }
  addHandler(event: string, handler: () => void): void
  removeHandler(event: string, handler: () => void): void
}

/** The provider's events after which the flag may have another value. */
const CHANGES = ['PROVIDER_READY', 'PROVIDER_CONFIGURATION_CHANGED', 'PROVIDER_CONTEXT_CHANGED']

/** The events by which a provider says that its values may be wrong by now. */
const TROUBLES = ['PROVIDER_ERROR', 'PROVIDER_STALE']

/**
 * A flag that an OpenFeature provider keeps, whichever it is.
 *
 * It says nothing while the provider is not ready. A default value is never taken for an answer: an unknown flag, one of
 * another type, one that is disabled, and a provider in trouble are errors, and the last known value stays. To tell a
 * default from an answer the flag is evaluated with both defaults, so hooks may run twice.
 *
 * @param client - from `OpenFeature.getClient()` of `@openfeature/web-sdk`.
 * @throws AuthError `ERR_CONFIG`, which names the argument. Subscribers are told of `ERR_FLAG`.
 * @see https://openfeature.dev/specification/sections/events
 * @example
 * createTokenBridge({ enabled: openFeatureFlag(OpenFeature.getClient(), 'enable-secure-token-bridge') })
 */
export function openFeatureFlag(client: OpenFeatureClient, name: string): Required<FlagStream> {
  for (const method of ['getBooleanDetails', 'addHandler', 'removeHandler'] as const) {
    if (typeof (client as OpenFeatureClient | null | undefined)?.[method] !== 'function') {
      refuseArgument('openFeatureFlag', 'client', 'a client, such as OpenFeature.getClient()')
    }
  }
  requireText('openFeatureFlag', 'name', name, 'enable-secure-token-bridge')
  const readers = createListeners<void>(reportFault)

  return Object.freeze<Required<FlagStream>>({
    recheck: () => readers.emit(),
    subscribe(observer) {
      let isEnded = false
      let isReadPlanned = false
      function read(): void {
        isReadPlanned = false
        if (isEnded) return
        const answer = evaluate(client, name)
        if (typeof answer === 'boolean') observer.next(answer)
        // Not an answer and no trouble: PROVIDER_READY comes.
        else if (answer !== 'PROVIDER_NOT_READY') observer.error(flagError(name, answer))
      }
      // The SDK tells of a new provider before its clients have it: who asks at once asks the old one.
      function readSoon(): void {
        if (isReadPlanned) return
        isReadPlanned = true
        void Promise.resolve().then(read)
      }
      const handlers = [
        ...CHANGES.map((event) => ({ event, handler: readSoon })),
        ...TROUBLES.map((event) => ({
          event,
          handler() {
            if (!isEnded) observer.error(flagError(name, event))
          },
        })),
      ]
      // First, because a client in trouble calls the handlers of that at once, and its provider may still know a value.
      read()
      const remove = readers.add(read)
      for (const { event, handler } of handlers) client.addHandler(event, handler)
      return {
        unsubscribe() {
          isEnded = true
          remove()
          for (const { event, handler } of handlers) client.removeHandler(event, handler)
        },
      }
    },
  })
}

/** The flag's value, or why there is none. */
function evaluate(client: OpenFeatureClient, name: string): boolean | string {
  for (const fallback of [true, false]) {
    const { value, reason, errorCode } = client.getBooleanDetails(name, fallback)
    // The SDK's stand-in for a provider, which it calls ready as soon as a context is set.
    if (reason === 'No-op') return 'PROVIDER_NOT_READY'
    if (errorCode) return errorCode
    if (typeof value !== 'boolean') return 'TYPE_MISMATCH'
    if (value !== fallback) return value
  }
  return 'the provider gave back the default.'
}
