import { http, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AuthError } from './errors.ts'
import { everythingIn, NOW, rejection, SECRET, secretPayload } from './fixtures.test.support.ts'
import { syncEndpoint, type SyncEndpointOptions, type TokenRequest } from './source.ts'
import { SYNC_HEADER, SYNC_VERSION, type TokenPayload } from './wire.ts'

const URL_ = 'https://app.test/api/auth/sync'
const server = setupServer()
beforeAll(() => server.listen({ onUnhandledFrame: 'error' }))
afterEach(() => server.resetHandlers())
afterAll(() => server.close())

/** Answers every request to the endpoint in the same way and writes the requests down. */
function answering(answer: (request: Request) => Response | Promise<Response>): Request[] {
  const requests: Request[] = []
  server.use(
    http.all(URL_, ({ request }) => {
      requests.push(request.clone())
      return answer(request)
    }),
  )
  return requests
}

const ask = (overrides: Partial<TokenRequest> = {}, options?: SyncEndpointOptions) =>
  syncEndpoint(
    URL_,
    options,
  )({
    signal: new AbortController().signal,
    reason: 'schedule',
    fetch: globalThis.fetch,
    ...overrides,
  })
const failing = async (answer: () => Response | Promise<Response>): Promise<AuthError> => {
  answering(answer)
  return (await rejection(ask())) as AuthError
}

describe('syncEndpoint', () => {
  it('posts JSON with its own header and says which token it wants replaced', async () => {
    const requests = answering(() => HttpResponse.json(secretPayload({ serverTime: NOW })))
    await expect(ask({ newerThan: NOW })).resolves.toEqual(secretPayload({ serverTime: NOW }))
    expect(requests).toHaveLength(1)
    const [request] = requests as [Request]
    expect(request.method).toBe('POST')
    expect(request.headers.get(SYNC_HEADER)).toBe(SYNC_VERSION)
    expect(request.headers.get('content-type')).toBe('application/json')
    expect(request.headers.get('accept')).toBe('application/json')
    expect(request.headers.has('authorization')).toBe(false)
    await expect(request.json()).resolves.toEqual({ newerThan: NOW })
  })

  it('asks for any valid token when it has none', async () => {
    const requests = answering(() => HttpResponse.json(secretPayload()))
    await ask()
    await expect(requests[0]?.json()).resolves.toEqual({})
  })

  // clerk PR #9215: background tabs kept idle sessions looking active.
  it('says that a person used the page only where the host can tell, and when it was so', async () => {
    const requests = answering(() => HttpResponse.json(secretPayload()))
    let isActive = false
    await ask({}, { isActive: () => isActive })
    isActive = true
    await ask({ newerThan: NOW }, { isActive: () => isActive })
    await expect(requests[0]?.json()).resolves.toEqual({})
    await expect(requests[1]?.json()).resolves.toEqual({ newerThan: NOW, active: true })
  })

  it('sends cookies, keeps the answer out of caches and follows no redirect', async () => {
    let init: RequestInit | undefined
    await ask({
      fetch: (_, given) => {
        init = given
        return Promise.resolve(HttpResponse.json(secretPayload()))
      },
    })
    expect(init).toMatchObject({
      credentials: 'include',
      cache: 'no-store',
      redirect: 'manual',
    })
  })

  it('asks an endpoint that exists already by GET, without body and without the header', async () => {
    const requests = answering(() => HttpResponse.json(secretPayload()))
    await ask({ newerThan: NOW }, { method: 'GET' })
    const [request] = requests as [Request]
    expect(request.method).toBe('GET')
    expect(request.headers.has(SYNC_HEADER)).toBe(false)
    await expect(request.text()).resolves.toBe('')
  })

  it('leaves a refresh token that the server should not have sent where it was', async () => {
    answering(() => HttpResponse.json({ ...secretPayload(), refreshToken: 'refresh-sentinel' }))
    expect(JSON.stringify(await ask())).not.toContain('refresh-sentinel')
  })

  it.each([
    ['without a body', () => new HttpResponse(null, { status: 401 })],
    ['with a page', () => HttpResponse.html('<h1>Sign in</h1>', { status: 401 })],
  ])('resolves with null for 401 %s: nobody is signed in', async (_, answer) => {
    const requests = answering(answer)
    await expect(ask()).resolves.toBeNull()
    expect(requests).toHaveLength(1)
  })

  // clerk PR #8004: 429 was taken for a sign-out, and the loop made 30 requests in 11 s.
  it.each([403, 404, 405, 408, 409, 422, 429, 500, 502, 503, 504])(
    'takes %i for "later", never for a sign-out, and asks once',
    async (status) => {
      const requests = answering(() => HttpResponse.json(secretPayload(), { status }))
      const error = (await rejection(ask())) as AuthError
      expect(error).toMatchObject({ code: 'ERR_SYNC_STATUS', retryable: true, status })
      expect(error.message).toContain(`POST ${URL_} answered ${status}`)
      expect(requests).toHaveLength(1)
      expect(everythingIn(error)).not.toContain(SECRET)
    },
  )

  it.each([
    [404, 'authRoutes()'],
    [405, 'syncEndpoint(url)'],
    [403, 'X-Token-Bridge'],
    [500, 'tries again'],
  ])('says for %i what to mend', async (status, advice) => {
    const error = await failing(() => new HttpResponse(null, { status }))
    expect(error.message).toContain(advice)
  })

  it.each([
    ['a 302 that a server answers', () => HttpResponse.redirect('https://idp.test/login')],
    [
      'the opaque answer that a browser makes of it',
      () =>
        Object.defineProperties(new Response(null), {
          type: { value: 'opaqueredirect' },
          status: { value: 0 },
          ok: { value: false },
        }),
    ],
  ])('follows no redirect to a sign-in page: %s', async (_, answer) => {
    let calls = 0
    const error = (await rejection(
      ask({
        fetch: () => {
          calls += 1
          return Promise.resolve(answer())
        },
      }),
    )) as AuthError
    expect(error).toMatchObject({ code: 'ERR_SYNC_STATUS', retryable: true })
    expect(error.message).toContain('with a redirect. It must answer 401')
    expect(calls).toBe(1)
  })

  it.each([
    ['a page', 'text/html', () => HttpResponse.html('<!doctype html><title>App</title>')],
    ['text', 'text/plain', () => HttpResponse.text(SECRET)],
    ['script', 'application/jsonp', () => typed('application/jsonp')],
    ['nothing at all', 'no content type', () => new HttpResponse(null, { status: 204 })],
  ])('explains %s in place of JSON', async (_, type, answer) => {
    const error = await failing(answer)
    expect(error).toMatchObject({ code: 'ERR_SYNC_NOT_JSON', retryable: true })
    expect(error.message).toContain(`answered ${type} instead of JSON`)
    expect(error.message).toContain('single-page fallback')
    expect(everythingIn(error)).not.toContain(SECRET)
  })

  it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/vnd.bridge+json'])(
    'takes %s for JSON',
    async (type) => {
      answering(() => typed(type))
      await expect(ask()).resolves.toEqual(secretPayload())
    },
  )

  it('quotes nothing of a body that is broken JSON, not even as a cause', async () => {
    const error = await failing(
      () =>
        new HttpResponse(`{"accessToken":"${SECRET}",`, {
          headers: { 'content-type': 'application/json' },
        }),
    )
    expect(error).toMatchObject({ code: 'ERR_SYNC_PAYLOAD', retryable: true })
    expect(everythingIn(error)).not.toContain(SECRET)
    expect(error.cause).toBeUndefined()
  })

  it.each(['null', '[]', `"${SECRET}"`, '{}', `{"accessToken":"${SECRET}"}`])(
    'refuses the JSON %s',
    async (body) => {
      const error = await failing(
        () => new HttpResponse(body, { headers: { 'content-type': 'application/json' } }),
      )
      expect(error).toMatchObject({ code: 'ERR_SYNC_PAYLOAD' })
      expect(everythingIn(error)).not.toContain(SECRET)
    },
  )

  it('refuses an expiry of 1e999, which JSON can carry', async () => {
    const error = await failing(
      () =>
        new HttpResponse(`{"accessToken":"${SECRET}","expiresAt":1e999}`, {
          headers: { 'content-type': 'application/json' },
        }),
    )
    expect(error.code).toBe('ERR_SYNC_PAYLOAD')
    expect(everythingIn(error)).not.toContain(SECRET)
  })

  it('tells a network failure, with its cause and the places to look', async () => {
    const error = await failing(() => HttpResponse.error())
    expect(error).toMatchObject({ code: 'ERR_SYNC_NETWORK', retryable: true })
    expect(error.message).toMatch(/could not be reached.*connect-src/)
    expect(error.cause).toBeInstanceOf(TypeError)
  })

  it('tells a connection that breaks in the middle of the answer', async () => {
    const body = new ReadableStream({
      start(stream) {
        stream.enqueue(new TextEncoder().encode(`{"accessToken":"${SECRET}"`))
        stream.error(new TypeError('terminated'))
      },
    })
    const answer = new Response(body, { headers: { 'content-type': 'application/json' } })
    const error = (await rejection(ask({ fetch: () => Promise.resolve(answer) }))) as AuthError
    expect(error).toMatchObject({ code: 'ERR_SYNC_NETWORK', retryable: true })
    expect(everythingIn(error)).not.toContain(SECRET)
  })

  it('ends the request when the signal aborts', async () => {
    const controller = new AbortController()
    const requests = answering(() => new Promise<Response>(() => {}))
    const waiting = rejection(ask({ signal: controller.signal }))
    await expect.poll(() => requests.length).toBe(1)
    const reason = new Error('reset')
    controller.abort(reason)
    expect((await waiting) as AuthError).toMatchObject({ cause: reason })
  })

  describe('the time of the server', () => {
    const serverTime = async (
      headers: Record<string, string>,
      body: Partial<TokenPayload> = {},
    ): Promise<number | undefined> => {
      answering(() => HttpResponse.json(secretPayload(body), { headers }))
      return (await ask())?.serverTime
    }
    const date = new Date(NOW).toUTCString()

    it('is taken from Date when the body does not tell it', async () => {
      await expect(serverTime({ date })).resolves.toBe(NOW)
    })

    it('is taken from the body when that tells it', async () => {
      await expect(serverTime({ date }, { serverTime: NOW + 5 })).resolves.toBe(NOW + 5)
    })

    it.each<[string, Record<string, string>]>([
      ['no Date', {}],
      ['a Date that is none', { date: 'yesterday' }],
      ['an answer out of a cache', { date, age: '3600' }],
      ['an answer that a cache has just fetched', { date, age: '0' }],
    ])('is not known by %s', async (_, headers) => {
      await expect(serverTime(headers)).resolves.toBeUndefined()
    })
  })

  describe('Retry-After', () => {
    const retryAfter = async (headers: Record<string, string>) =>
      (await failing(() => new HttpResponse(null, { status: 503, headers }))).retryAfter
    const date = (at: number): string => new Date(at).toUTCString()

    it.each([
      ['120', 120_000],
      ['0', 0],
      ['-5', 0],
      [' 7 ', 7_000],
    ])('reads the seconds %j', async (value, expected) => {
      await expect(retryAfter({ 'retry-after': value })).resolves.toBe(expected)
    })

    it('reads a date against the Date of the server, whatever the clock of the browser says', async () => {
      const headers = { 'retry-after': date(NOW + 90_000), date: date(NOW) }
      await expect(retryAfter(headers)).resolves.toBe(90_000)
    })

    it('reads a date that has passed as now', async () => {
      const headers = { 'retry-after': date(NOW - 90_000), date: date(NOW) }
      await expect(retryAfter(headers)).resolves.toBe(0)
    })

    it.each(['soon', 'Infinity', '1e999', 'NaN'])('passes over %j', async (value) => {
      await expect(retryAfter({ 'retry-after': value })).resolves.toBeUndefined()
    })

    it('is absent when the server sent none', async () => {
      await expect(retryAfter({})).resolves.toBeUndefined()
    })
  })
})

const typed = (type: string): Response =>
  new HttpResponse(JSON.stringify(secretPayload()), { headers: { 'content-type': type } })
