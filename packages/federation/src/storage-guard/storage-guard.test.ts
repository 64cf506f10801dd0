import { SecureTokenBridge } from '@token-bridge/core'
import { expect, it, vi } from 'vitest'
import { createStorageGuard } from './storage-guard.ts'

// What it does in a page is tested in a browser: test/storage-guard.

it('only loads where there is no page', async () => {
  const guard = createStorageGuard(new SecureTokenBridge())
  const load = vi.fn<() => Promise<string>>(async () => 'mounted')
  await expect(guard.hydrate('orders', load)).resolves.toBe('mounted')
  expect(load).toHaveBeenCalledTimes(1)
  guard.stop()
})

it('refuses an option of the wrong type by its name', () => {
  expect(() =>
    createStorageGuard(new SecureTokenBridge(), { stays: 'yes' as unknown as boolean }),
  ).toThrow(
    expect.objectContaining({ code: 'ERR_CONFIG', message: expect.stringMatching(/stays/) }),
  )
})
