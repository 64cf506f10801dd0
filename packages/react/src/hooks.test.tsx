import { act, cleanup, render, screen } from '@testing-library/react'
import { isAuthError, type AuthSnapshot } from '@token-bridge/core'
import {
  AuthGate,
  AuthProvider,
  useAuthFetch,
  useAuthReader,
  useAuthSelector,
  useAuthStatus,
  useAuthToken,
} from '@token-bridge/react'
import { Component, Fragment, StrictMode, version, type ReactNode } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { counted, payload, setUp } from './react.test.support.tsx'

afterEach(cleanup)

it('runs on the React that the project names', () => {
  expect(version).toMatch(new RegExp(`^${process.env['REACT'] ?? '19.3'}\\.`))
})

describe('hooks', () => {
  it('render again only for what they read', async () => {
    const { bridge, reader } = setUp()
    const rendered: Record<string, number> = {}
    const reads = (name: string, hook: () => unknown) => {
      const Reader = () => {
        rendered[name] = (rendered[name] ?? 0) + 1
        hook()
        return null
      }
      return <Reader key={name} />
    }
    await bridge.rotate()
    render(
      <AuthProvider reader={reader}>
        {reads('token', () => useAuthToken())}
        {reads('generation', () => useAuthSelector((auth) => auth.generation))}
        {reads('status', () => useAuthStatus())}
        {reads('mode', () => useAuthSelector((auth) => auth.mode))}
        {reads('fetch', () => useAuthFetch())}
        {reads('reader', () => useAuthReader())}
      </AuthProvider>,
    )
    for (let rotation = 0; rotation < 5; rotation += 1) await act(() => bridge.rotate())
    expect(rendered).toEqual({ token: 6, generation: 6, status: 1, mode: 1, fetch: 1, reader: 1 })
  })

  it('do not render a component that only fetches when the session ends, either', async () => {
    const { bridge, reader } = setUp()
    const rendered = vi.fn<() => void>()
    const Fetcher = () => {
      rendered()
      useAuthFetch(reader)
      return null
    }
    render(<Fetcher />)
    await act(() => bridge.rotate())
    await act(async () => void (await bridge.reset('sign-out')))
    act(() => bridge.revoke('remote'))
    expect(rendered).toHaveBeenCalledTimes(1)
  })

  it('give the one fetch that the reader has', async () => {
    const { bridge, reader } = setUp()
    const seen = new Set<unknown>()
    const Fetcher = () => {
      seen.add(useAuthFetch(reader))
      useAuthToken(reader)
      return null
    }
    render(<Fetcher />)
    for (let rotation = 0; rotation < 3; rotation += 1) await act(() => bridge.rotate())
    expect([...seen]).toEqual([reader.fetch])
  })

  it('follow the status, and give no token after the end of the session', async () => {
    const { bridge, reader } = setUp()
    const Both = () => (
      <p>
        {useAuthStatus(reader)} {useAuthToken(reader) ?? 'none'}
      </p>
    )
    const { container } = render(<Both />)
    expect(container.textContent).toBe('loading none')
    await act(() => bridge.rotate())
    expect(container.textContent).toBe('ready token-1')
    await act(async () => void (await bridge.reset('sign-out')))
    expect(container.textContent).toBe('signed-out none')
    await act(async () => bridge.updateToken(payload()))
    expect(container.textContent).toBe('ready token-2')
    act(() => bridge.revoke('remote'))
    expect(container.textContent).toBe('error none')
  })

  it('take a selector that makes an object, inline, and end no render in a loop', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { bridge, reader } = setUp()
    const Made = () => {
      const made = useAuthSelector((auth: AuthSnapshot) => ({ mode: auth.mode }), reader)
      return <p>{made.mode}</p>
    }
    const { container } = render(<Made />)
    await act(() => bridge.rotate())
    expect(container.textContent).toBe('bridge')
    expect(error).not.toHaveBeenCalled()
  })

  it('follow another reader when they are given one, and leave the first', async () => {
    const one = setUp()
    const two = setUp()
    const [first, second] = [counted(one.reader), counted(two.reader)]
    one.bridge.updateToken({ ...payload(), accessToken: 'of-one' })
    two.bridge.updateToken({ ...payload(), accessToken: 'of-two' })
    const Token = () => <p>{useAuthToken()}</p>
    const tree = (reader: typeof first.reader) => (
      <AuthProvider reader={reader}>
        <Token />
      </AuthProvider>
    )
    const view = render(tree(first.reader))
    expect(view.container.textContent).toBe('of-one')
    view.rerender(tree(second.reader))
    expect(view.container.textContent).toBe('of-two')
    expect([first.open.size, second.open.size]).toEqual([0, 2])
  })

  it('prefer the reader that they are given to the one of the context', async () => {
    const one = setUp()
    const two = setUp()
    one.bridge.updateToken({ ...payload(), accessToken: 'of-context' })
    two.bridge.updateToken({ ...payload(), accessToken: 'of-argument' })
    const Tokens = () => (
      <p>
        {useAuthToken()} {useAuthToken(two.reader)}
      </p>
    )
    render(
      <AuthProvider reader={one.reader}>
        <Tokens />
      </AuthProvider>,
    )
    expect(screen.getByText('of-context of-argument')).toBeTruthy()
  })

  it('use the reader that a gate was given, within it, in its children and in its fallbacks', async () => {
    const one = setUp()
    const two = setUp()
    one.bridge.updateToken({ ...payload(), accessToken: 'of-provider' })
    const Name = () => {
      const [token, status] = [useAuthToken(), useAuthStatus()]
      return <p>{token ?? status}</p>
    }
    const { container } = render(
      <AuthProvider reader={one.reader}>
        <AuthGate reader={two.reader} loading={<Name />}>
          <Name />
        </AuthGate>
      </AuthProvider>,
    )
    expect(container.textContent).toBe('loading')
    await act(async () => two.bridge.updateToken({ ...payload(), accessToken: 'of-gate' }))
    expect(container.textContent).toBe('of-gate')
  })

  it('need no provider when they are given a reader, and neither does a gate', async () => {
    const { bridge, reader } = setUp()
    const Token = () => <p>{useAuthToken(reader)}</p>
    render(
      <AuthGate reader={reader}>
        <Token />
      </AuthGate>,
    )
    expect(screen.getByRole('status').textContent).toBe('Loading the session…')
    await act(() => bridge.rotate())
    expect(screen.getByText('token-1')).toBeTruthy()
  })
})

// react-oidc-context#1861, #372: `useAuth` outside its provider returned `undefined`, and crashed later.
describe('outside a provider', () => {
  class Caught extends Component<{ children: ReactNode }, { error: unknown }> {
    override state = { error: null }
    static getDerivedStateFromError = (error: unknown) => ({ error })
    override render() {
      const { error } = this.state as { error: unknown }
      return error === null
        ? this.props.children
        : `${isAuthError(error, 'ERR_CONFIG')} ${(error as Error).message}`
    }
  }
  const used = (hook: () => unknown) => {
    const Lost = () => {
      hook()
      return 'not reached'
    }
    return <Lost />
  }

  it.each([
    ['useAuthReader', used(() => useAuthReader())],
    ['useAuthToken', used(() => useAuthToken())],
    ['useAuthStatus', used(() => useAuthStatus())],
    ['useAuthSelector', used(() => useAuthSelector((auth) => auth.mode))],
    ['useAuthFetch', used(() => useAuthFetch())],
    ['AuthGate', <AuthGate key="gate">not reached</AuthGate>],
    [
      'AuthProvider without a reader',
      <AuthProvider key="provider" reader={undefined as never}>
        not reached
      </AuthProvider>,
    ],
  ])('%s throws an error that says what to do', (_name, element) => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const { container } = render(<Caught>{element}</Caught>)
    expect(container.textContent).toMatch(
      /^true .*Wrap the remote in <AuthProvider reader=\{auth\}>.*or pass the reader to the hook\.$/,
    )
  })
})

describe('subscriptions', () => {
  const Consumers = () => {
    useAuthToken()
    useAuthStatus()
    useAuthSelector((auth) => auth.mode)
    useAuthFetch()
    return null
  }

  it.each([
    ['StrictMode', StrictMode],
    ['no StrictMode', Fragment],
  ])(
    'are as many with %s as there are hooks that read, and none after unmounting',
    (_name, Mode) => {
      const { bridge, reader } = setUp()
      bridge.updateToken(payload())
      const watched = counted(reader)
      const view = render(
        <Mode>
          <AuthProvider reader={watched.reader}>
            <Consumers />
          </AuthProvider>
        </Mode>,
      )
      // The gate's, and those of the token, the status and the mode.
      expect(watched.open.size).toBe(4)
      view.unmount()
      expect(watched.open.size).toBe(0)
    },
  )

  it('leave one of a component that StrictMode has mounted, unmounted and mounted', async () => {
    const { bridge, reader } = setUp()
    const watched = counted(reader)
    let mounts = 0
    const Token = () => <p>{useAuthToken({ ...watched.reader, subscribe: watch })}</p>
    const watch = (listener: () => void) => {
      mounts += 1
      return watched.reader.subscribe(listener)
    }
    render(
      <StrictMode>
        <Token />
      </StrictMode>,
    )
    expect(mounts).toBe(2)
    expect(watched.open.size).toBe(1)
    await act(() => bridge.rotate())
    expect(screen.getByText('token-1')).toBeTruthy()
  })

  it('are one of the remote to the bridge, whatever the number of its hooks', async () => {
    const lines: string[] = []
    const line = (entry: string) => void lines.push(entry)
    const { bridge, reader } = setUp({
      telemetry: { logger: { info: line, warn: line, error: line } },
    })
    const view = render(
      <StrictMode>
        <AuthProvider reader={reader}>
          <Consumers />
        </AuthProvider>
      </StrictMode>,
    )
    await act(() => bridge.rotate())
    view.unmount()
    await act(() => bridge.rotate())
    expect(lines.map((entry) => /subscribers=(\d)/.exec(entry)?.[1])).toEqual(['1', '0'])
  })
})

describe('on a server', () => {
  const Page = ({ reader }: { readonly reader: ReturnType<typeof setUp>['reader'] }) => (
    <AuthProvider reader={reader}>
      <Token />
    </AuthProvider>
  )
  const Token = () => <p>{useAuthToken()}</p>

  it('there is no token, whatever the reader has: the loading state is rendered', async () => {
    const { bridge, reader } = setUp()
    await bridge.rotate()
    const Status = () => (
      <p>
        {useAuthStatus(reader)} {useAuthToken(reader) ?? 'none'}{' '}
        {useAuthSelector((auth) => auth.generation, reader)}
      </p>
    )
    expect(renderToString(<Status />).replaceAll('<!-- -->', '')).toBe('<p>loading none 0</p>')
    expect(renderToString(<Page reader={reader} />)).not.toContain('token-1')
  })

  const All = ({ reader }: { readonly reader: ReturnType<typeof setUp>['reader'] }) => {
    const status = useAuthStatus(reader)
    const token = useAuthToken(reader)
    const generation = useAuthSelector((auth) => auth.generation, reader)
    return <p>{`${status} ${token ?? 'none'} ${generation}`}</p>
  }

  it.each([
    ['hooks alone', All, 'loading none 0', 'ready token-1 1'],
    ['a gate', Page, 'Loading the session…', 'token-1'],
  ])(
    'what was rendered is taken over by the page without a mismatch, and then shows the token: %s',
    async (_name, Tree, rendered, then) => {
      const error = vi.spyOn(console, 'error').mockImplementation(() => {})
      const recovered = vi.fn<() => void>()
      const container = document.createElement('div')
      container.innerHTML = renderToString(<Tree reader={setUp().reader} />)
      expect(container.textContent).toBe(rendered)
      const element = container.firstElementChild
      const { bridge, reader } = setUp()
      // The page has a token before it hydrates.
      await bridge.rotate()
      const root = await act(async () =>
        hydrateRoot(
          container,
          <StrictMode>
            <Tree reader={reader} />
          </StrictMode>,
          { onRecoverableError: recovered },
        ),
      )
      expect(container.textContent).toBe(then)
      // Taken over, and not thrown away.
      expect(container.firstElementChild).toBe(element)
      expect(recovered).not.toHaveBeenCalled()
      expect(error).not.toHaveBeenCalled()
      act(() => root.unmount())
    },
  )
})
