import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { addressOf, BRIDGE_HEADERS, ORIGIN, startApp, type TestApp } from '../app.test.fixture.ts'
import { memoryStore } from '../memory-store.ts'
import { CLIENT_ID, CLIENT_SECRET } from '../oidc-provider.test.fixture.ts'
import type { SessionStore } from '../session-store.ts'

const KEY = 'canary-encryption-key-0123456789-abcdefghij'

/** What the provider, or the network, answers instead of the truth. */
type Trap = (url: string) => Response | Promise<Response> | undefined

let app: TestApp
let trap: Trap
let storeFails: boolean
let lines: string[]
let answers: string[]
const canaries = new Map<string, string>()

const note = (name: string, value: string | null | undefined): void => {
  if (typeof value !== 'string' || value === '') throw new Error(`There is no ${name}.`)
  canaries.set(name, value)
}

beforeEach(async () => {
  trap = () => undefined
  storeFails = false
  lines = []
  answers = []
  canaries.clear()
  const take = (...words: unknown[]) => void lines.push(JSON.stringify(words))
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, name).mockImplementation(take)
  const store = memoryStore()
  const guarded =
    (name: keyof SessionStore) =>
    (...words: never[]) =>
      storeFails
        ? Promise.reject(
            Object.assign(new Error(`no ${words.join()} ${[...canaries.values()].join()}`), {
              name: canaries.get('session cookie') ?? 'StoreError',
            }),
          )
        : (store[name] as (...all: never[]) => Promise<unknown>)(...words)
  app = await startApp({
    encryptionKeys: [KEY],
    logger: { info: take, warn: take, error: take },
    store: Object.fromEntries(
      Object.keys(store).map((name) => [name, guarded(name as keyof SessionStore)]),
    ) as unknown as SessionStore,
    async fetch(input, init) {
      const url = addressOf(input)
      if (url.endsWith('/token') && init?.body !== undefined) {
        const form = new URLSearchParams(await new Response(init.body).text())
        const verifier = form.get('code_verifier')
        if (verifier !== null) note('verifier', verifier)
      }
      return (await trap(url)) ?? fetch(input, init)
    },
  })
  note('client secret', CLIENT_SECRET)
  note('encryption key', KEY)
})
afterEach(() => app[Symbol.asyncDispose]())

/** Keeps what the browser is told, but for the cookies, whose values have to be told. */
async function hear(response: Response): Promise<Response> {
  const headers = [...response.headers].filter(([name]) => name !== 'set-cookie')
  answers.push(JSON.stringify(headers) + (await response.clone().text()))
  return response
}

const cookie = (name: string) => app.browser.jar(ORIGIN).get(`__Host-Http-${name}`)

async function leave(): Promise<string> {
  const callback = await app.leave('/cart')
  const answer = new URL(callback).searchParams
  note('code', answer.get('code'))
  note('state', answer.get('state'))
  note('login cookie', cookie('login'))
  return callback
}

async function signIn(): Promise<void> {
  const response = await hear(await app.request(await leave()))
  expect(response.status).toBe(200)
  note('session cookie', cookie('sid'))
  let number = 0
  for (const secret of app.provider.secrets) note(`token ${(number += 1)}`, secret)
  // The three tokens, and the client's secret.
  expect(number).toBe(4)
}

const sync = async (question?: object) => hear(await app.sync(question))
const logout = async () => hear(await app.logout())
const backchannel = async (token: string) =>
  hear(
    await app.request('/api/auth/backchannel-logout', {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    }),
  )

/** Whole or in part: the first half of a secret is as good as a hint. */
function expectSilence(except: readonly string[] = []): void {
  expect(canaries.size).toBeGreaterThanOrEqual(6)
  const shown = (where: readonly string[], allowed: readonly string[]) =>
    [...canaries]
      .filter(([, secret]) => !allowed.includes(secret))
      .filter(([, secret]) => where.join('\n').includes(secret.slice(0, secret.length / 2)))
      .map(([name]) => name)
  expect(shown(lines, [])).toEqual([])
  expect(shown(answers, except)).toEqual([])
}

const all = () => [...canaries.values()].join(' ')

describe('no secret shows', () => {
  it('while all goes well, but for the access token and the hint for the sign-out', async () => {
    await signIn()
    const { accessToken, expiresAt } = (await (await sync()).json()) as {
      accessToken: string
      expiresAt: number
    }
    const newer = (await (await sync({ newerThan: expiresAt })).json()) as { accessToken: string }
    const { endSessionUrl } = (await (await logout()).json()) as { endSessionUrl: string }
    const hint = new URL(endSessionUrl).searchParams.get('id_token_hint') ?? ''
    for (const secret of app.provider.secrets) note(`token ${canaries.size}`, secret)
    // Only whole values are excepted, and JWTs of one kind begin alike.
    const told = [accessToken, newer.accessToken, hint]
    const jwts = [...canaries.values()].filter((secret) => secret.startsWith('ey'))
    expect(
      jwts.filter((jwt) => !told.includes(jwt)).every((jwt) => !answers.join().includes(jwt)),
    ).toBe(true)
    expectSilence(jwts)
    expect(lines.join()).toContain('sign-in')
  })

  it.each<[string, () => Response | Promise<Response>]>([
    [
      'an error code that is a token',
      () => Response.json({ error: all().replaceAll(' ', '_') }, { status: 400 }),
    ],
    [
      'an error code that is a refresh token',
      () =>
        Response.json({ error: canaries.get('token 3') ?? canaries.get('code') }, { status: 400 }),
    ],
    [
      'a description full of tokens',
      () => Response.json({ error: 'invalid_request', error_description: all() }, { status: 400 }),
    ],
    ['an error page', () => new Response(all(), { status: 502 })],
    ['no JSON', () => new Response(all(), { headers: { 'content-type': 'application/json' } })],
    ['another type', () => new Response(all(), { headers: { 'content-type': 'text/html' } })],
    [
      'a token of the wrong type',
      () => Response.json({ access_token: [all()], token_type: 'Bearer' }),
    ],
    ['an unknown kind of token', () => Response.json({ access_token: 'a', token_type: all() })],
    [
      'an ID token that is none',
      () => Response.json({ access_token: 'a', token_type: 'Bearer', id_token: all() }),
    ],
    [
      'a challenge',
      () =>
        new Response(null, {
          status: 401,
          headers: {
            'www-authenticate': `Bearer error="${canaries.get('code') ?? ''}", error_description="${all()}"`,
          },
        }),
    ],
    ['a retry-after', () => new Response(null, { status: 503, headers: { 'retry-after': all() } })],
    ['a network error', () => Promise.reject(new TypeError(all(), { cause: new Error(all()) }))],
    ['something thrown that is no error', () => Promise.reject(all())],
  ])('when the provider answers with %s', async (_name, answer) => {
    await signIn()
    trap = () => answer()
    expect((await sync({ newerThan: app.now() + 3_600_000 })).status).not.toBe(200)
    await logout()
    trap = () => undefined
    app.browser.cookies.delete(app.provider.issuer)
    const callback = await leave()
    trap = () => answer()
    expect((await hear(await app.request(callback))).status).toBeGreaterThanOrEqual(400)
    expect(lines.length).toBeGreaterThan(2)
    expectSilence([...canaries.values()].filter((secret) => secret.startsWith('ey')))
    // The hint for the sign-out is the one JWT that was asked for.
    expect(answers.join('\n').match(/eyJ[\w-]+\.[\w-]+/g)?.length ?? 0).toBeLessThanOrEqual(1)
  })

  it('when the metadata is garbage', async () => {
    trap = (url) => (url.includes('.well-known') ? new Response(all()) : undefined)
    note('state', 'x'.repeat(43))
    note('code', 'y'.repeat(43))
    note('session cookie', 'z'.repeat(43))
    note('more', 'w'.repeat(43))
    expect((await hear(await app.request('/api/auth/login'))).status).toBeGreaterThanOrEqual(400)
    expect((await hear(await app.request('/api/auth/readyz'))).status).toBe(503)
    expectSilence()
  })

  it('when the store fails, and says everything it knows', async () => {
    await signIn()
    const callback = await leave()
    storeFails = true
    expect((await sync()).status).toBe(500)
    expect((await logout()).status).toBe(500)
    expect((await hear(await app.request(callback))).status).toBe(500)
    expect((await hear(await app.request('/api/auth/login'))).status).toBe(500)
    expect((await hear(await app.request('/api/auth/readyz'))).status).toBe(503)
    const now = Math.floor(app.now() / 1000)
    const token = await app.provider.sign({
      iss: app.provider.issuer,
      aud: CLIENT_ID,
      sub: 'alice',
      iat: now,
      exp: now + 60,
      jti: 'one',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
    note('logout token', token)
    expect((await backchannel(token)).status).toBe(500)
    expectSilence()
  })

  it.each<[string, () => Response | Promise<Response>]>([
    ['garbage', () => new Response(all())],
    ['no keys', () => Response.json({ keys: [{ kty: all() }] })],
    ['a network error', () => Promise.reject(new TypeError(all()))],
  ])('when the keys of the provider are %s', async (_name, answer) => {
    await signIn()
    const token = await app.provider.sign({ iss: app.provider.issuer, aud: CLIENT_ID, sub: 'a' })
    note('logout token', token)
    trap = (url) => (url.endsWith('/jwks') ? answer() : undefined)
    expect((await backchannel(token)).status).toBe(400)
    expect((await backchannel(`${token}x`)).status).toBe(400)
    expect((await backchannel(all())).status).toBe(400)
    expectSilence()
  })

  it('when a browser puts it where it does not belong', async () => {
    await signIn()
    const secret = encodeURIComponent(all())
    for (const path of [`callback?error=${secret}&state=${secret}`, `login?returnTo=//${secret}`])
      await app.request(`/api/auth/${path}`)
    const tries = [
      app.request(`/api/auth/${secret}`),
      app.request(`/api/auth/sync?${secret}`, { method: 'POST', headers: BRIDGE_HEADERS }),
      app.request('/api/auth/sync', { method: 'POST', headers: BRIDGE_HEADERS, body: all() }),
      app.request('/api/auth/sync', {
        method: 'POST',
        headers: { ...BRIDGE_HEADERS, origin: 'null', 'x-token-bridge': all() },
      }),
      app.sync({ newerThan: all(), active: all() }),
    ]
    for (const response of await Promise.all(tries)) {
      expect(response.status).toBeGreaterThanOrEqual(400)
      await hear(response)
    }
    expectSilence()
  })

  it('when the provider sends the browser back with an error that holds it', async () => {
    await signIn()
    const callback = new URL(await leave())
    callback.searchParams.delete('code')
    callback.searchParams.set('error', all())
    callback.searchParams.set('error_description', all())
    const response = await hear(await app.request(callback.href))
    expect(response.status).toBe(400)
    expectSilence()
  })
})
