import { act, cleanup, render, screen } from '@testing-library/react'
import { AuthError, SecureTokenBridge, type TokenPayload } from '@token-bridge/core'
import { StrictMode, version } from 'react'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  AuthGate,
  AuthProvider,
  useAuthFetch,
  useAuthReader,
  useAuthStatus,
  useAuthToken,
} from '@token-bridge/react'

let issued = 0
const payload = (): TokenPayload => ({
  accessToken: `token-${(issued += 1)}`,
  expiresAt: Date.now() + 300_000,
})

function setUp(source: () => Promise<TokenPayload | null> = async () => payload(), enabled = true) {
  const bridge = new SecureTokenBridge({ source, enabled })
  return { bridge, reader: bridge.reader('remote') }
}

const Token = () => <p data-testid="token">{useAuthToken() ?? 'none'}</p>
const text = () => screen.getByTestId('token').textContent

beforeEach(() => {
  issued = 0
})
afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

it('runs on the React that the project names', () => {
  expect(version).toMatch(new RegExp(`^${process.env['REACT'] ?? '19'}\\.`))
})

describe('AuthProvider', () => {
  it('says that it loads, then shows the children with the token, then each rotation', async () => {
    const { bridge, reader } = setUp()
    render(
      <AuthProvider reader={reader}>
        <Token />
      </AuthProvider>,
    )
    expect(screen.getByRole('status').getAttribute('aria-busy')).toBe('true')
    await act(() => bridge.rotate())
    expect(text()).toBe('token-1')
    await act(() => bridge.rotate())
    expect(text()).toBe('token-2')
  })

  it('takes the children away when the session ends, and tells why', async () => {
    const { bridge, reader } = setUp()
    render(
      <AuthProvider reader={reader}>
        <Token />
      </AuthProvider>,
    )
    await act(() => bridge.rotate())
    await act(async () => void (await bridge.reset('sign-out')))
    expect(screen.queryByTestId('token')).toBeNull()
    expect(screen.getByRole('status').textContent).toBe('You are signed out.')
  })

  it('says that a revoked reader is an error', async () => {
    const { bridge, reader } = setUp()
    render(
      <AuthProvider reader={reader}>
        <Token />
      </AuthProvider>,
    )
    await act(() => bridge.rotate())
    act(() => bridge.revoke('remote'))
    expect(screen.getByRole('alert').textContent).toContain('ERR_READER_REVOKED')
  })

  it('shows error, then maintenance, and comes back by itself', async () => {
    vi.useFakeTimers()
    let down = true
    const { bridge, reader } = setUp(async () => {
      if (down)
        throw new AuthError('ERR_SYNC_STATUS', 'POST /sync answered 503.', {
          phase: 'sync',
          retryable: true,
        })
      return payload()
    })
    render(
      <AuthProvider
        reader={reader}
        error={(error) => <p>broken: {error.code}</p>}
        maintenance={<p>back soon</p>}
      >
        <Token />
      </AuthProvider>,
    )
    await act(async () => {
      bridge.start()
      await vi.advanceTimersByTimeAsync(0)
    })
    expect(screen.getByText('broken: ERR_SYNC_STATUS')).toBeTruthy()
    await act(() => vi.advanceTimersByTimeAsync(10_000))
    expect(screen.getByText('back soon')).toBeTruthy()
    down = false
    await act(() => vi.advanceTimersByTimeAsync(31_000))
    expect(text()).toBe('token-1')
    bridge.stop()
  })

  it('keeps the children in maintenance while the token is still good', async () => {
    vi.useFakeTimers()
    let down = false
    const { bridge, reader } = setUp(async () => {
      if (down) throw new AuthError('ERR_SYNC_STATUS', 'down', { phase: 'sync', retryable: true })
      return payload()
    })
    render(
      <AuthProvider reader={reader}>
        <Token />
      </AuthProvider>,
    )
    await act(() => bridge.rotate())
    down = true
    const rotation = bridge.rotate().catch(() => {})
    await act(() => vi.advanceTimersByTimeAsync(10_000))
    await rotation
    expect(reader.snapshot().status).toBe('maintenance')
    expect(text()).toBe('token-1')
  })

  it('takes its own words for every state', async () => {
    const { bridge, reader } = setUp(async () => null)
    render(<AuthProvider reader={reader} loading={<i>wait</i>} signedOut={<b>bye</b>} />)
    expect(screen.getByText('wait')).toBeTruthy()
    await act(() => bridge.rotate().catch(() => {}))
    expect(screen.getByText('bye')).toBeTruthy()
  })

  it('renders the children without a token in cookie-only mode', () => {
    const { bridge, reader } = setUp(undefined, false)
    bridge.start()
    render(
      <AuthProvider reader={reader}>
        <Token />
      </AuthProvider>,
    )
    expect(text()).toBe('none')
    bridge.stop()
  })

  it('leaves one subscription after StrictMode has mounted twice, and none after unmounting', async () => {
    const lines: string[] = []
    const line = (entry: string) => lines.push(entry)
    const bridge = new SecureTokenBridge({
      source: async () => payload(),
      telemetry: { logger: { info: line, warn: line, error: line } },
    })
    const view = render(
      <StrictMode>
        <AuthProvider reader={bridge.reader('remote')}>
          <Token />
        </AuthProvider>
      </StrictMode>,
    )
    await act(() => bridge.rotate())
    view.unmount()
    await act(() => bridge.rotate())
    expect(lines.map((entry) => /subscribers=(\d)/.exec(entry)?.[1])).toEqual(['1', '0'])
  })

  it('renders the loading state on a server, where there is no token', async () => {
    const { bridge, reader } = setUp()
    await bridge.rotate()
    const Status = () => <p>{useAuthStatus(reader)}</p>
    expect(renderToString(<Status />)).toContain('loading')
  })
})

describe('hooks', () => {
  it('render again only for what they read', async () => {
    const { bridge, reader } = setUp()
    const rendered = vi.fn<(name: string) => void>()
    const TokenReader = () => {
      rendered('token')
      return <p>{useAuthToken(reader)}</p>
    }
    const StatusReader = () => {
      rendered('status')
      return <p>{useAuthStatus(reader)}</p>
    }
    const Fetcher = () => {
      rendered('fetch')
      useAuthFetch(reader)
      return null
    }
    await bridge.rotate()
    render(
      <>
        <TokenReader />
        <StatusReader />
        <Fetcher />
      </>,
    )
    for (let rotation = 0; rotation < 5; rotation += 1) await act(() => bridge.rotate())
    const times = (name: string) => rendered.mock.calls.filter(([who]) => who === name).length
    expect([times('token'), times('status'), times('fetch')]).toEqual([6, 1, 1])
  })

  it('say what to do outside a provider', () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    const Lost = () => <p>{useAuthReader().remote}</p>
    expect(() => render(<Lost />)).toThrow(/Wrap the remote in <AuthProvider reader=\{auth\}>/)
    error.mockRestore()
  })

  it('gate a part of the page once more', async () => {
    const { bridge, reader } = setUp()
    await bridge.rotate()
    render(
      <AuthProvider reader={reader}>
        <AuthGate>
          <Token />
        </AuthGate>
      </AuthProvider>,
    )
    expect(text()).toBe('token-1')
  })
})
