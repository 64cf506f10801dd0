import { beforeEach, describe, expect, it, vi } from 'vitest'
import { addressOf } from './app.test.fixture.ts'
import { openidProvider, type OpenidProvider } from './openid-provider.ts'
import { readOptions } from './options.ts'

const ISSUER = 'https://id.example.com'

let metadata: Record<string, unknown>
/** What introspection answers. */
let answer: () => Response
let requests: { readonly url: string; readonly body: URLSearchParams }[]
let provider: OpenidProvider
let signal: AbortSignal | null | undefined
beforeEach(() => {
  metadata = {
    issuer: ISSUER,
    token_endpoint: `${ISSUER}/token`,
    introspection_endpoint: `${ISSUER}/introspect`,
  }
  requests = []
  provider = openidProvider(
    readOptions({
      issuer: ISSUER,
      clientId: 'shop',
      clientSecret: 'a-secret',
      origin: 'https://app.example.com',
      async fetch(input, init) {
        const url = addressOf(input)
        signal = init?.signal
        requests.push({ url, body: new URLSearchParams(await new Response(init?.body).text()) })
        return url.includes('.well-known') ? Response.json(metadata) : answer()
      },
    }),
  )
})

describe('isActive', () => {
  it.each([true, false])('asks the provider and passes its %s on', async (active) => {
    answer = () => Response.json({ active })
    expect(await provider.isActive('a-token')).toBe(active)
    const [, question] = requests
    expect(question?.url).toBe(`${ISSUER}/introspect`)
    expect(Object.fromEntries(question?.body ?? [])).toMatchObject({
      token: 'a-token',
      token_type_hint: 'refresh_token',
    })
  })

  it('knows nothing where the provider has no such address', async () => {
    delete metadata['introspection_endpoint']
    expect(await provider.isActive('a-token')).toBeUndefined()
    expect(requests).toHaveLength(1)
  })

  it.each([
    [400, { error: 'unauthorized_client' }],
    [401, { error: 'invalid_client' }],
    [403, undefined],
    [404, undefined],
  ])('knows nothing where our client may not ask: %s', async (status, body) => {
    answer = () => Response.json(body ?? {}, { status })
    expect(await provider.isActive('a-token')).toBeUndefined()
  })

  it.each([429, 500, 503])(
    'rejects when the provider says %s, which is no answer',
    async (status) => {
      answer = () => new Response(null, { status })
      await expect(provider.isActive('a-token')).rejects.toMatchObject({ cause: { status } })
    },
  )

  it('rejects when nobody answers', async () => {
    answer = () => {
      throw new TypeError('fetch failed')
    }
    await expect(provider.isActive('a-token')).rejects.toThrow('fetch failed')
  })
})

describe('ready', () => {
  it('asks for the addresses once', async () => {
    await provider.ready()
    await provider.ready()
    expect(requests.map(({ url }) => url)).toEqual([`${ISSUER}/.well-known/openid-configuration`])
  })
})

describe('a request to a provider', () => {
  it('is given up after eight seconds', async () => {
    await provider.ready()
    vi.useFakeTimers()
    try {
      // The head of the answer comes, and its body never.
      const start = (controller: ReadableStreamDefaultController) =>
        signal?.addEventListener('abort', () => controller.error(signal?.reason))
      answer = () => new Response(new ReadableStream({ start }))
      const failure = provider.refresh('a-token').catch((error: unknown) => error)
      const isOver = vi.fn<(error: unknown) => void>()
      void failure.then(isOver)
      await vi.advanceTimersByTimeAsync(7_800)
      expect(isOver).not.toHaveBeenCalled()
      await vi.advanceTimersByTimeAsync(400)
      expect(isOver).toHaveBeenCalledOnce()
      expect(await failure).toMatchObject({ code: 'OAUTH_TIMEOUT' })
    } finally {
      vi.useRealTimers()
    }
  })
})
