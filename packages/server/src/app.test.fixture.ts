import { Hono } from 'hono'
import { authRoutes, type AuthRoutes } from './auth-routes.ts'
import { memoryStore } from './memory-store.ts'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  RESOURCE,
  startProvider,
  type TestProvider,
} from './oidc-provider.test.fixture.ts'
import type { AuthOptions, LogFields } from './options.ts'
import type { SessionStore } from './session-store.ts'

export const ORIGIN = 'https://app.example.com'

/** The address of a `fetch` that a test intercepts. */
export function addressOf(input: Parameters<typeof fetch>[0]): string {
  return input instanceof Request ? input.url : input instanceof URL ? input.href : input
}

/** What the bridge's own request looks like on the wire. */
export const BRIDGE_HEADERS: Readonly<Record<string, string>> = {
  origin: ORIGIN,
  'sec-fetch-site': 'same-origin',
  'sec-fetch-dest': 'empty',
  'content-type': 'application/json',
  'x-token-bridge': '1',
}

/** A browser, as far as cookies go: it keeps them by origin and sends them. */
export class Browser {
  readonly cookies: Map<string, Map<string, string>> = new Map()

  jar(origin: string): Map<string, string> {
    const jar = this.cookies.get(origin) ?? new Map<string, string>()
    this.cookies.set(origin, jar)
    return jar
  }

  cookieHeader(origin: string): string {
    return [...this.jar(origin)].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  keep(origin: string, response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      const isOver = /max-age=0\b/i.test(line) || /expires=thu, 01 jan 1970/i.test(line)
      if (isOver) this.jar(origin).delete(name)
      else this.jar(origin).set(name, value)
    }
  }
}

/** Puts the routes behind a server; gives back a way to it. */
export type Mount = (
  auth: AuthRoutes,
) => Promise<(url: string, init: RequestInit) => Promise<Response>>

/** The app of the tests: the auth routes in front of a real provider, a clock that can be moved, and a log. */
export interface TestApp extends AsyncDisposable {
  readonly provider: TestProvider
  readonly store: SessionStore
  readonly auth: AuthRoutes
  /** Warnings and errors. */
  readonly log: string[]
  /** Everything that was logged, for machines. */
  readonly events: LogFields[]
  readonly browser: Browser
  /** Moves the server's clock. @param ms - milliseconds. */
  pass(ms: number): void
  now(): number
  request(path: string, init?: RequestInit, browser?: Browser): Promise<Response>
  /** Follows a sign-in from `/login` up to the address of the callback, without calling that. */
  leave(path?: string, browser?: Browser): Promise<string>
  signIn(path?: string, browser?: Browser): Promise<Response>
  sync(question?: unknown, headers?: Record<string, string>): Promise<Response>
  logout(): Promise<Response>
}

/** @param mount - default: the routes are called directly, without a network. */
export async function startApp(
  options: Partial<AuthOptions> = {},
  mount: Mount = async (auth) => {
    const app = new Hono().route('/api/auth', auth)
    return async (url, init) => app.request(url, init)
  },
): Promise<TestApp> {
  const provider = await startProvider(ORIGIN)
  const log: string[] = []
  const events: LogFields[] = []
  const info = (_line: string, fields: LogFields = {}) => void events.push(fields)
  const line = (text: string, fields: LogFields = {}) => {
    log.push(text)
    events.push(fields)
  }
  let offset = 0
  const now = () => Date.now() + offset
  const store = memoryStore({ now })
  const auth = authRoutes({
    issuer: provider.issuer,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    origin: ORIGIN,
    scope: 'openid offline_access api:read',
    resource: RESOURCE,
    store,
    now,
    logger: { info, warn: line, error: line },
    ...options,
  })
  const dispatch = await mount(auth)
  provider.deliver = (url, init) => dispatch(url, init)
  const mine = new Browser()

  async function request(
    path: string,
    init: RequestInit = {},
    browser: Browser = mine,
  ): Promise<Response> {
    const headers = new Headers(init.headers)
    const cookie = browser.cookieHeader(ORIGIN)
    if (cookie !== '' && !headers.has('cookie')) headers.set('cookie', cookie)
    const response = await dispatch(new URL(path, ORIGIN).href, { ...init, headers })
    browser.keep(ORIGIN, response)
    return response
  }

  async function leave(path = '/', browser: Browser = mine): Promise<string> {
    const query = new URLSearchParams({ returnTo: path })
    let response = await request(`/api/auth/login?${query}`, {}, browser)
    for (let hops = 0; hops < 10; hops++) {
      const location = new URL(response.headers.get('location') ?? '', provider.issuer)
      if (location.origin === ORIGIN) return location.href
      response = await fetch(location, {
        redirect: 'manual',
        headers: { cookie: browser.cookieHeader(provider.issuer) },
      })
      browser.keep(provider.issuer, response)
      if (response.status >= 400) throw new Error(`provider: ${await response.text()}`)
    }
    throw new Error('The provider never sent the browser back.')
  }

  return {
    provider,
    store,
    auth,
    log,
    events,
    browser: mine,
    pass: (ms) => void (offset += ms),
    now,
    request,
    leave,
    signIn: async (path, browser) => request(await leave(path, browser), {}, browser),
    sync: (question, headers = {}) =>
      request('/api/auth/sync', {
        method: 'POST',
        headers: { ...BRIDGE_HEADERS, ...headers },
        ...(question !== undefined && { body: JSON.stringify(question) }),
      }),
    logout: () => request('/api/auth/logout', { method: 'POST', headers: BRIDGE_HEADERS }),
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  }
}
