import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react'
import type { SecureTokenBridge, TokenPayload, TokenReader } from '@token-bridge/core'
import {
  AuthGate,
  AuthProvider,
  useAuthToken,
  type AuthFallbacks,
  type MaintenanceState,
} from '@token-bridge/react'
import { Profiler, type ReactNode } from 'react'
import { Observable } from 'rxjs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { outage, payload, setUp, stillTime } from './react.test.support.tsx'

const Token = () => <p data-testid="token">{useAuthToken() ?? 'none'}</p>
const text = () => screen.getByTestId('token').textContent

/** A payload for a machine that has slept for ten minutes. */
const later = (): TokenPayload => ({ ...payload(), expiresAt: Date.now() + 900_000 })

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
  it('says politely that it loads, in a region that no `aria-busy` silences', () => {
    render(gate(setUp().reader))
    const region = screen.getByRole('status')
    expect(region.textContent).toBe('Loading the session…')
    expect(region.getAttribute('aria-live')).toBe('polite')
    expect(document.querySelector('[aria-busy]')).toBeNull()
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
    await act(() => bridge.rotate())
    expect(screen.getByRole('status')).toBe(region)
    expect(region.textContent).toBe('')
    // Nothing to see: it takes no place among the children.
    expect(region.style.position).toBe('absolute')
    await act(async () => void (await bridge.reset('sign-out')))
    expect(screen.getByRole('status')).toBe(region)
    expect(region.textContent).toBe('You are signed out.')
    expect(region.style.position).toBe('')
    act(() => bridge.revoke('remote'))
    expect(region.isConnected).toBe(true)
    expect(region.textContent).toBe('')
    expect(screen.getByRole('alert').textContent).toContain('ERR_READER_REVOKED')
  })

  it('has its region from the beginning, also where the session is there before it', async () => {
    const { bridge, reader } = setUp()
    await bridge.rotate()
    render(gate(reader))
    const region = screen.getByRole('status')
    expect(region.textContent).toBe('')
    await act(async () => void (await bridge.reset('sign-out')))
    expect(screen.getByRole('status')).toBe(region)
  })

  it('has an empty region in cookie-only mode, too, which is open', async () => {
    const { bridge, reader } = setUp({ enabled: false })
    await start(bridge)
    render(gate(reader))
    expect(screen.getByRole('status').textContent).toBe('')
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

describe('what was shown before the token ran out', () => {
  /** A gate that has shown a form, into which something was typed; `expire()` says how the next try ends. */
  async function setUpForm(fallbacks: AuthFallbacks = {}) {
    const { environment, pass } = stillTime()
    let answer = (): Promise<TokenPayload | null> => Promise.resolve(payload())
    const { bridge, reader } = setUp({
      environment,
      source: () => answer(),
      rotation: { backoff: { initialDelay: 1, maxDelay: 1 } },
    })
    await start(bridge)
    const tree = (given: TokenReader) => (
      <AuthGate reader={given} {...fallbacks}>
        <input aria-label="address" />
      </AuthGate>
    )
    const view = render(tree(reader))
    const input = screen.getByLabelText<HTMLInputElement>('address')
    fireEvent.change(input, { target: { value: '1 Long Street' } })
    input.focus()
    const wake = (next: () => Promise<TokenPayload | null>) => {
      answer = next
      return act(async () => void window.dispatchEvent(new Event('focus')))
    }
    return {
      ...view,
      bridge,
      reader,
      input,
      rerender: (given: TokenReader) => view.rerender(tree(given)),
      /** The machine has slept. */
      expire(next: () => Promise<TokenPayload | null> = () => new Promise(() => {})) {
        pass(600_000)
        return wake(next)
      },
      /** The page comes out of the back/forward cache, and the server takes its time. */
      async comeBack() {
        answer = () => new Promise(() => {})
        await act(async () => void restore())
      },
      isShown: () => screen.queryByRole('textbox', { name: 'address' }) !== null,
    }
  }
  const fail = (retryAfter?: number) => () => Promise.reject(outage(retryAfter))
  const restore = (page: EventTarget = window) =>
    page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))

  it.each([
    ['the next one is on its way', 'loading', undefined],
    ['there is an error', 'error', fail()],
    ['there is maintenance', 'maintenance', fail(30_000)],
  ])('is hidden while %s, and comes back as it was', async (_name, status, next) => {
    const { bridge, reader, input, expire, isShown } = await setUpForm()
    expect(isShown()).toBe(true)
    await expire(next)
    expect(reader.snapshot().status).toBe(status)
    expect(isShown()).toBe(false)
    expect(input.closest<HTMLElement>('[style]')?.style.display).toBe('none')
    await act(async () => bridge.updateToken(later()))
    expect(screen.getByRole('textbox')).toBe(input)
    expect(input.value).toBe('1 Long Street')
    expect(screen.queryByRole('alert')).toBeNull()
  })

  it('is hidden behind the words of the app, too', async () => {
    const { expire, isShown, input } = await setUpForm({ loading: <p>one moment</p> })
    await expire()
    expect(screen.getByText('one moment')).toBeTruthy()
    expect(isShown()).toBe(false)
    expect(input.isConnected).toBe(true)
  })

  it('gets its focus back, which hiding has taken away', async () => {
    const { expire, input, bridge } = await setUpForm()
    await expire()
    input.blur()
    await act(async () => bridge.updateToken(later()))
    expect(document.activeElement).toBe(input)
  })

  it('leaves the focus where it has gone meanwhile', async () => {
    const { expire, bridge, container } = await setUpForm()
    const elsewhere = document.createElement('button')
    container.append(elsewhere)
    await expire()
    elsewhere.focus()
    await act(async () => bridge.updateToken(later()))
    expect(document.activeElement).toBe(elsewhere)
  })

  it.each<[string, (form: Awaited<ReturnType<typeof setUpForm>>) => Promise<unknown>]>([
    ['the session has ended', ({ bridge }) => act(() => bridge.reset('session-ended'))],
    ['somebody signs out', ({ bridge }) => act(() => bridge.reset('sign-out'))],
    ['the reader is revoked', async ({ bridge }) => act(() => bridge.revoke('remote'))],
    ['another reader is given that has no token', async ({ rerender }) => rerender(setUp().reader)],
  ])('is removed when %s, shown or hidden', async (_name, end) => {
    const shown = await setUpForm()
    await end(shown)
    expect(shown.input.isConnected).toBe(false)
    cleanup()
    const hidden = await setUpForm()
    await hidden.expire()
    expect(hidden.input.isConnected).toBe(true)
    await end(hidden)
    expect(hidden.input.isConnected).toBe(false)
  })

  it('does not come back in the next session', async () => {
    const { bridge } = await setUpForm()
    await act(() => bridge.reset('sign-out'))
    await act(async () => bridge.updateToken(payload()))
    expect(screen.getByLabelText<HTMLInputElement>('address').value).toBe('')
  })

  // auth0/auth0-react#562: the back button brings back what only somebody who is signed in may see.
  it.each([
    ['shown', false],
    ['hidden', true],
  ])(
    'is removed from a page that comes out of the back/forward cache, where it was %s',
    async (_name, isHidden) => {
      const { expire, input, comeBack } = await setUpForm()
      if (isHidden) await expire()
      await comeBack()
      expect(input.isConnected).toBe(false)
      expect(screen.getByRole('status').textContent).toBe('Loading the session…')
    },
  )

  it('is removed from such a page also when the gate hears of it before the bridge', async () => {
    const heard = new EventTarget()
    const { bridge, reader } = setUp({
      environment: { ...stillTime().environment, window: heard },
      source: () => new Promise(() => {}),
    })
    await start(bridge)
    bridge.updateToken(payload())
    render(gate(reader))
    const before = screen.getByTestId('token')
    await act(async () => void restore())
    await act(async () => void restore(heard))
    expect(reader.snapshot().status).toBe('loading')
    expect(before.isConnected).toBe(false)
  })

  it('stays where a page comes back that held no token', async () => {
    const { bridge, reader } = setUp({ enabled: false })
    await start(bridge)
    render(gate(reader))
    const before = screen.getByTestId('token')
    await act(async () => void restore())
    expect(screen.getByTestId('token')).toBe(before)
  })

  it('is removed where the app has something else for cookie-only mode', async () => {
    let flip = (_isEnabled: boolean): void => {}
    const enabled = new Observable<boolean>((subscriber) => {
      flip = (isEnabled) => subscriber.next(isEnabled)
      flip(true)
    })
    const { bridge, reader } = setUp({ enabled })
    render(gate(reader, { cookieOnly: <p>read only</p> }))
    await start(bridge)
    const before = screen.getByTestId('token')
    await act(async () => flip(false))
    expect(screen.getByText('read only')).toBeTruthy()
    expect(before.isConnected).toBe(false)
  })
})

describe('the retry of a gate in maintenance', () => {
  it('sends nothing while the breaker forbids it, however often it is asked, and says so', async () => {
    const { reader, asked } = await setUpMaintenance()
    render(gate(reader))
    for (let click = 0; click < 100; click += 1) await act(async () => retryButton().click())
    expect(asked).not.toHaveBeenCalled()
    expect(screen.getByRole('status').textContent).toBe(
      'Sign-in is being maintained. It is too early for another try. This page continues by itself.',
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
