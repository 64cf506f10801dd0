import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react'
import type { SecureTokenBridge, TokenReader } from '@token-bridge/core'
import { AuthGate, AuthProvider, useAuthToken, type MaintenanceState } from '@token-bridge/react'
import { Profiler, type ReactNode } from 'react'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { outage, payload, setUp, stillTime } from './react.test.support.tsx'

const Token = () => <p data-testid="token">{useAuthToken() ?? 'none'}</p>
const text = () => screen.getByTestId('token').textContent

const started: SecureTokenBridge[] = []
const start = (bridge: SecureTokenBridge) => act(async () => void started.push(bridge.start()))
afterEach(() => {
  cleanup()
  for (const bridge of started.splice(0)) bridge.stop()
  vi.useRealTimers()
})

/** A bridge whose endpoint is down until `mend()`, in maintenance for half a minute, with timers that are late. */
async function setUpMaintenance() {
  const { environment, pass } = stillTime()
  const asked = vi.fn<() => void>()
  let isDown = true
  const { bridge, reader } = setUp({
    environment,
    rotation: { backoff: { initialDelay: 1, maxDelay: 1 } },
    async source() {
      asked()
      if (isDown) throw outage(30_000)
      return payload()
    },
  })
  await start(bridge)
  expect(reader.snapshot().status).toBe('maintenance')
  asked.mockClear()
  return { bridge, reader, asked, pass, mend: () => void (isDown = false) }
}

const gate = (reader: TokenReader, fallbacks: Parameters<typeof AuthProvider>[0] | object = {}) => (
  <AuthProvider reader={reader} {...fallbacks}>
    <Token />
  </AuthProvider>
)

describe('AuthProvider', () => {
  it('shows the children with the token once there is one, then each rotation', async () => {
    const { bridge, reader } = setUp()
    render(gate(reader))
    expect(screen.queryByTestId('token')).toBeNull()
    await act(() => bridge.rotate())
    expect(text()).toBe('token-1')
    await act(() => bridge.rotate())
    expect(text()).toBe('token-2')
  })

  it('gives its reader to gates further down, which close without it', async () => {
    const { bridge, reader } = setUp()
    render(
      <AuthProvider reader={reader} loading={<p>outer</p>}>
        <AuthGate loading={<p>inner</p>}>
          <Token />
        </AuthGate>
      </AuthProvider>,
    )
    expect(screen.getByText('outer')).toBeTruthy()
    await act(() => bridge.rotate())
    expect(text()).toBe('token-1')
  })

  it('shows error, then maintenance, and comes back by itself', async () => {
    vi.useFakeTimers()
    let isDown = true
    const { bridge, reader } = setUp({
      async source() {
        if (isDown) throw outage()
        return payload()
      },
    })
    render(gate(reader))
    await start(bridge)
    expect(screen.getByRole('alert').textContent).toContain('ERR_SYNC_STATUS')
    await act(() => vi.advanceTimersByTimeAsync(10_000))
    expect(retryButton()).toBeTruthy()
    isDown = false
    await act(() => vi.advanceTimersByTimeAsync(31_000))
    expect(text()).toBe('token-1')
  })
})

const retryButton = () => screen.getByRole('button', { name: 'Try again' })

describe('AuthGate, by default', () => {
  it('says politely that it loads, and that it is busy with it', () => {
    render(gate(setUp().reader))
    const region = screen.getByRole('status')
    expect(region.textContent).toBe('Loading the session…')
    expect(region.getAttribute('aria-live')).toBe('polite')
    expect(region.getAttribute('aria-busy')).toBe('true')
    expect(screen.queryByTestId('token')).toBeNull()
  })

  it('tells of an error at once, with its code', async () => {
    const { bridge, reader } = setUp({
      environment: stillTime().environment,
      source: async () => {
        throw outage()
      },
    })
    render(gate(reader))
    await start(bridge)
    expect(screen.getByRole('alert').textContent).toBe(
      'The session could not be loaded (ERR_SYNC_STATUS).',
    )
  })

  it('tells of maintenance politely, and offers to try again by a button with a name', async () => {
    const { reader } = await setUpMaintenance()
    render(gate(reader))
    expect(screen.getByRole('status').textContent).toBe(
      'Sign-in is being maintained. This page continues by itself.',
    )
    expect(retryButton().getAttribute('type')).toBe('button')
    expect(within(screen.getByRole('status')).queryByRole('button')).toBeNull()
  })

  it('tells politely that nobody is signed in, and takes the children away', async () => {
    const { bridge, reader } = setUp()
    render(gate(reader))
    await act(() => bridge.rotate())
    expect(text()).toBe('token-1')
    await act(async () => void (await bridge.reset('sign-out')))
    expect(screen.queryByTestId('token')).toBeNull()
    const region = screen.getByRole('status')
    expect(region.textContent).toBe('You are signed out.')
    expect(region.getAttribute('aria-busy')).toBe('false')
  })

  it('tells a remote at once that it was cut off', async () => {
    const { bridge, reader } = setUp()
    render(gate(reader))
    await act(() => bridge.rotate())
    act(() => bridge.revoke('remote'))
    expect(screen.queryByTestId('token')).toBeNull()
    expect(screen.getByRole('alert').textContent).toBe(
      'This part of the page was disconnected (ERR_READER_REVOKED).',
    )
  })

  it('tells a remote that was cut off in cookie-only mode so, too', async () => {
    const { bridge, reader } = setUp({ enabled: false })
    await start(bridge)
    bridge.revoke('remote')
    render(gate(reader))
    expect(screen.getByRole('alert').textContent).toContain('ERR_READER_REVOKED')
  })

  it('renders the children without a token while the kill switch is off', async () => {
    const { bridge, reader } = setUp({ enabled: false })
    await start(bridge)
    render(gate(reader))
    expect(text()).toBe('none')
  })

  it('renders the children without a token while the endpoint is not there, which is no outage to wait for', async () => {
    const { bridge, reader } = setUp({
      environment: {
        ...stillTime().environment,
        fetch: async () => new Response('', { status: 404 }),
      },
      rotation: { backoff: { initialDelay: 1, maxDelay: 1 }, breaker: { threshold: 1 } },
      source: undefined,
    } as never)
    render(gate(reader))
    await start(bridge)
    expect(reader.snapshot()).toMatchObject({ mode: 'cookie-only', status: 'maintenance' })
    expect(text()).toBe('none')
  })

  it('asks who is signed out in cookie-only mode to sign in, not to go on', async () => {
    const { bridge, reader } = setUp({ enabled: false })
    await start(bridge)
    render(gate(reader))
    await act(async () => void (await bridge.reset('sign-out')))
    expect(screen.getByRole('status').textContent).toBe('You are signed out.')
  })

  it('keeps the children in maintenance while the token is still good', async () => {
    const { environment } = stillTime()
    let isDown = false
    const { bridge, reader } = setUp({
      environment,
      rotation: { backoff: { initialDelay: 1, maxDelay: 1 } },
      async source() {
        if (isDown) throw outage(30_000)
        return payload()
      },
    })
    render(gate(reader))
    await act(() => bridge.rotate())
    isDown = true
    await act(() => bridge.rotate().catch(() => {}))
    expect(reader.snapshot().status).toBe('maintenance')
    expect(text()).toBe('token-1')
  })

  it('keeps its live region from one state to the next, so that a screen reader hears the change', async () => {
    const { bridge, reader } = setUp()
    render(gate(reader))
    const region = screen.getByRole('status')
    await act(async () => void (await bridge.reset('sign-out')))
    expect(region.isConnected).toBe(true)
    expect(region.textContent).toBe('You are signed out.')
  })

  it('leaves the focus where it is, whatever happens', async () => {
    const { bridge, reader } = setUp()
    render(
      <>
        <input aria-label="elsewhere" />
        {gate(reader)}
      </>,
    )
    const elsewhere = screen.getByLabelText('elsewhere')
    elsewhere.focus()
    await act(() => bridge.rotate())
    expect(document.activeElement).toBe(elsewhere)
    await act(async () => void (await bridge.reset('sign-out')))
    expect(document.activeElement).toBe(elsewhere)
    act(() => bridge.revoke('remote'))
    expect(document.activeElement).toBe(elsewhere)
  })

  it('is not rendered again by a rotation', async () => {
    const { bridge, reader } = setUp()
    await bridge.rotate()
    const committed = vi.fn<() => void>()
    render(
      <Profiler id="gate" onRender={committed}>
        <AuthGate reader={reader}>
          <p>content</p>
        </AuthGate>
      </Profiler>,
    )
    for (let rotation = 0; rotation < 3; rotation += 1) await act(() => bridge.rotate())
    expect(committed).toHaveBeenCalledTimes(1)
  })
})

describe('the retry of a gate in maintenance', () => {
  it('sends nothing while the breaker forbids it, however often it is asked, and says when it will be tried', async () => {
    const { reader, asked } = await setUpMaintenance()
    render(gate(reader))
    for (let click = 0; click < 100; click += 1) await act(async () => retryButton().click())
    expect(asked).not.toHaveBeenCalled()
    expect(screen.getByRole('status').textContent).toBe(
      'Sign-in is being maintained. The next try comes by itself in 30 s.',
    )
  })

  it('brings one request when the breaker allows one and the timer is late, however often it is asked', async () => {
    const { reader, asked, pass, mend } = await setUpMaintenance()
    render(gate(reader))
    pass(120_000)
    mend()
    const button = retryButton()
    act(() => {
      for (let click = 0; click < 100; click += 1) fireEvent.click(button)
    })
    await vi.waitFor(() => expect(text()).toBe('token-1'), 10_000)
    expect(asked).toHaveBeenCalledTimes(1)
  })

  it('says that it tries, then that it failed, and keeps the focus on the button', async () => {
    const { environment, pass } = stillTime()
    let answer: Promise<never> = Promise.reject(outage(30_000))
    const { bridge, reader } = setUp({
      environment,
      rotation: { backoff: { initialDelay: 1, maxDelay: 1 } },
      source: () => answer,
    })
    await start(bridge)
    render(gate(reader))
    const button = retryButton()
    button.focus()
    pass(120_000)
    let fail = (_error: Error): void => {}
    answer = new Promise<never>((_resolve, reject) => {
      fail = reject
    })
    await act(async () => button.click())
    expect(screen.getByRole('status').textContent).toBe(
      'Sign-in is being maintained. Trying again…',
    )
    expect(screen.getByRole('status').getAttribute('aria-busy')).toBe('true')
    await act(async () => fail(outage(30_000)))
    expect(screen.getByRole('status').textContent).toBe(
      'Sign-in is being maintained. This page continues by itself.',
    )
    expect(document.activeElement).toBe(button)
  })
})

describe('what replaces a default', () => {
  it.each([
    ['loading', async () => setUp().reader],
    [
      'error',
      async () => {
        const { environment } = stillTime()
        const source = async () => {
          throw outage()
        }
        const { bridge, reader } = setUp({ environment, source })
        await start(bridge)
        return reader
      },
    ],
    ['maintenance', async () => (await setUpMaintenance()).reader],
    [
      'signedOut',
      async () => {
        const { bridge, reader } = setUp()
        await bridge.reset('sign-out')
        return reader
      },
    ],
    [
      'revoked',
      async () => {
        const { bridge, reader } = setUp()
        bridge.revoke('remote')
        return reader
      },
    ],
    [
      'cookieOnly',
      async () => {
        const { bridge, reader } = setUp({ enabled: false })
        await start(bridge)
        return reader
      },
    ],
  ])('may be a node, nothing, or a function of the state: %s', async (name, make) => {
    const reader = await make()
    const status = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const view = render(gate(reader, { [name]: <b>own words</b> }))
    expect(view.container.textContent).toBe('own words')
    view.rerender(gate(reader, { [name]: null }))
    expect(view.container.textContent).toBe('')
    view.rerender(gate(reader, { [name]: (state: { status: string }): ReactNode => state.status }))
    expect(view.container.textContent).toBe(status)
  })

  it('takes the words for an error for a revoked reader as well', () => {
    const { bridge, reader } = setUp()
    bridge.revoke('remote')
    render(gate(reader, { error: ({ code }: { code: string }) => code }))
    expect(document.body.textContent).toBe('ERR_READER_REVOKED')
  })

  it('can retry and is told what came of it', async () => {
    const { reader, asked } = await setUpMaintenance()
    const states: MaintenanceState[] = []
    render(
      gate(reader, {
        maintenance(state: MaintenanceState) {
          states.push(state)
          return <button onClick={state.retry}>once more</button>
        },
      }),
    )
    expect(states.at(-1)).toMatchObject({ code: 'ERR_SYNC_STATUS', retryAfter: null })
    await act(async () => screen.getByText('once more').click())
    expect(states.at(-1)).toMatchObject({ code: 'ERR_SYNC_STATUS', retryAfter: 30_000 })
    expect(asked).not.toHaveBeenCalled()
  })
})
