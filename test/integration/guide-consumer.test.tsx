// @vitest-environment happy-dom
import { act, cleanup, render, screen } from '@testing-library/react'
import { SecureTokenBridge, type TokenPayload, type TokenReader } from '@token-bridge/core'
import { useEffect, useState, type FC, type ReactNode } from 'react'
import type { Subscription } from 'rxjs'
import { afterEach, describe, expect, it } from 'vitest'

/**
 * A remote of somebody who followed the published guide: it was given `tokenBridge`, subscribes to `getToken()`, checks
 * `validateToken(token)` and renders its own states. It knows nothing of this project and must work with a reader.
 */
type GuideBridge = Pick<SecureTokenBridge, 'getToken' | 'validateToken'>
type GuideState =
  { status: 'loading' } | { status: 'ready'; token: string } | { status: 'error'; message: string }

const GuideProvider: FC<{ children: ReactNode; tokenBridge: GuideBridge }> = ({
  children,
  tokenBridge,
}) => {
  const [state, setState] = useState<GuideState>({ status: 'loading' })
  useEffect(() => {
    let subscription: Subscription | null = null
    subscription = tokenBridge.getToken().subscribe({
      next: (token) => {
        if (tokenBridge.validateToken(token))
          setState({ status: 'ready', token: token.accessToken })
      },
      error: (error: Error) => setState({ status: 'error', message: error.message }),
    })
    return () => subscription?.unsubscribe()
  }, [tokenBridge])
  if (state.status === 'loading') return <div className="auth-skeleton">Initializing…</div>
  if (state.status === 'error')
    return <div className="auth-error">Auth bridge failed: {state.message}</div>
  return <div data-token={state.token}>{children}</div>
}

let issued = 0
const payload = (lifetime = 300_000): TokenPayload => ({
  accessToken: `token-${(issued += 1)}`,
  expiresAt: Date.now() + lifetime,
})
const asGuideBridge = (reader: TokenReader) => reader as unknown as GuideBridge

afterEach(cleanup)

describe('consumer code written the way of the guide', () => {
  it.each(['reader', 'bridge'] as const)(
    'goes from loading to ready and follows rotations, given a %s',
    async (given) => {
      issued = 0
      const bridge = new SecureTokenBridge({ source: async () => payload() })
      const tokenBridge = given === 'reader' ? asGuideBridge(bridge.reader('guide')) : bridge
      render(<GuideProvider tokenBridge={tokenBridge}>dashboard</GuideProvider>)
      expect(screen.getByText('Initializing…').className).toBe('auth-skeleton')
      await act(() => bridge.rotate())
      expect(screen.getByText('dashboard').dataset['token']).toBe('token-1')
      await act(() => bridge.rotate())
      expect(screen.getByText('dashboard').dataset['token']).toBe('token-2')
    },
  )

  it('shows its error state when the host revokes the reader', async () => {
    const bridge = new SecureTokenBridge({ source: async () => payload() })
    render(
      <GuideProvider tokenBridge={asGuideBridge(bridge.reader('guide'))}>dashboard</GuideProvider>,
    )
    await act(() => bridge.rotate())
    act(() => bridge.revoke('guide'))
    expect(screen.getByText(/^Auth bridge failed:/).textContent).toContain('revoked')
  })

  it('unsubscribes when it unmounts', async () => {
    const lines: string[] = []
    const line = (entry: string) => lines.push(entry)
    const bridge = new SecureTokenBridge({
      source: async () => payload(),
      telemetry: { logger: { info: line, warn: line, error: line } },
    })
    const view = render(
      <GuideProvider tokenBridge={asGuideBridge(bridge.reader('guide'))}>dashboard</GuideProvider>,
    )
    await act(() => bridge.rotate())
    view.unmount()
    await act(() => bridge.rotate())
    expect(lines).toEqual([
      expect.stringContaining('subscribers=1'),
      expect.stringContaining('subscribers=0'),
    ])
  })

  it('cannot assign to a token it received', () => {
    const bridge = new SecureTokenBridge()
    bridge.updateToken(payload())
    let received = 0
    asGuideBridge(bridge.reader('guide'))
      .getToken()
      .subscribe((token) => {
        received += 1
        expect(() => {
          // @ts-expect-error the field is read-only
          token.accessToken = 'tampered'
        }).toThrow(TypeError)
      })
    expect(received).toBe(1)
  })
})
