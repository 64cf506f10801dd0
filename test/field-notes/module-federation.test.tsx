// @vitest-environment happy-dom
/** module-federation/core, module-federation/vite, module-federation-examples, modern-js-examples. */
import { configureStore } from '@reduxjs/toolkit'
import { act, cleanup, render, screen } from '@testing-library/react'
import { isAuthError, SecureTokenBridge, type TokenPayload } from '@token-bridge/core'
import { sharedSingletons } from '@token-bridge/federation/config'
import { AuthProvider, useAuthToken } from '@token-bridge/react'
import {
  authMiddleware,
  authReducer,
  createAuthSelectors,
  readOnlyStore,
} from '@token-bridge/redux'
import { createElement, type ReactNode } from 'react'
import { renderToString } from 'react-dom/server'
import { Provider, useSelector } from 'react-redux'
import { afterEach, expect, it, vi } from 'vitest'

afterEach(cleanup)

const payload = (accessToken: string): TokenPayload => ({
  accessToken,
  expiresAt: Date.now() + 300_000,
})

const Token = ({ of }: { readonly of: string }): ReactNode => (
  <p>
    {of} {useAuthToken()}
  </p>
)

/** The package a second time, as when sharing has failed. */
async function secondCopy() {
  vi.resetModules()
  return import('@token-bridge/core')
}

it('module-federation/core#3170: an error and a reader of a second copy of the package are as good as those of the first', async () => {
  const copy = await secondCopy()
  expect(copy.SecureTokenBridge).not.toBe(SecureTokenBridge)
  const foreign = new copy.AuthError('ERR_SIGNED_OUT', 'Nobody.', { phase: 'read' })
  expect(isAuthError(foreign, 'ERR_SIGNED_OUT')).toBe(true)

  const bridge = new copy.SecureTokenBridge({ tabs: false })
  bridge.updateToken(payload('one'))
  render(
    <AuthProvider reader={bridge.reader('orders')}>
      <Token of="orders" />
    </AuthProvider>,
  )
  expect(screen.getByText('orders one')).toBeDefined()
  act(() => bridge.updateToken(payload('two')))
  expect(screen.getByText('orders two')).toBeDefined()
})

it('module-federation/core#3170: a host that meets an error of a second copy in its source knows it', async () => {
  const copy = await secondCopy()
  const bridge = new SecureTokenBridge({
    tabs: false,
    source: async () => {
      throw new copy.AuthError('ERR_SYNC_STATUS', '503', {
        phase: 'sync',
        retryable: true,
        retryAfter: 90_000,
      })
    },
  })
  const failed = await bridge.rotate().catch((error: unknown) => error)
  // A pause of ninety seconds opens the circuit at once: its `retryAfter` was read.
  expect(failed).toMatchObject({ code: 'ERR_SYNC_STATUS', retryAfter: 90_000 })
  expect(bridge.snapshot).toMatchObject({
    status: 'maintenance',
    error: { code: 'ERR_SYNC_STATUS' },
  })
  bridge.stop()
})

it('module-federation/core#2837: remotes with roots of their own follow the host without a context in common', () => {
  const bridge = new SecureTokenBridge({ tabs: false })
  bridge.updateToken(payload('one'))
  for (const remote of ['orders', 'reports']) {
    render(
      <AuthProvider reader={bridge.reader(remote)}>
        <Token of={remote} />
      </AuthProvider>,
    )
  }
  act(() => bridge.updateToken(payload('two')))
  expect(screen.getByText('orders two')).toBeDefined()
  expect(screen.getByText('reports two')).toBeDefined()
})

it('module-federation/core#4718: a remote that finds no provider is told what to do, and its reader works all the same', () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  expect(() => renderToString(createElement(Token, { of: 'lost' }))).toThrow('AuthProvider')
  const bridge = new SecureTokenBridge({ tabs: false })
  bridge.updateToken(payload('one'))
  expect(bridge.reader('lost').current()?.accessToken).toBe('one')
})

it('module-federation/vite#895, PR #918: the share map names each entry of React, so that no build brings a second one', () => {
  for (const role of ['host', 'remote'] as const) {
    const shared = sharedSingletons({ role })
    for (const entry of ['react', 'react-dom', 'react-dom/client'])
      expect(shared[entry]).toMatchObject({ singleton: true })
  }
  expect(sharedSingletons({ role: 'remote' })['@token-bridge/core']).toMatchObject({
    singleton: true,
    import: false,
  })
})

it('module-federation-examples#4282, #2529, #2343: a remote is given the store, and shares no provider with the host', () => {
  const bridge = new SecureTokenBridge({ tabs: false })
  const host = configureStore({
    reducer: { auth: authReducer },
    middleware: (defaults) => defaults().prepend(authMiddleware(bridge)),
  })
  const { selectAuthToken, selectAuthStatus } = createAuthSelectors(bridge.reader('orders'))
  const Remote = () => (
    <p>
      {useSelector(selectAuthStatus)} {useSelector(selectAuthToken)}
    </p>
  )
  render(
    <Provider store={readOnlyStore(host) as never}>
      <Remote />
    </Provider>,
  )
  act(() => bridge.updateToken(payload('one')))
  expect(screen.getByText('ready one')).toBeDefined()
  act(() => void bridge.reset('sign-out'))
  expect(screen.getByText('signed-out')).toBeDefined()
})
