import { isAuthError, type AuthStatus } from '@token-bridge/core'
import { http, HttpResponse } from 'msw/http'
import { setupServer } from 'msw/node'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createFakeReader } from './fake-reader.ts'

const STATUSES: readonly AuthStatus[] = ['loading', 'ready', 'signed-out', 'maintenance', 'error']

afterEach(() => {
  vi.useRealTimers()
})

describe('createFakeReader', () => {
  it('begins as every page does: loading, without a token', () => {
    const { reader } = createFakeReader()

    expect(reader.snapshot()).toMatchObject({ status: 'loading', generation: 0, expiresAt: null })
    expect(reader.current()).toBeNull()
  })

  it('begins ready with a token of its own', () => {
    const { reader } = createFakeReader('ready')

    expect(reader.current()?.accessToken).toBe('fake-reader-token-1')
    expect(reader.snapshot()).toMatchObject({ status: 'ready', generation: 1 })
  })

  it('begins with a given token', () => {
    const { reader } = createFakeReader({ accessToken: 'abc', scope: 'orders' })

    expect(reader.current()).toMatchObject({ accessToken: 'abc', scope: 'orders', generation: 1 })
  })

  it('begins signed out', async () => {
    const { reader } = createFakeReader('signed-out')

    expect(reader.snapshot().status).toBe('signed-out')
    await expect(reader.ready()).rejects.toMatchObject({ code: 'ERR_SIGNED_OUT' })
  })

  it('is the reader of a real bridge: frozen, without a prototype', () => {
    const { reader } = createFakeReader('ready', { remote: 'orders' })

    expect(Object.isFrozen(reader)).toBe(true)
    expect(Object.getPrototypeOf(reader)).toBeNull()
    expect(reader.remote).toBe('orders')
  })

  it('rotates, and tells subscribers and streams at once', () => {
    const { reader, setToken } = createFakeReader('ready')
    const told: number[] = []
    const tokens: string[] = []
    reader.subscribe(() => told.push(reader.snapshot().generation))
    reader.getToken().subscribe(({ accessToken }) => tokens.push(accessToken))

    setToken({ accessToken: 'second' })
    setToken()

    expect(told).toEqual([2, 3])
    expect(tokens).toEqual(['fake-reader-token-1', 'second', 'fake-reader-token-3'])
  })

  it('refuses the payloads that the bridge refuses, and keeps the token', () => {
    const { reader, setToken } = createFakeReader({ accessToken: 'good' })

    expect(() => setToken({ accessToken: '' })).toThrow('accessToken')
    expect(() => setToken({ expiresAt: Date.now() + 1_000 })).toThrow('skew buffer')
    expect(reader.current()?.accessToken).toBe('good')
  })

  it('gives a component that waits its token', async () => {
    const { reader, setToken } = createFakeReader()
    const waiting = reader.ready()
    setToken({ accessToken: 'late' })

    expect((await waiting).accessToken).toBe('late')
  })

  it.each(STATUSES.flatMap((from) => STATUSES.map((to) => [from, to] as const)))(
    'goes from %s to %s',
    async (from, to) => {
      const { reader, setStatus } = createFakeReader()
      await setStatus(from)

      await setStatus(to)

      expect(reader.snapshot()).toMatchObject({ status: to, mode: 'bridge' })
      const hasToken = to === 'ready' || (to === 'maintenance' && from === 'ready')
      expect(reader.current() !== null).toBe(hasToken)
      expect(reader.snapshot().error === null).toBe(to !== 'error' && to !== 'maintenance')
    },
  )

  it.each(['loading', 'signed-out'] as const)('is %s at once', (status) => {
    const { reader, setStatus } = createFakeReader('ready')
    void setStatus(status)

    expect(reader.snapshot().status).toBe(status)
  })

  it.each(['ready', 'signed-out', 'maintenance', 'error'] as const)(
    'is not ready on the way from %s to loading',
    async (from) => {
      const { reader, setStatus } = createFakeReader()
      await setStatus(from)
      const seen: AuthStatus[] = []
      reader.subscribe(() => seen.push(reader.snapshot().status))

      await setStatus('loading')

      expect(new Set(seen)).toEqual(new Set(['loading']))
    },
  )

  it('sets no timer, and lets no token expire by itself', async () => {
    vi.useFakeTimers()
    const { reader, setStatus } = createFakeReader('ready')

    vi.advanceTimersByTime(3_600_000)
    expect(reader.current()).not.toBeNull()
    await setStatus('error')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('keeps a valid token in maintenance, however often it is told', async () => {
    const { reader, setStatus } = createFakeReader({ accessToken: 'kept' })
    await setStatus('maintenance')
    await setStatus('maintenance')

    expect(reader.current()?.accessToken).toBe('kept')
  })

  it('comes back with a token from every status, again and again', async () => {
    const { reader, setStatus, setToken } = createFakeReader()
    for (let round = 1; round <= 6; round += 1) {
      for (const status of STATUSES) {
        await setStatus(status)
        setToken({ accessToken: `${status}-${round}` })
        expect(reader.current()?.accessToken).toBe(`${status}-${round}`)
      }
    }
    expect(reader.snapshot()).toMatchObject({ status: 'ready', error: null })
  })

  it('signs out', () => {
    const { reader, signOut } = createFakeReader('ready')
    signOut()

    expect(reader.snapshot()).toMatchObject({ status: 'signed-out', expiresAt: null })
    expect(reader.current()).toBeNull()
  })

  it('cuts the remote off for good', async () => {
    const { reader, revoke, setToken } = createFakeReader('ready')
    const endings: unknown[] = []
    reader.getToken().subscribe({ error: (error) => endings.push(error) })

    revoke()
    setToken()

    expect(isAuthError(endings[0], 'ERR_READER_REVOKED')).toBe(true)
    expect(reader.current()).toBeNull()
    expect(reader.snapshot().status).toBe('error')
    await expect(reader.ready()).rejects.toMatchObject({ code: 'ERR_READER_REVOKED' })
  })

  it('withholds the token from a remote that has fetch only', () => {
    const { reader } = createFakeReader('ready', { access: 'fetch' })

    expect(reader.current()).toBeNull()
    expect(reader.snapshot().status).toBe('ready')
  })

  it('signs requests to the origins it was given, also when MSW comes up later, and replays after a 401', async () => {
    const { reader, setToken } = createFakeReader('loading', { origins: ['https://api.example'] })
    setToken({ accessToken: 'stale' })
    const sent: (string | null)[] = []
    const server = setupServer(
      http.get('https://api.example/orders', ({ request }) => {
        sent.push(request.headers.get('authorization'))
        return new HttpResponse(null, { status: sent.length === 1 ? 401 : 200 })
      }),
    )
    server.listen({ onUnhandledFrame: 'error' })
    try {
      expect((await reader.fetch('https://api.example/orders')).status).toBe(200)
    } finally {
      server.close()
    }

    expect(sent).toEqual(['Bearer stale', `Bearer ${reader.current()?.accessToken}`])
    expect(reader.snapshot().generation).toBe(2)
  })
})
