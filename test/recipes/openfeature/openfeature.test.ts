import { InMemoryProvider, OpenFeature } from '@openfeature/web-sdk'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { eventually, LEGACY_TOKEN, openPage } from '../support.ts'
import { createBridge } from './create-bridge.ts'

const flags = (isOn: boolean) => ({
  ENABLE_SECURE_TOKEN_BRIDGE: {
    variants: { on: true, off: false },
    defaultVariant: isOn ? 'on' : 'off',
    disabled: false,
  },
})

let provider = new InMemoryProvider(flags(true))
beforeEach(() => {
  provider = new InMemoryProvider(flags(true))
})
afterEach(() => OpenFeature.clearProviders())

function setUp() {
  const legacy = vi.fn<() => Promise<{ accessToken: string; expiresAt: number }>>(async () => ({
    accessToken: LEGACY_TOKEN,
    expiresAt: Date.now() + 300_000,
  }))
  const page = openPage({ makeBridge: (config) => createBridge(legacy, config) })
  const call = () => page.reader.fetch('https://api.example/orders').then(({ status }) => status)
  return { page, legacy, call }
}

it('asks nobody before the provider has spoken', async () => {
  const { page, legacy } = setUp()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect([page.syncs, legacy.mock.calls.length]).toEqual([0, 0])
  expect(page.reader.snapshot().status).toBe('loading')
})

it('goes through the bridge while the flag is on', async () => {
  await OpenFeature.setProviderAndWait(provider)
  const { page, legacy, call } = setUp()
  expect(await call()).toBe(200)
  expect(page.calls).toEqual([{ token: 'token-1', status: 200 }])
  expect(legacy).not.toHaveBeenCalled()
})

it('syncs once for an expired token and once for one that is refused', async () => {
  await OpenFeature.setProviderAndWait(provider)
  const { page, call } = setUp()
  await call()
  page.expireToken()
  await call()
  expect(page.syncs).toBe(2)
  page.revokeToken()
  expect(await call()).toBe(200)
  expect(page.syncs).toBe(3)
  expect(page.calls.map(({ token }) => token)).toEqual(['token-1', 'token-2', 'token-2', 'token-3'])
})

it('goes the old way as soon as the flag is off, and back, through the same reader and without a reload', async () => {
  await OpenFeature.setProviderAndWait(provider)
  const { page, legacy, call } = setUp()
  await call()
  await provider.putConfiguration(flags(false))
  await eventually(() => expect(page.reader.snapshot().mode).toBe('legacy'))
  expect(page.reader.current()?.accessToken).not.toBe('token-1')
  await call()
  expect(page.calls.at(-1)?.token).toBe(LEGACY_TOKEN)
  expect(legacy).toHaveBeenCalledTimes(1)
  await provider.putConfiguration(flags(true))
  await eventually(() => expect(page.reader.snapshot().mode).toBe('bridge'))
  await call()
  expect(page.calls.at(-1)?.token).toMatch(/^token-\d$/)
})

it('stays signed out when the flag changes', async () => {
  await OpenFeature.setProviderAndWait(provider)
  const { page, legacy, call } = setUp()
  await call()
  await page.bridge.reset('sign-out')
  await provider.putConfiguration(flags(false))
  await eventually(() => expect(page.reader.snapshot().mode).toBe('legacy'))
  await expect(call()).rejects.toMatchObject({ code: 'ERR_SIGNED_OUT' })
  expect(page.calls).toHaveLength(1)
  expect(legacy).not.toHaveBeenCalled()
})
