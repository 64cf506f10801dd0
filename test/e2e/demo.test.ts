import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startDemo, type Demo } from '../../packages/demo/src/demo.ts'
import { launchBrowser } from './browser.ts'
import { openDemo, REMOTES, type DemoPage } from './demo-page.ts'
import { readPageStorage } from './page-storage.ts'
import { reachableWriters } from './reachable-writers.ts'

let browser: Browser
let demo: Demo
let host: DemoPage

beforeAll(async () => {
  ;[browser, demo] = await Promise.all([launchBrowser(), startDemo({ quiet: true })])
})
afterAll(async () => {
  await browser?.close()
  await demo?.stop()
})
beforeEach(async () => {
  host = await openDemo(browser, demo)
})
afterEach(async () => {
  Object.assign(demo.controls, { endpoint: 'up', isBridgeEnabled: true })
  await host.close()
})

const everyRemote = async (part: string, text: string | RegExp): Promise<void> => {
  await Promise.all(REMOTES.map((remote) => host.shows(`remote-${remote}-${part}`, text)))
}

/** Everything the browser complained about, but for the 401 that says that nobody is signed in yet. */
const complaints = () =>
  host.console.filter(
    ({ type, text }) =>
      ['error', 'warning', 'pageerror'].includes(type) &&
      !/status of 401 \(Unauthorized\)/.test(text),
  )

describe('signing in', () => {
  it('brings a host and three remotes to the same generation, and the API answers each of them 200', async () => {
    await host.shows('session-status', 'signed-out')
    await host.screenshot('1-signed-out')
    const before = demo.api.requests.length
    await host.signIn()
    await everyRemote('generation', /^1$/)
    await everyRemote('last-answer', /^200$/)
    expect(await host.text('session-generation')).toBe('1')
    expect(host.tokens.size).toBe(1)
    expect(demo.api.requests.slice(before).map(({ status }) => status)).not.toContain(401)
    expect(complaints()).toEqual([])
    await host.screenshot('2-signed-in')
  })

  it('survives a reload: the page hydrates from the cookie', async () => {
    await host.signIn()
    await host.page.reload()
    await host.shows('session-status', 'ready')
    await everyRemote('last-answer', /^200$/)
  })

  it('keeps the session in a cookie that script cannot read', async () => {
    await host.signIn()
    const cookies = await host.context.cookies(demo.url)
    const session = cookies.filter(({ name }) => name.endsWith('sid'))
    expect(session).toEqual([
      expect.objectContaining({
        name: '__Host-Http-sid',
        httpOnly: true,
        secure: true,
        sameSite: 'Strict',
        path: '/',
        domain: 'localhost',
      }),
    ])
    expect(await host.page.evaluate(() => document.cookie)).toBe('')
  })

  it("serves the guide's import from memory: one reader, the same token, and no request for the host's own entry", async () => {
    const requested: string[] = []
    host.page.on('request', (request) => requested.push(request.url()))
    await host.signIn()
    await host.shows('remote-dashboard-auth-bridge', /^✓/)
    await host.shows('remote-orders-selector', /^✓/)
    const ownEntry = requested.filter(
      (url) => url.endsWith('remoteEntry.js') && new URL(url).hostname === 'localhost',
    )
    expect(ownEntry).toEqual([])
    expect(new Set(requested.filter((url) => url.endsWith('remoteEntry.js'))).size).toBe(3)
  })

  it('is sent with a policy that allows no inline and no evaluated script, and nothing on the page offends it', async () => {
    const response = await host.page.reload()
    const policy = response?.headers()['content-security-policy'] ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).not.toMatch(/unsafe-|\*/)
    await host.signIn()
    await everyRemote('last-answer', /^200$/)
    expect(host.console.filter(({ text }) => /Content Security Policy/i.test(text))).toEqual([])
  })
})

describe('rotation', () => {
  it('moves all three to the next generation, each once, with one sync call and no 401', async () => {
    await host.signIn()
    await everyRemote('last-answer', /^200$/)
    await host.page.evaluate((remotes) => {
      const seen: Record<string, string[]> = {}
      Object.assign(window, { __GENERATIONS__: seen })
      for (const remote of remotes) {
        const generations: string[] = (seen[remote] = [])
        const card = document.querySelector(`[data-testid="remote-${remote}"]`) as Element
        const look = () => {
          const now =
            card.querySelector(`[data-testid="remote-${remote}-generation"]`)?.textContent ?? ''
          if (now !== generations.at(-1)) generations.push(now)
        }
        look()
        new MutationObserver(look).observe(card, {
          subtree: true,
          childList: true,
          characterData: true,
        })
      }
    }, REMOTES)
    const syncsBefore = demo.host.syncCalls.length
    const requestsBefore = demo.api.requests.length
    const firstToken = [...host.tokens]

    await host.page.getByTestId('rotate-now').click()
    await everyRemote('generation', /^2$/)
    // Longer than the remotes' polling, so that each has called its API with the new token.
    await host.page.waitForTimeout(4_500)

    const seen = await host.page.evaluate(
      () => (window as unknown as { __GENERATIONS__: unknown }).__GENERATIONS__,
    )
    expect(seen).toEqual({ dashboard: ['1', '2'], orders: ['1', '2'], reports: ['1', '2'] })
    expect(demo.host.syncCalls.slice(syncsBefore).map(({ status }) => status)).toEqual([200])
    const answers = demo.api.requests.slice(requestsBefore)
    expect(answers.length).toBeGreaterThanOrEqual(3)
    expect(answers.map(({ status }) => status)).not.toContain(401)
    expect(host.tokens.size).toBe(firstToken.length + 1)
    const line = host.console.findLast(({ text }) =>
      text.startsWith('[bridge] token rotated'),
    )?.text
    expect(line).toMatch(/^\[bridge\] token rotated exp=\d{10} subscribers=3 duplicate_calls=0$/)
    await host.screenshot('3-rotated')
  })

  it('follows a 401 on a revoked token by one rotation, and every remote has its data', async () => {
    await host.signIn()
    await everyRemote('last-answer', /^200$/)
    const syncsBefore = demo.host.syncCalls.length
    demo.api.revokeIssuedTokens()
    await everyRemote('generation', /^2$/)
    await host.page.waitForTimeout(4_500)
    await everyRemote('last-answer', /^200$/)
    expect(demo.host.syncCalls.length - syncsBefore).toBe(1)
  })
})

describe('signing out', () => {
  it('empties all three remotes, ends the session at the provider and stays signed out after a reload', async () => {
    await host.signIn()
    await everyRemote('last-answer', /^200$/)
    await host.page.getByTestId('sign-out').click()
    await host.page.waitForURL(demo.url)
    await host.shows('session-status', 'signed-out')
    await everyRemote('placeholder', /^Signed out/)
    const before = demo.api.requests.length
    await host.page.reload()
    await host.shows('session-status', 'signed-out')
    await everyRemote('placeholder', /^Signed out/)
    await host.page.waitForTimeout(4_500)
    expect(demo.api.requests.length).toBe(before)
    expect(
      (await host.context.cookies(demo.url)).filter(({ name }) => name.endsWith('sid')),
    ).toEqual([])
  })

  it('empties the page when the server cannot be told, and says that its session goes on', async () => {
    await host.signIn()
    await everyRemote('last-answer', /^200$/)
    await host.page.route('**/api/auth/logout', (route) => route.abort())
    await host.page.getByTestId('sign-out').click()
    await host.shows('sign-out-failed', 'its session goes on')
    await everyRemote('status', 'signed-out')
    await everyRemote('last-answer', '–')
    await host.page.reload()
    await host.shows('session-status', 'ready')
  })
})

describe('the token', () => {
  it('is in no storage, no address, no property of window, no store and no action', async () => {
    await host.signIn()
    await everyRemote('last-answer', /^200$/)
    await host.page.getByTestId('rotate-now').click()
    await everyRemote('generation', /^2$/)
    await host.page.waitForTimeout(4_500)
    expect(host.tokens.size).toBe(2)

    const stores = await host.recordedStores()
    const types = stores.flatMap(({ actions }) =>
      actions.map((action) => (action as { type?: string }).type),
    )
    expect(types.filter((type) => type === 'auth/tokenRotated')).toHaveLength(2)
    expect(stores.map(({ name }) => name).toSorted()).toEqual(['redux', 'remote_orders'])
    expect(
      stores.every(({ states }) => JSON.stringify(states.at(-1)).includes('"generation":2')),
    ).toBe(true)

    const places: Record<string, string> = {
      ...(await host.page.evaluate(readPageStorage)),
      stores: JSON.stringify(stores),
      console: JSON.stringify(host.console),
    }
    for (const token of host.tokens) {
      const payload = token.split('.')[1] as string
      for (const [place, content] of Object.entries(places)) {
        expect(content.includes(token), `the token in ${place}`).toBe(false)
        expect(content.includes(payload), `a part of the token in ${place}`).toBe(false)
      }
    }
  })

  it('would be found by that search, were it there', async () => {
    await host.signIn()
    await everyRemote('last-answer', /^200$/)
    const token = [...host.tokens][0] as string
    const found = await host.page
      .evaluate(async (secret) => {
        localStorage.setItem('a', secret)
        sessionStorage.setItem('b', secret)
        document.cookie = `c=${secret.slice(0, 900)}`
        history.replaceState({ secret }, '', `#${secret}`)
        window.name = secret
        Object.assign(window, { deep: { list: [{ secret }] } })
        await (await caches.open('d')).put('/x', new Response(secret))
        await new Promise<void>((resolve) => {
          const opening = indexedDB.open('e', 1)
          opening.addEventListener('upgradeneeded', () =>
            opening.result.createObjectStore('s').put(secret, 1),
          )
          opening.addEventListener('success', () => resolve(opening.result.close()))
        })
      }, token)
      .then(() => host.page.evaluate(readPageStorage))
    const places = Object.entries(found)
      .filter(([, content]) => content.includes(token.slice(0, 900)))
      .map(([place]) => place)
    expect(places.toSorted()).toEqual([
      'caches',
      'cookie',
      'history',
      'indexedDB',
      'localStorage',
      'sessionStorage',
      'url',
      'window',
      'windowName',
    ])
  })
})

describe('the way up from a remote', () => {
  it('through React’s own objects leads to no bridge and to no store that takes an action', async () => {
    await host.signIn()
    await everyRemote('last-answer', /^200$/)
    expect(await host.page.evaluate(reachableWriters, '.slot, .slot *, .card')).toEqual([])
  })

  it('would show both, were they among a component’s properties', async () => {
    await host.signIn()
    await everyRemote('last-answer', /^200$/)
    await host.page.evaluate(() => {
      const card = document.querySelector('.card') as Element
      const key = Object.keys(card).find((name) => name.startsWith('__reactProps$')) as string
      const store = { dispatch() {}, getState() {} }
      Object.assign(card, { [key]: { bridge: { updateToken() {} }, store } })
    })
    const ways = await host.page.evaluate(reachableWriters, '.card')
    expect(new Set(ways.map((way) => way.split(' › ').at(-1)))).toEqual(
      new Set(['bridge', 'store']),
    )
  })
})

describe('when things go wrong', () => {
  it('keeps the page up while the auth endpoint is down, says maintenance, and comes back by itself', async () => {
    await host.signIn()
    await everyRemote('last-answer', /^200$/)
    await host.page.getByTestId('toggle-endpoint').click()
    await host.page.getByTestId('rotate-now').click()
    await host.shows('session-status', 'maintenance')
    // The token is still good: remotes go on.
    const before = demo.api.requests.length
    await host.page.waitForTimeout(4_500)
    expect(demo.api.requests.slice(before).map(({ status }) => status)).toContain(200)
    await host.screenshot('4-maintenance')
    await host.page.getByTestId('toggle-endpoint').click()
    await host.shows('session-status', 'ready')
    await everyRemote('generation', /^2$/)
  })

  it('goes without tokens when the kill switch is thrown, and back, without a reload', async () => {
    await host.signIn()
    await everyRemote('last-answer', /^200$/)
    await host.page.getByTestId('toggle-kill-switch').click()
    await host.shows('session-mode', 'cookie-only')
    await host.screenshot('5-kill-switch')
    await host.page.getByTestId('toggle-kill-switch').click()
    await host.shows('session-mode', 'bridge')
    await everyRemote('generation', /^2$/)
  })

  it.each([
    ['cannot be reached', 'ERR_SYNC_NETWORK', null],
    [
      'answers an HTML page',
      'ERR_SYNC_NOT_JSON',
      { contentType: 'text/html', body: '<!doctype html><title>App</title>' },
    ],
    [
      'is not there',
      'ERR_SYNC_STATUS',
      { status: 404, contentType: 'text/plain', body: 'Not found' },
    ],
    ['answers a malformed payload', 'ERR_SYNC_PAYLOAD', { json: { access_token: 'x' } }],
    [
      'answers a token that is over',
      'ERR_TOKEN_EXPIRED',
      { json: { accessToken: 'canary-expired', expiresAt: 1_700_000_000_000 } },
    ],
    ['answers a token that ends inside the skew buffer', 'ERR_TOKEN_LIFETIME', 'short' as const],
  ])('stays up in a clear state when the endpoint %s', async (_name, code, answer) => {
    await host.page.route('**/api/auth/sync', (route) => {
      if (answer === null) return route.abort()
      if (answer === 'short')
        return route.fulfill({
          json: { accessToken: 'canary-short', expiresAt: Date.now() + 5_000 },
        })
      return route.fulfill(answer)
    })
    await host.page.reload()
    await host.shows('session-error', code)
    await host.shows('session-status', /^(error|maintenance)$/)
    await everyRemote('placeholder', /^(No session yet|Sign-in is being maintained|Cookie-only)/)
    expect(JSON.stringify(host.console)).not.toContain('canary')
    expect(host.console.filter(({ type }) => type === 'pageerror')).toEqual([])
  })
})

describe('the schedule', () => {
  it('rotates ahead of expiry by itself, so that no request meets an expired token', async () => {
    const hurried = await startDemo({ quiet: true, tokenLifetime: 16, skewBuffer: 2_000 })
    const page = await openDemo(browser, hurried)
    try {
      await page.signIn()
      await page.shows('session-generation', /^3$/)
      // The remotes call every four seconds: each of the three tokens is used.
      await expect.poll(() => page.tokens.size, { timeout: 10_000 }).toBeGreaterThanOrEqual(3)
      expect(hurried.api.requests.length).toBeGreaterThan(6)
      expect(hurried.api.requests.map(({ status }) => status)).not.toContain(401)
    } finally {
      await page.close()
      await hurried.stop()
    }
  })
})
