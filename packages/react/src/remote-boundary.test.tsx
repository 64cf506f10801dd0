import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { AuthError, SecureTokenBridge, type BridgeEvent } from '@token-bridge/core'
import { RemoteBoundary } from '@token-bridge/react'
import {
  Fragment,
  lazy,
  StrictMode,
  Suspense,
  useEffect,
  useLayoutEffect,
  useState,
  type ComponentType,
  type ReactNode,
} from 'react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { setUp } from './react.test.support.tsx'

const SECRET = 'eyJhbGciOiJIUzI1NiJ9.secret.token'

// As in a browser, what a listener throws goes to `window`'s `error` and not to who dispatched the event: React 18 catches
// by it.
const { settings } = (
  globalThis as unknown as { happyDOM: { settings: { disableErrorCapturing: boolean } } }
).happyDOM
beforeEach(() => {
  settings.disableErrorCapturing = false
  // React logs what a boundary catches.
  vi.spyOn(console, 'error').mockImplementation(() => {})
})
afterEach(cleanup)

/** Who only listens. */
function listening() {
  const reports: (readonly [remote: string, failure?: string])[] = []
  return {
    reports,
    report(remote: string, failure?: string) {
      reports.push(failure === undefined ? [remote] : [remote, failure])
    },
  }
}

function Failing({ where, error = new Error(SECRET) }: { where: string; error?: unknown }) {
  if (where === 'render') throw error
  useLayoutEffect(() => {
    if (where === 'layout effect') throw error
  })
  useEffect(() => {
    if (where === 'effect') throw error
  })
  return <p>content</p>
}

const shownFailure = () => screen.getByRole('alert').textContent
const retry = () => fireEvent.click(screen.getByRole('button', { name: 'Try again' }))

describe.each([
  ['', Fragment],
  [', in StrictMode', StrictMode],
] as const)('RemoteBoundary%s', (_name, Mode) => {
  const draw = async (tree: ReactNode) => {
    const view = await act(async () => render(<Mode>{tree}</Mode>))
    return {
      ...view,
      rerender: (next: ReactNode) => act(async () => view.rerender(<Mode>{next}</Mode>)),
    }
  }

  it('shows the remote and reports once that it is mounted', async () => {
    const { report, reports } = listening()
    const { rerender } = await draw(
      <RemoteBoundary remote="orders" report={report}>
        <p>content</p>
      </RemoteBoundary>,
    )
    await rerender(
      <RemoteBoundary remote="orders" report={report}>
        <p>content</p>
      </RemoteBoundary>,
    )
    expect(screen.getByText('content')).toBeTruthy()
    expect(reports).toEqual([['orders']])
  })

  it.each(['render', 'layout effect', 'effect'])(
    'reports a remote that fails in its first %s once, as a failed mount and as nothing else',
    async (where) => {
      const { report, reports } = listening()
      await draw(
        <RemoteBoundary remote="orders" report={report}>
          <Failing where={where} />
        </RemoteBoundary>,
      )
      expect(reports).toEqual([['orders', 'mount-failed']])
      expect(shownFailure()).toBe(
        'The part “orders” of this page could not be shown (mount-failed).',
      )
      expect(document.body.textContent).not.toContain(SECRET)
    },
  )

  it('reports a remote that fails later by another code', async () => {
    const { report, reports } = listening()
    const tree = (where: string) => (
      <RemoteBoundary remote="orders" report={report}>
        <Failing where={where} />
      </RemoteBoundary>
    )
    const { rerender } = await draw(tree('nowhere'))
    await rerender(tree('render'))
    expect(reports).toEqual([['orders'], ['orders', 'render-failed']])
    expect(shownFailure()).toContain('render-failed')
  })

  it('mounts the remote anew when it is asked to, and reports that as well', async () => {
    const { report, reports } = listening()
    let where = 'render'
    const onRetry = vi.fn<() => void>(() => {
      where = 'nowhere'
    })
    const Remote = () => <Failing where={where} />
    await draw(
      <RemoteBoundary remote="orders" report={report} onRetry={onRetry}>
        <Remote />
      </RemoteBoundary>,
    )
    await act(async () => void retry())
    expect(screen.getByText('content')).toBeTruthy()
    expect(onRetry).toHaveBeenCalledTimes(1)
    expect(reports).toEqual([['orders', 'mount-failed'], ['orders']])
  })

  it('calls a remote that fails again a failed mount again', async () => {
    const { report, reports } = listening()
    const tree = (where: string) => (
      <RemoteBoundary remote="orders" report={report}>
        <Failing where={where} />
      </RemoteBoundary>
    )
    const { rerender } = await draw(tree('nowhere'))
    await rerender(tree('effect'))
    await act(async () => void retry())
    expect(reports).toEqual([['orders'], ['orders', 'render-failed'], ['orders', 'mount-failed']])
  })

  it.each(['render', 'layout effect', 'effect'])(
    'knows nothing of the remote that was there before: one fails in its %s, another one does not',
    async (where) => {
      const { report, reports } = listening()
      const tree = (remote: string) => (
        <RemoteBoundary remote={remote} report={report}>
          <Failing where={remote === 'orders' ? where : 'nowhere'} />
        </RemoteBoundary>
      )
      const { rerender } = await draw(tree('orders'))
      await rerender(tree('reports'))
      expect(screen.getByText('content')).toBeTruthy()
      expect(screen.queryByRole('alert')).toBeNull()
      await rerender(tree('orders'))
      expect(shownFailure()).toContain('“orders”')
      expect(reports).toEqual([['orders', 'mount-failed'], ['reports'], ['orders', 'mount-failed']])
    },
  )

  it('keeps nothing of the remote that failed', async () => {
    const { report } = listening()
    let isBroken = true
    const Remote = () => {
      const [count, add] = useState(0)
      if (count === 1 && isBroken) throw new Error('broken')
      return <button onClick={() => add(count + 1)}>{count}</button>
    }
    await draw(
      <RemoteBoundary remote="orders" report={report}>
        <Remote />
      </RemoteBoundary>,
    )
    fireEvent.click(screen.getByText('0'))
    isBroken = false
    await act(async () => void retry())
    expect(screen.getByText('0')).toBeTruthy()
  })
})

describe('RemoteBoundary', () => {
  const draw = (tree: ReactNode) => act(async () => render(tree))

  it('shows and reports the code of an AuthError, and not its message', async () => {
    const { report, reports } = listening()
    const error = new AuthError('ERR_READER_REVOKED', SECRET, { phase: 'read' })
    await draw(
      <RemoteBoundary remote="orders" report={report}>
        <Failing where="render" error={error} />
      </RemoteBoundary>,
    )
    expect(reports).toEqual([['orders', 'ERR_READER_REVOKED']])
    expect(shownFailure()).toContain('(ERR_READER_REVOKED)')
    expect(document.body.textContent).not.toContain(SECRET)
  })

  it.each([
    [
      'an error with a code that is none',
      Object.assign(new AuthError('ERR_CONFIG', '', { phase: 'read' }), { code: SECRET }),
    ],
    [
      'an object that is marked as one of our errors',
      { [Symbol.for('@token-bridge/error')]: true, code: SECRET },
    ],
    ['a string', SECRET],
  ])('neither shows nor reports what a remote throws: %s', async (_name, error) => {
    const { report, reports } = listening()
    await draw(
      <RemoteBoundary remote="orders" report={report}>
        <Failing where="effect" error={error} />
      </RemoteBoundary>,
    )
    expect(reports).toEqual([['orders', 'mount-failed']])
    expect(document.body.textContent).not.toContain(SECRET)
  })

  it('takes a node, nothing, or a function of the failure as its fallback, and never hands out the error', async () => {
    const { report } = listening()
    const draws = async (fallback: ReactNode | ((failure: object) => ReactNode)) =>
      (
        await draw(
          <RemoteBoundary remote="orders" report={report} fallback={fallback}>
            <Failing where="render" />
          </RemoteBoundary>,
        )
      ).container.textContent
    expect(await draws(<b>own words</b>)).toBe('own words')
    expect(await draws(null)).toBe('')
    expect(await draws((failure) => JSON.stringify(failure))).toBe(
      '{"remote":"orders","code":"mount-failed"}',
    )
  })

  it('leaves the rest of the page, and the focus in it, alone', async () => {
    const { report } = listening()
    const tree = (where: string) => (
      <>
        <input aria-label="elsewhere" />
        <RemoteBoundary remote="orders" report={report}>
          <Failing where={where} />
        </RemoteBoundary>
        <RemoteBoundary remote="reports" report={report}>
          <p>reports</p>
        </RemoteBoundary>
      </>
    )
    const view = await draw(tree('nowhere'))
    screen.getByLabelText('elsewhere').focus()
    await act(async () => view.rerender(tree('render')))
    expect(shownFailure()).toContain('orders')
    expect(screen.getByText('reports')).toBeTruthy()
    expect(document.activeElement).toBe(screen.getByLabelText('elsewhere'))
  })

  it('counts a lazy remote as mounted when its content is there, and as failed when it does not load', async () => {
    const { report, reports } = listening()
    let settle = { load: (_module: { default: ComponentType }) => {}, fail: (_error: Error) => {} }
    const load = () =>
      lazy(
        () =>
          new Promise<{ default: ComponentType }>((resolve, reject) => {
            settle = { load: resolve, fail: reject }
          }),
      )
    const Host = () => {
      const [Orders, setOrders] = useState(load)
      return (
        <Suspense fallback={<p>loading</p>}>
          <RemoteBoundary remote="orders" report={report} onRetry={() => setOrders(load)}>
            <Orders />
          </RemoteBoundary>
        </Suspense>
      )
    }
    await draw(<Host />)
    expect(screen.getByText('loading')).toBeTruthy()
    expect(reports).toEqual([])
    await act(async () => settle.fail(new Error('404')))
    expect(reports).toEqual([['orders', 'mount-failed']])
    await act(async () => void retry())
    expect(reports).toHaveLength(1)
    await act(async () => settle.load({ default: () => <p>content</p> }))
    expect(screen.getByText('content')).toBeTruthy()
    expect(reports).toEqual([['orders', 'mount-failed'], ['orders']])
  })

  it('reports nothing of a remote that is gone at once', () => {
    const { report, reports } = listening()
    const view = render(
      <RemoteBoundary remote="orders" report={report}>
        <p>content</p>
      </RemoteBoundary>,
    )
    view.unmount()
    return Promise.resolve().then(() => expect(reports).toEqual([]))
  })

  it('shows in the metrics, the events and the alerts of a real bridge', async () => {
    const { bridge } = setUp()
    const report = (remote: string, failure?: string) => bridge.reportMount(remote, failure)
    const events: BridgeEvent[] = []
    bridge.events$.subscribe((event) => events.push(event))
    await draw(
      <RemoteBoundary remote="orders" report={report}>
        <Failing where="render" />
      </RemoteBoundary>,
    )
    await draw(
      <RemoteBoundary remote="reports" report={report}>
        <p>content</p>
      </RemoteBoundary>,
    )
    expect(bridge.metrics).toMatchObject({ remotesMounted: 1, remoteMountFailures: 1 })
    expect(events).toMatchObject([
      { type: 'remote-mount-failed', remote: 'orders', reason: 'mount-failed' },
      { type: 'alert', rule: 'remote-mount-failed', state: 'firing' },
      { type: 'remote-mounted', remote: 'reports' },
    ])
    expect(JSON.stringify(events)).not.toContain(SECRET)
  })

  // An attacker's walk from an element, through whatever React has put there: nothing is asked of React's own state.
  it('puts nothing of the host into what a remote finds around its elements', async () => {
    const { bridge } = setUp()
    const report = (remote: string, failure?: string) => bridge.reportMount(remote, failure)
    await draw(
      <RemoteBoundary remote="orders" report={report}>
        <p>content</p>
      </RemoteBoundary>,
    )
    const reached = new Set<unknown>()
    const reach = (value: unknown): void => {
      const holdsMore = (typeof value === 'object' && value !== null) || typeof value === 'function'
      if (!holdsMore || value instanceof Node || reached.has(value)) return
      reached.add(value)
      for (const { value: held } of Object.values(Object.getOwnPropertyDescriptors(value)))
        reach(held)
    }
    for (const found of Object.values(screen.getByText('content'))) reach(found)
    // It did walk: up to the boundary, and through its properties.
    expect(reached.has(report)).toBe(true)
    expect([...reached].filter((value) => value instanceof SecureTokenBridge)).toEqual([])
  })
})
