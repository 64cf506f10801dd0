import type { TokenReader } from '@token-bridge/core'
import { AuthProvider, useAuthSelector, useAuthToken } from '@token-bridge/react'
import {
  Profiler,
  StrictMode,
  Suspense,
  startTransition,
  useLayoutEffect,
  useState,
  type ComponentType,
  type ReactNode,
} from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { payload, setUp } from './react.test.support.tsx'

// No `act` here: it would take the scheduler's time slices away, and with them what is tested.

const ITEMS = 20

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const nextTask = () => new Promise<void>((resolve) => void setImmediate(resolve))
const until = (isSo: () => boolean) => vi.waitFor(() => expect(isSo()).toBe(true), 10_000)

/** Takes longer than React's time slice. */
function work(): void {
  const begun = performance.now()
  while (performance.now() - begun < 6);
}

/** A root of its own, with what it shows after each of its commits. */
function mount(tree: ReactNode) {
  const container = document.createElement('div')
  const commits: string[][] = []
  const root = createRoot(container)
  root.render(
    <Profiler id="root" onRender={() => void commits.push(shown())}>
      {tree}
    </Profiler>,
  )
  const shown = () => [...container.querySelectorAll('li')].map((item) => item.textContent ?? '')
  closing.push(() => root.unmount())
  return { container, commits, shown }
}

/** A list of consumers that appears in a transition, when told. */
function slowList(Item: ComponentType<{ readonly index: number }>) {
  const rendered = vi.fn<() => void>()
  const setters: ((isShown: boolean) => void)[] = []
  const Slow = ({ index }: { readonly index: number }) => {
    rendered()
    work()
    return <Item index={index} />
  }
  const List = () => {
    const [isShown, show] = useState(false)
    useLayoutEffect(() => void setters.push(show), [])
    return (
      <ul>
        <Item index={0} />
        {isShown &&
          Array.from({ length: ITEMS }, (_item, index) => <Slow key={index} index={index} />)}
      </ul>
    )
  }
  return { List, rendered, begin: () => startTransition(() => setters.at(-1)?.(true)) }
}

/** The same number by the token, and by the snapshot. */
const ByToken = () => <li>{useAuthToken()?.replace('token-', '') ?? 'none'}</li>
const BySnapshot = () => <li>{useAuthSelector((auth) => auth.generation)}</li>
const Consumer = ({ index }: { readonly index: number }) =>
  index % 2 === 0 ? <ByToken /> : <BySnapshot />

describe('in concurrent rendering', () => {
  it('all consumers show one generation in every commit, though the token rotates in the middle of a transition', async () => {
    const { bridge, reader } = setUp()
    bridge.updateToken(payload())
    const { List, rendered, begin } = slowList(Consumer)
    const { commits, shown } = mount(
      <AuthProvider reader={reader}>
        <List />
      </AuthProvider>,
    )
    await until(() => shown().length === 1)
    begin()
    for (const atLeast of [5, 10]) {
      while (rendered.mock.calls.length < atLeast) await nextTask()
      // In the middle: some were rendered, and nothing is committed yet.
      expect(shown()).toHaveLength(1)
      bridge.updateToken(payload())
    }
    await until(() => shown().length === 1 + ITEMS)
    expect(new Set(shown())).toEqual(new Set(['3']))
    expect(commits.map((items) => new Set(items).size)).toEqual(commits.map(() => 1))
  })

  it('a component that reads without a hook shows two, which is what the test above would see', async () => {
    const { bridge, reader } = setUp()
    bridge.updateToken(payload())
    const { List, rendered, begin } = slowList(() => <li>{reader.current()?.accessToken}</li>)
    const { commits, shown } = mount(<List />)
    await until(() => shown().length === 1)
    begin()
    while (rendered.mock.calls.length < 5) await nextTask()
    bridge.updateToken(payload())
    await until(() => shown().length === 1 + ITEMS)
    expect(new Set(commits.at(-1))).toEqual(new Set(['token-1', 'token-2']))
  })

  it('remotes with roots of their own each show one generation, and all of them the new one at once', async () => {
    const { bridge } = setUp()
    bridge.updateToken(payload())
    const remotes = ['orders', 'reports'].map((name) => {
      const list = slowList(Consumer)
      return {
        ...list,
        ...mount(
          <AuthProvider reader={bridge.reader(name)}>
            <list.List />
          </AuthProvider>,
        ),
      }
    })
    await until(() => remotes.every(({ shown }) => shown().length === 1))
    for (const { begin } of remotes) begin()
    while (remotes.some(({ rendered }) => rendered.mock.calls.length === 0)) await nextTask()
    bridge.updateToken(payload())
    await nextTask()
    for (const { shown } of remotes) expect(new Set(shown())).toEqual(new Set(['2']))
    await until(() => remotes.every(({ shown }) => shown().length === 1 + ITEMS))
    for (const { commits } of remotes)
      expect(commits.map((items) => new Set(items).size)).toEqual(commits.map(() => 1))
  })

  it('a remote whose root goes away leaves the other ones alone', async () => {
    const { bridge } = setUp()
    bridge.updateToken(payload())
    const tree = (reader: TokenReader) => (
      <StrictMode>
        <AuthProvider reader={reader}>
          <ul>
            <Consumer index={0} />
          </ul>
        </AuthProvider>
      </StrictMode>
    )
    const gone = mount(tree(bridge.reader('gone')))
    const stays = mount(tree(bridge.reader('stays')))
    await until(() => gone.shown().length === 1 && stays.shown().length === 1)
    closing.shift()?.()
    bridge.updateToken(payload())
    await until(() => stays.shown()[0] === '2')
    expect(gone.shown()).toEqual([])
  })

  it('nothing is thrown into Suspense: its fallback is shown in no state and in no transition', async () => {
    const { bridge, reader } = setUp()
    const suspended = vi.fn<() => void>()
    const Suspended = () => {
      suspended()
      return null
    }
    const { List, rendered, begin } = slowList(Consumer)
    const { container, shown } = mount(
      <Suspense fallback={<Suspended />}>
        <AuthProvider reader={reader}>
          <List />
        </AuthProvider>
      </Suspense>,
    )
    await until(() => container.textContent === 'Loading the session…')
    bridge.updateToken(payload())
    await until(() => shown().length === 1)
    begin()
    while (rendered.mock.calls.length < 5) await nextTask()
    bridge.updateToken(payload())
    await until(() => shown().length === 1 + ITEMS)
    void bridge.reset('sign-out')
    await until(() => container.textContent === 'You are signed out.')
    bridge.revoke('remote')
    await until(() => container.textContent?.includes('ERR_READER_REVOKED') ?? false)
    expect(suspended).not.toHaveBeenCalled()
  })
})
