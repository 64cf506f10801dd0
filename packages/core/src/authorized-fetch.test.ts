import { describe, expect, it } from 'vitest'
import { aborted } from './abort.ts'
import { authorizedFetch, type RequestAuthority } from './authorized-fetch.ts'
import { AuthError, isAuthError } from './errors.ts'
import { everythingIn, rejection, SECRET, secretToken } from './fixtures.test.support.ts'
import type { AccessToken } from './token.ts'
import { captureWebAddresses } from './web-addresses.ts'

const API = 'https://api.test/orders'
const NEWER = 'newer-token'

/** What reached the network: the request as `fetch` would have built it, and its body. */
interface Sent {
  readonly request: Request
  readonly body: string
}

/** An authority played by hand, on a network that answers with the given statuses and then with 200. */
function authorityOf(...statuses: number[]) {
  const sent: Sent[] = []
  const world = {
    token: secretToken(1) as AccessToken | null,
    newer: secretToken(2, { accessToken: NEWER }) as AccessToken | null,
    session: new AbortController(),
    waits: 0,
    replaced: [] as number[],
    sentWith: [] as number[],
    ready: (_signal: AbortSignal | undefined): Promise<AccessToken> =>
      Promise.resolve(secretToken(1)),
  }
  const authority: RequestAuthority = {
    allows: (origin) => origin === 'https://api.test' || origin === 'https://app.test',
    current: () => world.token,
    ready(signal) {
      world.waits += 1
      return world.ready(signal)
    },
    async replace(refused, signal) {
      world.replaced.push(refused.generation)
      signal?.throwIfAborted()
      if (world.newer !== null) world.token = world.newer
      return world.newer
    },
    sent: (generation) => void world.sentWith.push(generation),
    sessionSignal: () => world.session.signal,
    async fetch(input, init) {
      const request = new Request(input, init)
      sent.push({ request, body: await request.clone().text() })
      request.signal.throwIfAborted()
      return new Response('answer', { status: statuses.shift() ?? 200 })
    },
    addresses: captureWebAddresses(),
    baseUrl: () => 'https://app.test/shop/',
  }
  return { world, sent, authority, signedFetch: authorizedFetch(authority) }
}
const authorization = ({ request }: Sent): string | null => request.headers.get('authorization')

describe('authorizedFetch', () => {
  it.each<[string, () => Parameters<typeof fetch>[0]]>([
    ['a string', () => API],
    ['a URL', () => new URL(API)],
    ['a Request', () => new Request(API)],
  ])('signs a request to an allowed origin, given as %s', async (_, input) => {
    const { signedFetch, sent, world } = authorityOf()
    const response = await signedFetch(input())
    expect(response.status).toBe(200)
    expect(sent.map(authorization)).toEqual([`Bearer ${SECRET}`])
    expect(sent[0]?.request.url).toBe(API)
    expect([world.waits, world.replaced.length]).toEqual([0, 0])
  })

  it('resolves a relative address against the page', async () => {
    const { signedFetch, sent } = authorityOf()
    await signedFetch('../api/cart?x=1')
    expect(sent[0]?.request.url).toBe('https://app.test/api/cart?x=1')
  })

  it('refuses what is no address, without a request', async () => {
    const { authority, sent } = authorityOf()
    const signedFetch = authorizedFetch({ ...authority, baseUrl: () => undefined })
    await expect(signedFetch('/relative')).rejects.toBeInstanceOf(TypeError)
    expect(sent).toHaveLength(0)
  })

  it('keeps what the caller says: method, headers, body', async () => {
    const { signedFetch, sent } = authorityOf()
    await signedFetch(API, {
      method: 'PUT',
      body: '{"a":1}',
      headers: [['Content-Type', 'application/json']],
    })
    await signedFetch(new Request(API, { method: 'POST', body: 'x', headers: { 'x-trace': '7' } }))
    const [put, post] = sent as [Sent, Sent]
    expect([put.request.method, put.body]).toEqual(['PUT', '{"a":1}'])
    expect(put.request.headers.get('content-type')).toBe('application/json')
    expect([post.request.method, post.body]).toEqual(['POST', 'x'])
    expect(post.request.headers.get('x-trace')).toBe('7')
    expect(sent.map(authorization)).toEqual([`Bearer ${SECRET}`, `Bearer ${SECRET}`])
  })

  it.each<[string, HeadersInit]>([
    ['an object', { AUTHORIZATION: 'Basic forged' }],
    ['a list', [['authorization', 'Basic forged']]],
    ['Headers', new Headers({ Authorization: 'Basic forged' })],
  ])('puts its own Authorization in place of one from %s', async (_, headers) => {
    const { signedFetch, sent } = authorityOf()
    await signedFetch(API, { headers })
    expect(sent.map(authorization)).toEqual([`Bearer ${SECRET}`])
  })

  it('writes the token into nothing that the caller holds', async () => {
    const { signedFetch } = authorityOf(401)
    const headers = new Headers()
    const init = { headers, method: 'POST', body: 'x' }
    const request = new Request(API)
    await signedFetch(API, init)
    await signedFetch(request)
    expect(headers.has('authorization')).toBe(false)
    expect(request.headers.has('authorization')).toBe(false)
    expect(Object.keys(init)).toEqual(['headers', 'method', 'body'])
  })

  // logto, MSAL: a token is for the API it was issued for.
  describe('to an origin that is not allowed', () => {
    it.each([
      'https://evil.test/orders',
      'https://api.test.evil.test/',
      'https://api.test@evil.test/',
      'https://evil.test/https://api.test/',
      'http://api.test/orders',
      'https://api.test:8443/orders',
      '//evil.test/orders',
      'data:text/plain,x',
    ])('sends %s without the token, and waits for none', async (address) => {
      const { authority, world } = authorityOf()
      const given: unknown[] = []
      const signedFetch = authorizedFetch({
        ...authority,
        fetch: (...args) => {
          given.push(args)
          return Promise.resolve(new Response(null, { status: 401 }))
        },
      })
      world.token = null
      const init = { method: 'POST', body: 'x' }
      const response = await signedFetch(address, init)
      expect(response.status).toBe(401)
      expect(given).toEqual([[new URL(address, 'https://app.test/shop/').href, init]])
      expect((given[0] as unknown[])[1]).toBe(init)
      expect([world.waits, world.replaced.length]).toEqual([0, 0])
    })

    it('asks an object for its address once: what was checked is what is sent', async () => {
      const { signedFetch, sent } = authorityOf()
      let asked = 0
      const shifty = {
        toString: () => {
          asked += 1
          return asked === 1 ? API : 'https://evil.test/'
        },
      }
      await signedFetch(shifty as unknown as string)
      expect(sent.map(({ request }) => request.url)).toEqual([API])
      expect(asked).toBe(1)
    })
  })

  describe('without a valid token', () => {
    it('waits for one before it sends anything', async () => {
      const { signedFetch, sent, world } = authorityOf()
      let resolve: (token: AccessToken) => void = () => {}
      world.token = null
      world.ready = () => new Promise((done) => (resolve = done))
      const response = signedFetch(API)
      await Promise.resolve()
      expect([sent.length, world.waits]).toEqual([0, 1])
      resolve(secretToken(1))
      await response
      expect(sent.map(authorization)).toEqual([`Bearer ${SECRET}`])
    })

    it('fails with the reason why there is none, and sends nothing', async () => {
      const { signedFetch, sent, world } = authorityOf()
      world.token = null
      world.ready = () =>
        Promise.reject(new AuthError('ERR_SIGNED_OUT', 'Nobody is signed in.', { phase: 'read' }))
      expect(isAuthError(await rejection(signedFetch(API)), 'ERR_SIGNED_OUT')).toBe(true)
      expect(sent).toHaveLength(0)
    })

    it.each<[string, (signal: AbortSignal) => Parameters<typeof fetch>]>([
      ['in the options', (signal) => [API, { signal }]],
      ['in the Request', (signal) => [new Request(API, { signal })]],
    ])('waits under the signal of the caller, %s', async (_, make) => {
      const { signedFetch, sent, world } = authorityOf()
      const controller = new AbortController()
      world.token = null
      world.ready = (signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error))
        })
      const waiting = rejection(signedFetch(...make(controller.signal)))
      const reason = new Error('left the page')
      controller.abort(reason)
      expect(await waiting).toBe(reason)
      expect(sent).toHaveLength(0)
    })
  })

  describe('given an object that says one address to us and another one to fetch', () => {
    const EVIL = 'https://evil.test/'
    const lying = (request: Request, lies: PropertyDescriptorMap): Request =>
      Object.defineProperties(request, lies)

    it.each<[string, () => Request, number]>([
      ['its own url', () => lying(new Request(EVIL), { url: { value: API } }), 1],
      [
        'its own url and clone',
        () =>
          lying(new Request(EVIL), {
            url: { value: API },
            clone: { value: () => new Request(EVIL) },
          }),
        1,
      ],
      [
        'the url of a subclass',
        () =>
          new (class extends Request {
            override get url() {
              return API
            }
          })(EVIL),
        1,
      ],
      [
        'a prototype that is not its own',
        () => {
          const addresses = [API, EVIL]
          return Object.create(Request.prototype, {
            url: { get: () => API },
            toString: { value: () => addresses.shift() ?? EVIL },
          }) as Request
        },
        0,
      ],
    ])('never sends the token there: %s', async (_name, forge, sends) => {
      const { signedFetch, sent } = authorityOf(401)
      await signedFetch(forge()).catch(() => {})
      const there = sent.filter(({ request }) => request.url.startsWith(EVIL))
      expect(there.map(authorization)).toEqual(there.map(() => null))
      expect(sent).toHaveLength(sends)
    })

    it('replays what was sent, not what a clone of the caller would be', async () => {
      const { signedFetch, sent } = authorityOf(401)
      const request = lying(new Request(API, { method: 'POST', body: 'order' }), {
        clone: { value: () => new Request(EVIL) },
      })
      await signedFetch(request)
      expect(sent.map((one) => one.request.url)).toEqual([API, API])
      expect(sent.map(({ body }) => body)).toEqual(['order', 'order'])
    })
  })

  describe('in cookie-only mode', () => {
    it('sends the cookie and no token', async () => {
      const { signedFetch, sent, world } = authorityOf(401)
      world.token = null
      world.ready = () => Promise.reject(new AuthError('ERR_COOKIE_ONLY', 'off', { phase: 'read' }))
      const response = await signedFetch(API, { credentials: 'omit' })
      expect(response.status).toBe(401)
      expect(sent).toHaveLength(1)
      expect(sent.map(authorization)).toEqual([null])
      expect(sent[0]?.request.credentials).toBe('include')
      expect(world.replaced).toEqual([])
    })
  })

  describe('after a 401', () => {
    it('sends the request once more, with the newer token', async () => {
      const { signedFetch, sent, world } = authorityOf(401)
      const response = await signedFetch(API)
      expect(response.status).toBe(200)
      expect(sent.map(authorization)).toEqual([`Bearer ${SECRET}`, `Bearer ${NEWER}`])
      expect(world.replaced).toEqual([1])
    })

    it('sends the token that is held by then, when another rotation has come meanwhile', async () => {
      const { authority, world, sent } = authorityOf(401)
      const signedFetch = authorizedFetch({
        ...authority,
        async replace() {
          // Taken from the vault just before the next one came.
          world.token = secretToken(3, { accessToken: 'newest-token' })
          return world.newer
        },
      })
      await signedFetch(API)
      expect(sent.map(authorization)).toEqual([`Bearer ${SECRET}`, 'Bearer newest-token'])
      expect(world.sentWith).toEqual([1, 3])
    })

    it('sends what it was given when that has entered its skew buffer meanwhile', async () => {
      const { authority, world, sent } = authorityOf(401)
      const signedFetch = authorizedFetch({
        ...authority,
        async replace() {
          world.token = null
          return world.newer
        },
      })
      await signedFetch(API)
      expect(sent.map(authorization)).toEqual([`Bearer ${SECRET}`, `Bearer ${NEWER}`])
    })

    it('hands a second 401 to the caller instead of going on', async () => {
      const { signedFetch, sent, world } = authorityOf(401, 401, 401)
      const response = await signedFetch(API)
      expect(response.status).toBe(401)
      await expect(response.text()).resolves.toBe('answer')
      expect([sent.length, world.replaced.length]).toEqual([2, 1])
    })

    it('hands the 401 to the caller, its body unread, when there is no newer token', async () => {
      const { signedFetch, sent, world } = authorityOf(401)
      world.newer = null
      const response = await signedFetch(API)
      expect(response.status).toBe(401)
      await expect(response.text()).resolves.toBe('answer')
      expect(sent).toHaveLength(1)
    })

    it.each([400, 403, 404, 429, 500, 503])('does not take %i for one', async (status) => {
      const { signedFetch, sent, world } = authorityOf(status)
      expect((await signedFetch(API)).status).toBe(status)
      expect([sent.length, world.replaced.length]).toEqual([1, 0])
    })

    it.each<[string, () => Parameters<typeof fetch>, string]>([
      ['text', () => [API, { method: 'POST', body: 'text' }], 'text'],
      ['a form', () => [API, { method: 'POST', body: new URLSearchParams({ a: '1' }) }], 'a=1'],
      ['a Blob', () => [API, { method: 'POST', body: new Blob(['blob']) }], 'blob'],
      ['a Request with a body', () => [new Request(API, { method: 'POST', body: 'req' })], 'req'],
      [
        'options that overrule the body of a Request',
        () => [new Request(API, { method: 'POST', body: 'req' }), { body: 'init' }],
        'init',
      ],
    ])('sends %s twice, whole', async (_, make, body) => {
      const { signedFetch, sent } = authorityOf(401)
      const response = await signedFetch(...make())
      expect(response.status).toBe(200)
      expect(sent.map((one) => one.body)).toEqual([body, body])
      expect(sent.map(({ request }) => request.method)).toEqual(['POST', 'POST'])
      expect(sent.map(authorization)).toEqual([`Bearer ${SECRET}`, `Bearer ${NEWER}`])
    })

    it('does not send a stream twice: it hands over the 401, and the token is replaced all the same', async () => {
      const { signedFetch, sent, world } = authorityOf(401)
      const body = new Blob(['stream']).stream()
      const response = await signedFetch(API, {
        method: 'POST',
        body,
        duplex: 'half',
      } as RequestInit)
      expect(response.status).toBe(401)
      expect(sent.map((one) => one.body)).toEqual(['stream'])
      expect(world.replaced).toEqual([1])
    })

    it('sends nothing more when the caller has left meanwhile', async () => {
      const { authority, sent } = authorityOf(401)
      const controller = new AbortController()
      const signedFetch = authorizedFetch({
        ...authority,
        async fetch(input, init) {
          const response = await authority.fetch(input, init)
          controller.abort(new Error('left the page'))
          return response
        },
      })
      await expect(signedFetch(API, { signal: controller.signal })).rejects.toThrow('left the page')
      expect(sent).toHaveLength(1)
    })
  })

  // logto kotlin #253, auth0 PR #1597: requests that outlive the sign-out.
  describe('when the session ends', () => {
    const hanging = (authority: RequestAuthority, started: (signal: AbortSignal) => void) =>
      authorizedFetch({
        ...authority,
        fetch: (input, init) =>
          new Promise((_, reject) => {
            const { signal } = new Request(input, init)
            signal.addEventListener('abort', () => reject(signal.reason as Error))
            started(signal)
          }),
      })

    it.each<[string, RequestInit | undefined]>([
      ['without a signal of the caller', undefined],
      ['with one', { signal: new AbortController().signal }],
    ])('ends the request that is under way, %s', async (_, init) => {
      const { authority, world } = authorityOf()
      const reason = aborted('The request')
      const signedFetch = hanging(authority, () => world.session.abort(reason))
      expect(await rejection(signedFetch(API, init))).toBe(reason)
    })

    it('still ends it for the caller alone', async () => {
      const { authority, world } = authorityOf()
      const controller = new AbortController()
      const reason = new Error('left the page')
      const signedFetch = hanging(authority, () => controller.abort(reason))
      expect(await rejection(signedFetch(API, { signal: controller.signal }))).toBe(reason)
      expect(world.session.signal.aborted).toBe(false)
    })
  })

  it('hands the headers to no getter that somebody planted on Object.prototype', async () => {
    const { authority } = authorityOf()
    const stolen: string[] = []
    const root = Object.getPrototypeOf({}) as object
    const signedFetch = authorizedFetch({
      ...authority,
      fetch: (_, init) => {
        const headers = init?.headers as Record<PropertyKey, unknown>
        void headers[Symbol.iterator]
        void (init as Record<PropertyKey, unknown>)['planted']
        expect(headers['authorization']).toBe(`Bearer ${SECRET}`)
        return Promise.resolve(new Response())
      },
    })
    const plant = (key: PropertyKey): void => {
      Object.defineProperty(root, key, {
        configurable: true,
        get(this: unknown) {
          const text = everythingIn(this)
          if (text.includes(SECRET)) stolen.push(text)
          return undefined
        },
      })
    }
    plant(Symbol.iterator)
    plant('planted')
    try {
      await signedFetch(API, { headers: { 'x-trace': '1' } })
    } finally {
      Reflect.deleteProperty(root, Symbol.iterator)
      Reflect.deleteProperty(root, 'planted')
    }
    expect(stolen).toEqual([])
  })
})
