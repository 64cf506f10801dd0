import {
  ErrorCode,
  InMemoryProvider,
  OpenFeature,
  OpenFeatureEventEmitter,
  ProviderEvents,
  ProviderFatalError,
  type Client,
  type Provider,
} from '@openfeature/web-sdk'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isAuthError, type AuthError } from '../errors.ts'
import { recordedEnvironment, thrown } from '../fixtures.test.support.ts'
import { openFeatureFlag, type OpenFeatureClient } from './open-feature-flag.ts'
import { watchFlag, type FlagStream } from './watch-flag.ts'

const NAME = 'enable-secure-token-bridge'

/** The API is one for the realm: each test has a domain, and so a client and a provider, of its own. */
let domain = ''
let tests = 0
let client: Client
beforeEach(() => {
  tests += 1
  domain = `test-${tests}`
  client = OpenFeature.getClient(domain)
})
afterEach(async () => {
  const left = Object.values(ProviderEvents).flatMap((event) => client.getHandlers(event))
  if (left.length > 0) throw new Error(`${left.length} handler(s) left behind`)
  await OpenFeature.clearProviders()
  await OpenFeature.clearContext()
})

const variants = { on: true, off: false }
const flagIs = (variant: string, disabled = false) => ({
  [NAME]: { variants, defaultVariant: variant, disabled },
})

function heard(flag: FlagStream) {
  const log: (boolean | string)[] = []
  const subscription = flag.subscribe({
    next: (enabled) => void log.push(enabled),
    error(error) {
      expect(isAuthError(error, 'ERR_FLAG')).toBe(true)
      log.push((error as AuthError).message.replace(`The flag '${NAME}' could not be read: `, ''))
    },
  })
  return { log, ...subscription }
}

/** Lets the SDK's promises and ours run. */
const settle = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 0))

/** A provider that keeps its flags elsewhere: it begins and changes context when the test says so. */
function remoteProvider(answer: Provider['resolveBooleanEvaluation']) {
  const events = new OpenFeatureEventEmitter()
  const gate: { open(): void; shut(reason: Error): void } = { open() {}, shut() {} }
  const wait = (): Promise<void> =>
    new Promise((resolve, reject) => {
      gate.open = resolve
      gate.shut = reject
    })
  const unused = (): never => {
    throw new Error('not asked for')
  }
  const provider: Provider = {
    metadata: { name: 'remote' },
    runsOn: 'client',
    events,
    initialize: wait,
    onContextChange: wait,
    resolveBooleanEvaluation: answer,
    resolveNumberEvaluation: unused,
    resolveStringEvaluation: unused,
    resolveObjectEvaluation: unused,
  }
  return { provider, events, gate }
}

describe('a provider that is ready', () => {
  it.each([
    ['on', true],
    ['off', false],
  ])('answers at once: %s', async (variant, enabled) => {
    await OpenFeature.setProviderAndWait(domain, new InMemoryProvider(flagIs(variant)))
    const { log, unsubscribe } = heard(openFeatureFlag(client, NAME))
    expect(log).toEqual([enabled])
    unsubscribe()
  })

  it('brings every change of its configuration, and nothing after the last word', async () => {
    const provider = new InMemoryProvider(flagIs('on'))
    await OpenFeature.setProviderAndWait(domain, provider)
    const { log, unsubscribe } = heard(openFeatureFlag(client, NAME))
    await provider.putConfiguration(flagIs('off'))
    await settle()
    expect(log.at(-1)).toBe(false)
    await provider.putConfiguration(flagIs('on'))
    await settle()
    expect(log.at(-1)).toBe(true)
    const { length } = log
    void provider.putConfiguration(flagIs('off'))
    unsubscribe()
    await settle()
    await provider.putConfiguration(flagIs('off'))
    await settle()
    expect(log).toHaveLength(length)
  })

  it('answers anew for another context', async () => {
    const provider = new InMemoryProvider({
      [NAME]: {
        variants,
        defaultVariant: 'on',
        disabled: false,
        contextEvaluator: ({ region }) => (region === 'eu' ? 'off' : 'on'),
      },
    })
    await OpenFeature.setProviderAndWait(domain, provider)
    const { log, unsubscribe } = heard(openFeatureFlag(client, NAME))
    await settle()
    expect(log.at(-1)).toBe(true)
    await OpenFeature.setContext(domain, { region: 'eu' })
    await settle()
    expect(log.at(-1)).toBe(false)
    unsubscribe()
  })

  it('is asked again on a recheck, for every subscriber', async () => {
    let enabled = true
    const { provider, gate } = remoteProvider(() => ({ value: enabled }))
    const ready = OpenFeature.setProviderAndWait(domain, provider)
    gate.open()
    await ready
    const flag = openFeatureFlag(client, NAME)
    const first = heard(flag)
    const second = heard(flag)
    await settle()
    enabled = false
    flag.recheck()
    expect(first.log.at(-1)).toBe(false)
    expect(second.log.at(-1)).toBe(false)
    first.unsubscribe()
    enabled = true
    flag.recheck()
    expect(first.log.at(-1)).toBe(false)
    expect(second.log.at(-1)).toBe(true)
    second.unsubscribe()
  })
})

describe('a provider that is not ready', () => {
  it('says nothing until it is', async () => {
    const { provider, gate } = remoteProvider(() => ({ value: false }))
    const { log, unsubscribe } = heard(openFeatureFlag(client, NAME))
    const ready = OpenFeature.setProviderAndWait(domain, provider)
    await settle()
    expect(log).toEqual([])
    gate.open()
    await ready
    await settle()
    expect(log).toEqual([false])
    unsubscribe()
  })

  // The SDK emits PROVIDER_READY for a provider without `initialize` before its clients have it.
  it('is heard although it was never not ready', async () => {
    const { log, unsubscribe } = heard(openFeatureFlag(client, NAME))
    expect(log).toEqual([])
    OpenFeature.setProvider(domain, new InMemoryProvider(flagIs('off')))
    await settle()
    expect(log).toEqual([false])
    OpenFeature.setProvider(domain, new InMemoryProvider(flagIs('on')))
    await settle()
    expect(log.at(-1)).toBe(true)
    unsubscribe()
  })

  // The SDK calls its stand-in for a provider ready as soon as a context is set, and it answers with every default.
  it('is not taken for ready when only the stand-in is', async () => {
    await OpenFeature.setContext({ region: 'eu' })
    expect(client.providerStatus).toBe('READY')
    expect(client.getBooleanDetails(NAME, true)).not.toHaveProperty('errorCode')
    const { log, unsubscribe } = heard(openFeatureFlag(client, NAME))
    await settle()
    expect(log).toEqual([])
    OpenFeature.setProvider(domain, new InMemoryProvider(flagIs('off')))
    await settle()
    expect(log).toEqual([false])
    unsubscribe()
  })

  it('that cannot begin is an error, and once it has begun an answer', async () => {
    const { provider, events, gate } = remoteProvider(() => ({ value: false }))
    const { log, unsubscribe } = heard(openFeatureFlag(client, NAME))
    const ready = OpenFeature.setProviderAndWait(domain, provider)
    gate.shut(new Error('no connection'))
    await expect(ready).rejects.toThrow('no connection')
    expect(log).toEqual(['PROVIDER_ERROR'])
    events.emit(ProviderEvents.Ready)
    await settle()
    expect(log).toEqual(['PROVIDER_ERROR', false])
    unsubscribe()
  })

  it('that will never be is an error for who comes later, too', async () => {
    const { provider, gate } = remoteProvider(() => ({ value: false }))
    const ready = OpenFeature.setProviderAndWait(domain, provider)
    gate.shut(new ProviderFatalError('wrong key'))
    await expect(ready).rejects.toThrow('wrong key')
    const { log, unsubscribe } = heard(openFeatureFlag(client, NAME))
    await settle()
    expect(log).toEqual(['PROVIDER_FATAL', 'PROVIDER_ERROR'])
    unsubscribe()
  })
})

describe('a provider in trouble', () => {
  it.each([
    ['PROVIDER_ERROR', ProviderEvents.Error],
    ['PROVIDER_STALE', ProviderEvents.Stale],
  ] as const)('is an error, %s, and then whatever it says next', async (message, event) => {
    const { provider, events, gate } = remoteProvider(() => ({ value: false }))
    const ready = OpenFeature.setProviderAndWait(domain, provider)
    gate.open()
    await ready
    const { log, unsubscribe } = heard(openFeatureFlag(client, NAME))
    await settle()
    log.length = 0
    events.emit(event)
    await settle()
    expect(log).toEqual([message])
    // Who comes now gets what it still knows, and hears that it may be old.
    const late = heard(openFeatureFlag(client, NAME))
    await settle()
    expect(late.log).toEqual([false, message])
    events.emit(ProviderEvents.Ready)
    await settle()
    expect(log).toEqual([message, false])
    unsubscribe()
    late.unsubscribe()
  })

  it('is no news to who has left while others were told', async () => {
    const provider = new InMemoryProvider(flagIs('on'))
    await OpenFeature.setProviderAndWait(domain, provider)
    const flag = openFeatureFlag(client, NAME)
    const first = flag.subscribe({ next() {}, error: () => second.unsubscribe() })
    const second = heard(flag)
    await settle()
    provider.events.emit(ProviderEvents.Error)
    await settle()
    expect(second.log).not.toContain('PROVIDER_ERROR')
    first.unsubscribe()
  })

  it('when it cannot follow a change of context', async () => {
    const mute = (): void => {}
    OpenFeature.setLogger({ error: mute, warn: mute, info: mute, debug: mute })
    const { provider, gate } = remoteProvider(() => ({ value: false }))
    const ready = OpenFeature.setProviderAndWait(domain, provider)
    gate.open()
    await ready
    const { log, unsubscribe } = heard(openFeatureFlag(client, NAME))
    await settle()
    const changed = OpenFeature.setContext(domain, { region: 'eu' })
    gate.shut(new Error('no connection'))
    await changed
    await settle()
    expect(log.at(-1)).toBe('PROVIDER_ERROR')
    unsubscribe()
  })
})

describe('a default value is no answer', () => {
  it.each([
    ['FLAG_NOT_FOUND', {}],
    ['TYPE_MISMATCH', { [NAME]: { variants: { a: 'x' }, defaultVariant: 'a', disabled: false } }],
    ['the provider gave back the default.', flagIs('off', true)],
  ])('%s', async (message, flags) => {
    const provider = new InMemoryProvider(flags)
    await OpenFeature.setProviderAndWait(domain, provider)
    const { log, unsubscribe } = heard(openFeatureFlag(client, NAME))
    await settle()
    expect([...new Set(log)]).toEqual([message])
    await provider.putConfiguration(flagIs('off'))
    await settle()
    expect(log.at(-1)).toBe(false)
    unsubscribe()
  })

  it.each([
    ['GENERAL', () => ({ value: true, errorCode: ErrorCode.GENERAL })],
    ['TYPE_MISMATCH', () => ({ value: 'false' as unknown as boolean })],
  ])('nor is a value with an error, or of another type: %s', async (message, answer) => {
    const { provider, gate } = remoteProvider(answer)
    const ready = OpenFeature.setProviderAndWait(domain, provider)
    gate.open()
    await ready
    const { log, unsubscribe } = heard(openFeatureFlag(client, NAME))
    expect(log).toEqual([message])
    unsubscribe()
    await settle()
  })
})

describe('as the kill switch', () => {
  it('switches off and on, keeps its value through trouble, and leaves nothing behind', async () => {
    const provider = new InMemoryProvider(flagIs('on'))
    await OpenFeature.setProviderAndWait(domain, provider)
    const log: (boolean | 'failure')[] = []
    const watcher = watchFlag(
      openFeatureFlag(client, NAME),
      { onValue: (enabled) => log.push(enabled), onFailure: () => log.push('failure') },
      recordedEnvironment(),
    )
    expect(log).toEqual([true])
    await provider.putConfiguration(flagIs('off'))
    await settle()
    await provider.putConfiguration({})
    await settle()
    expect(log).toEqual([true, false, 'failure'])
    await provider.putConfiguration(flagIs('on'))
    await settle()
    watcher.recheck()
    watcher.stop()
    expect(log).toEqual([true, false, 'failure', true])
  })
})

describe('arguments', () => {
  it.each([
    ['client', () => openFeatureFlag(undefined as unknown as OpenFeatureClient, NAME)],
    ['client', () => openFeatureFlag(OpenFeature as unknown as OpenFeatureClient, NAME)],
    ['name', () => openFeatureFlag(client, '')],
  ])('names `%s` when it is wrong', (argument, call) => {
    const error = thrown(call)
    expect(isAuthError(error, 'ERR_CONFIG')).toBe(true)
    expect((error as AuthError).message).toContain(`openFeatureFlag: \`${argument}\` must be`)
  })
})
