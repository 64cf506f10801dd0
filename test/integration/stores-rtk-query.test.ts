import { configureStore } from '@reduxjs/toolkit'
import { createApi, fetchBaseQuery } from '@reduxjs/toolkit/query'
import { SecureTokenBridge } from '@token-bridge/core'
import { authMiddleware, authReducer } from '@token-bridge/redux'
import { createFakeAuthority } from '@token-bridge/testing'
import { afterEach, describe, expect, it } from 'vitest'

const MINUTE = 60_000
const ORIGIN = 'https://api.example.com'

const running: SecureTokenBridge[] = []
afterEach(() => {
  for (const bridge of running.splice(0)) bridge.stop()
})

/** A host with an API that takes the authority's newest token and no other. */
function host() {
  let time = Date.now()
  const now = () => time
  const authority = createFakeAuthority({ now })
  const answers: number[] = []
  const bridge = new SecureTokenBridge({
    source: authority.source,
    origins: [ORIGIN],
    environment: { wallClock: now, monotonic: now },
    fetch: async (input, init) => {
      const sent = new Request(input, init).headers.get('Authorization')
      const isValid = sent === `Bearer ${authority.issued.at(-1)}`
      answers.push(isValid ? 200 : 401)
      return Response.json([], { status: isValid ? 200 : 401 })
    },
  }).start()
  running.push(bridge)
  const reader = bridge.reader('orders')
  const api = createApi({
    baseQuery: fetchBaseQuery({ baseUrl: ORIGIN, fetchFn: reader.fetch }),
    endpoints: (build) => ({
      order: build.query<unknown[], number>({ query: (id) => `/orders/${id}` }),
    }),
  })
  const store = configureStore({
    reducer: { auth: authReducer, [api.reducerPath]: api.reducer },
    middleware: (defaults) =>
      defaults()
        .concat(api.middleware)
        .prepend(authMiddleware(bridge, { onReset: [api.util.resetApiState] })),
  })
  const askHundred = () =>
    Promise.all(
      Array.from({ length: 100 }, (_, id) => store.dispatch(api.endpoints.order.initiate(id))),
    )
  return {
    authority,
    bridge,
    reader,
    store,
    answers,
    askHundred,
    cached: () => Object.keys(store.getState()[api.reducerPath].queries).length,
    letPass: (span: number) => void (time += span),
  }
}

describe('RTK Query with reader.fetch', () => {
  it('answers 100 parallel queries over an expired token with one sync and no failure', async () => {
    const { authority, bridge, reader, store, answers, askHundred, letPass } = host()
    await reader.ready()
    letPass(10 * MINUTE)
    const results = await askHundred()
    expect(results.filter(({ isSuccess }) => isSuccess)).toHaveLength(100)
    expect(authority.calls).toBe(2)
    expect(answers).toEqual(Array.from({ length: 100 }, () => 200))
    expect(store.getState().auth).toBe(bridge.snapshot)
    expect(bridge.snapshot.generation).toBe(2)
  })

  it('answers 100 parallel queries that begin before there is any token with one sync', async () => {
    const { authority, answers, askHundred } = host()
    const results = await askHundred()
    expect(results.filter(({ isSuccess }) => isSuccess)).toHaveLength(100)
    expect(authority.calls).toBe(1)
    expect(answers).toHaveLength(100)
  })

  it('answers 100 parallel queries over a token that the API refuses with one sync and no failure', async () => {
    const { authority, bridge, reader, answers, askHundred } = host()
    await reader.ready()
    // Somebody else has refreshed the session: the token that the bridge holds is not the newest.
    await authority.source({
      reason: 'elsewhere',
      newerThan: bridge.snapshot.expiresAt as number,
      signal: new AbortController().signal,
      fetch: globalThis.fetch,
    })
    const before = authority.calls
    const results = await askHundred()
    expect(results.filter(({ isSuccess }) => isSuccess)).toHaveLength(100)
    expect(authority.calls - before).toBe(1)
    expect(answers.filter((status) => status === 401)).toHaveLength(100)
    expect(answers.filter((status) => status === 200)).toHaveLength(100)
    expect(bridge.snapshot.status).toBe('ready')
  })

  it('has emptied its cache before any remote hears of the reset', async () => {
    const { bridge, reader, store, askHundred, cached } = host()
    await askHundred()
    expect(cached()).toBe(100)
    const seen: unknown[] = []
    reader.subscribe(() => seen.push([store.getState().auth.status, cached()]))
    void bridge.reset('sign-out')
    expect(seen).toEqual([['signed-out', 0]])
  })
})
