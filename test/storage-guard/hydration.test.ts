// Works in a page are sent over as text, and a channel's postMessage has no target origin.
/* oxlint-disable eslint/no-eval, unicorn/require-post-message-target-origin */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { launchBrowser } from '../e2e/browser.ts'
import { openSite, type Site } from './site.ts'

let browser: Browser
let site: Site
let context: BrowserContext
let page: Page

beforeAll(async () => {
  ;[browser, site] = await Promise.all([launchBrowser(), openSite()])
})
afterAll(async () => {
  await browser?.close()
  site?.close()
})
beforeEach(async () => {
  context = await browser.newContext()
  page = await context.newPage()
  await page.goto(site.url)
})
afterEach(async () => {
  await context.close()
})

/** Runs in the page: what can be seen of the properties that a guard replaces. */
const describeRealm = () => {
  const owners = Object.getOwnPropertyNames(window).flatMap((name) => {
    const value = Object.getOwnPropertyDescriptor(window, name)?.value as unknown
    const { prototype } = (typeof value === 'function' ? value : {}) as { prototype?: object }
    return prototype === undefined ? [] : [[name, prototype] as const]
  })
  return [['window', window] as const, ...owners].flatMap(([owner, object]) =>
    Reflect.ownKeys(object).map((key) => {
      const descriptor = Object.getOwnPropertyDescriptor(object, key)
      return { name: `${owner}.${String(key)}`, descriptor }
    }),
  )
}

describe('a realm after hydration', () => {
  it('has the very descriptors that it had, and no frame more', async () => {
    const result = await page.evaluate(async (source) => {
      const read = (0, eval)(`(${source})`) as typeof describeRealm
      const same = (one?: PropertyDescriptor, other?: PropertyDescriptor): boolean =>
        one?.configurable === other?.configurable &&
        one?.enumerable === other?.enumerable &&
        one?.writable === other?.writable &&
        one?.get === other?.get &&
        one?.set === other?.set &&
        (typeof one?.value !== 'function' || one.value === other?.value)
      const before = read()
      const changed = (now: ReturnType<typeof read>): string[] =>
        now.flatMap(({ name, descriptor }) => {
          const old = before.find((entry) => entry.name === name)
          return same(descriptor, old?.descriptor) ? [] : [name]
        })
      const globals = Reflect.ownKeys(window).length
      let during: string[] = []
      let globalsDuring = 0
      const { bridge, loadGatedRemote, guard } = guardHost
      await loadGatedRemote(
        bridge,
        'orders',
        async () => {
          during = changed(read())
          globalsDuring = Reflect.ownKeys(window).filter((key) => key !== '0').length
        },
        { storageGuard: guard() },
      )
      return {
        during,
        after: changed(read()),
        newGlobals: globalsDuring - globals,
        frames: window.length,
        elements: document.documentElement.children.length,
      }
    }, String(describeRealm))
    expect(result.during).toEqual(
      expect.arrayContaining(['window.localStorage', 'Storage.setItem', 'Document.cookie']),
    )
    expect(result.during.length).toBeGreaterThan(50)
    expect(result).toMatchObject({ after: [], newGlobals: 0, frames: 0, elements: 2 })
  })

  it('keeps what somebody else has put in the place of ours meanwhile', async () => {
    const result = await page.evaluate(async () => {
      const { bridge, loadGatedRemote, guard } = guardHost
      const seen: string[] = []
      await loadGatedRemote(
        bridge,
        'monitor',
        async () => {
          const wrapped = Storage.prototype.setItem
          Storage.prototype.setItem = function setItem(key, value) {
            seen.push(key)
            wrapped.call(this, key, value)
          }
        },
        { storageGuard: guard() },
      )
      localStorage.setItem('later', '1')
      return [seen, localStorage.getItem('later')]
    })
    expect(result).toEqual([['later'], '1'])
  })

  it('lets go on whoever kept an area meanwhile', async () => {
    const result = await page.evaluate(async () => {
      const { bridge, loadGatedRemote, guard, token } = guardHost
      let area: Storage | undefined
      await loadGatedRemote(
        bridge,
        'orders',
        async () => {
          area = localStorage
          area.setItem('a', '1')
        },
        { storageGuard: guard() },
      )
      if (area === undefined) return null
      area.setItem('b', token)
      area['c'] = '3'
      const read = [area.getItem('a'), area['c'], area.length, Object.keys(area).length]
      area.removeItem('a')
      const rest = area.length
      area.clear()
      return { read, rest, kept: localStorage.length, key: area.key(0) }
    })
    expect(result).toEqual({ read: ['1', '3', 3, 3], rest: 2, kept: 0, key: null })
  })

  it('stays guarded when that was asked for, but may have frames again, until the guard is stopped', async () => {
    const result = await page.evaluate(async () => {
      const { bridge, loadGatedRemote, guard, token, events } = guardHost
      const storageGuard = guard(true)
      await loadGatedRemote(bridge, 'orders', async () => {}, { storageGuard })
      const attempt = (): string => {
        try {
          localStorage.setItem('x', token)
          return 'kept'
        } catch (error) {
          return (error as { code: string }).code
        }
      }
      const guarded = attempt()
      document.body.append(document.createElement('iframe'))
      storageGuard.stop()
      return {
        guarded,
        stopped: attempt(),
        violations: events.flatMap((event) => (event.type === 'violation' ? [event.detail] : [])),
      }
    })
    expect(result).toEqual({
      guarded: 'ERR_REMOTE_STORED_TOKEN',
      stopped: 'kept',
      violations: ['route=localStorage.setItem remote=none outcome=blocked'],
    })
  })
})

/** Runs in the page: ordinary work with storage, and everything that can be told from it. */
const useStorage = async (): Promise<unknown[]> => {
  const told: unknown[] = []
  const tell = (work: () => unknown): void => {
    try {
      told.push(work() ?? null)
    } catch (error) {
      told.push([(error as Error).name, (error as Error).message, error instanceof DOMException])
    }
  }
  const set = Storage.prototype.setItem as (this: unknown, ...args: unknown[]) => void
  for (const area of [localStorage, sessionStorage]) {
    area.clear()
    tell(() => area.setItem('a', '1'))
    tell(() => set.call(area, 'n', 5))
    tell(() => set.call(area, 'o', { toString: () => 'text' }))
    tell(() => set.call(area, 'u', undefined))
    tell(() => set.call(area))
    tell(() => set.call(area, 'one'))
    tell(() => set.call({}, 'a', 'b'))
    tell(() => set.call(area, Symbol('s'), 'b'))
    tell(() => area.setItem('big', 'x'.repeat(6_000_000)))
    tell(() => {
      Reflect.set(area, 'named', 7)
    })
    tell(() => Object.assign(area, { assigned: 'x' }).length)
    tell(() => Object.defineProperty(area, 'defined', { value: 'd', configurable: true }) === area)
    tell(() => [area.getItem('a'), area['named'], area.getItem('missing'), area['missing']])
    tell(() => [area.length, 'a' in area, Object.hasOwn(area, 'a'), area.key(0), area.key(99)])
    tell(() => [Object.keys(area).toSorted(), Object.values(area).join().length])
    tell(() => [delete area['named'], 'named' in area, area.removeItem('a')])
    tell(() => Object.getOwnPropertyDescriptor(area, 'n'))
    tell(() => [
      Object.prototype.toString.call(area),
      area instanceof Storage,
      Object.getPrototypeOf(area) === Storage.prototype,
    ])
    tell(() => [area.setItem === Storage.prototype.setItem, area.constructor === Storage])
    tell(() => Object.getOwnPropertyDescriptor(Storage.prototype, 'length')?.get?.call(area))
  }
  tell(() => localStorage === window.localStorage)
  tell(() => (Reflect.set(window, 'localStorage', 1), typeof localStorage))
  for (const [owner, name] of [
    [Storage.prototype, 'setItem'],
    [window, 'localStorage'],
    [window, 'name'],
    [window, 'postMessage'],
    [Document.prototype, 'cookie'],
    [IDBObjectStore.prototype, 'put'],
    [Cache.prototype, 'put'],
    [History.prototype, 'pushState'],
    [window, 'Worker'],
    [Node.prototype, 'appendChild'],
    [Element.prototype, 'innerHTML'],
  ] as const) {
    const found = Object.getOwnPropertyDescriptor(owner, name)
    const shape = (part: unknown) =>
      typeof part === 'function' ? [part.name, part.length, 'prototype' in part] : typeof part
    told.push([
      name,
      found?.configurable,
      found?.enumerable,
      found?.writable,
      shape(found?.value),
      shape(found?.get),
      shape(found?.set),
    ])
  }
  tell(() => {
    document.cookie = 'plain=1; max-age=60'
    return document.cookie
  })
  tell(() => {
    window.name = { toString: () => 'name' } as unknown as string
    return window.name
  })
  tell(() => history.replaceState({ deep: [1] }, '', '?page=1'))
  tell(() => [history.state as unknown, location.search])
  tell(() => history.pushState(() => {}, ''))
  tell(() => history.pushState(null, '', 'https://other.test/'))
  tell(() => window.postMessage(() => {}, '*'))
  tell(() => (window.postMessage as (...args: unknown[]) => void)())
  tell(() => new BroadcastChannel('x').postMessage(Symbol('s')))
  tell(() => (new MessageChannel().port1.postMessage as (...args: unknown[]) => void)())
  tell(() => {
    const buffer = new ArrayBuffer(8)
    new MessageChannel().port1.postMessage({ buffer }, [buffer])
    return buffer.byteLength
  })
  tell(() => document.body.appendChild(null as unknown as Node))
  tell(() => {
    document.body.insertAdjacentHTML('beforeend', '<b id="ok">x</b>')
    return document.querySelector('#ok')?.outerHTML
  })
  const later = async (work: () => unknown): Promise<void> => {
    const value = await Promise.resolve()
      .then(work)
      .catch((error: Error) => [error.name, error.message])
    told.push(value ?? null)
  }
  await later(async () => {
    const cache = await caches.open('plain')
    const response = new Response('text', { headers: { 'x-a': 'b' } })
    await cache.put('/plain', response)
    return [response.bodyUsed, await (await cache.match('/plain'))?.text()]
  })
  await later(async () => (await caches.open('plain')).put('/plain', 1 as unknown as Response))
  await later(async () => {
    const used = new Response('text')
    await used.text()
    await (await caches.open('plain')).put('/plain', used)
  })
  await later(async () =>
    (await caches.open('plain')).put(new Request('/p', { method: 'POST' }), new Response('')),
  )
  await later(async () => (await cookieStore.get('plain'))?.value)
  await later(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('plain', 1)
        opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore('store'))
        opening.addEventListener('success', () => {
          const store = opening.result.transaction('store', 'readwrite').objectStore('store')
          try {
            store.put(() => {}, 'bad')
          } catch (error) {
            told.push([(error as Error).name, (error as Error).message])
          }
          const map = new Map([[{ a: 1 }, new Uint8Array([1, 2])]])
          store.put(map, 'k')
          const reading = store.get('k')
          reading.addEventListener('success', () => resolve((reading.result as typeof map).size))
          reading.addEventListener('error', () => reject(new Error('get')))
        })
      }),
  )
  return told
}

describe('ordinary writes', () => {
  it('have the same results, exceptions and shapes under the guard as without', async () => {
    const [without, guarded, violations] = await page.evaluate(async (source) => {
      const use = (0, eval)(`(${source})`) as typeof useStorage
      const { bridge, loadGatedRemote, guard, events } = guardHost
      const plain = await use()
      history.replaceState(null, '', '/')
      window.name = ''
      const result = await loadGatedRemote(bridge, 'orders', use, { storageGuard: guard() })
      return [plain, result, events.filter(({ type }) => type === 'violation').length]
    }, String(useStorage))
    expect(without.length).toBeGreaterThan(70)
    expect(guarded).toEqual(without)
    expect(violations).toBe(0)
  })
})

describe('a remote that is caught', () => {
  it('is refused at once, has its reader revoked, and is unmounted when it is done', async () => {
    const result = await page.evaluate(async () => {
      const { bridge, loadGatedRemote, guard, token, events } = guardHost
      const storageGuard = guard()
      const order: string[] = []
      let finish: (unmount: { unmount: () => void }) => void = () => {}
      const loading = loadGatedRemote(
        bridge,
        'thief',
        () => {
          bridge.reader('thief')
          for (let time = 0; time < 3; time += 1) {
            try {
              localStorage.setItem('x', token)
            } catch {
              order.push('blocked')
            }
          }
          return new Promise<{ unmount: () => void }>((resolve) => {
            finish = resolve
          })
        },
        { storageGuard },
      ).catch((error: { code: string; phase: string; message: string }) => {
        order.push('refused')
        return [error.code, error.phase, error.message.includes(token.slice(0, 20))]
      })
      const error = await loading
      finish({ unmount: () => order.push('unmounted') })
      await new Promise((resolve) => setTimeout(resolve, 100))
      const other = await loadGatedRemote(bridge, 'orders', async () => 'mounted', { storageGuard })
      return {
        error,
        order,
        other,
        violations: bridge.metrics.violations,
        failures: bridge.metrics.remoteMountFailures,
        types: events.flatMap((event) =>
          event.type === 'remote-mount-failed'
            ? [`${event.remote} ${event.reason}`]
            : event.type === 'reader-revoked' || event.type === 'remote-mounted'
              ? [`${event.type} ${event.remote}`]
              : [],
        ),
        leaks: JSON.stringify(events).includes(token.slice(41, 61)),
      }
    })
    expect(result).toEqual({
      error: ['ERR_REMOTE_STORED_TOKEN', 'load', false],
      order: ['blocked', 'blocked', 'blocked', 'refused', 'unmounted'],
      other: 'mounted',
      violations: 1,
      failures: 1,
      types: ['reader-revoked thief', 'thief ERR_REMOTE_STORED_TOKEN', 'remote-mounted orders'],
      leaks: false,
    })
  })

  it('does not hold up for ever those that come next, nor is it let off when it never ends', async () => {
    const result = await page.evaluate(async () => {
      const { bridge, loadGatedRemote, guard, token } = guardHost
      const storageGuard = guard()
      const thief = loadGatedRemote(
        bridge,
        'thief',
        () => {
          try {
            document.cookie = `x=${token}`
          } catch {
            // And goes on as if nothing had been.
          }
          return new Promise(() => {})
        },
        { storageGuard },
      ).catch((error: { code: string }) => error.code)
      const started = performance.now()
      const other = await loadGatedRemote(bridge, 'orders', async () => 'mounted', { storageGuard })
      return [await thief, other, performance.now() - started < 5_000]
    })
    expect(result).toEqual(['ERR_REMOTE_STORED_TOKEN', 'mounted', true])
  })

  it('is the one that did it: others load before or after it, never at the same time', async () => {
    const result = await page.evaluate(async () => {
      const { bridge, loadGatedRemote, guard, token, events } = guardHost
      const storageGuard = guard()
      const running: string[] = []
      let most = 0
      const load = (remote: string) =>
        loadGatedRemote(
          bridge,
          remote,
          async () => {
            running.push(remote)
            most = Math.max(most, running.length)
            await new Promise((resolve) => setTimeout(resolve, 20))
            if (remote === 'b') sessionStorage.setItem('x', token)
            running.splice(running.indexOf(remote), 1)
          },
          { storageGuard },
        ).then(
          () => 'mounted',
          () => {
            running.length = 0
            return 'refused'
          },
        )
      const outcomes = await Promise.all(['a', 'b', 'c'].map(load))
      return [
        outcomes,
        most,
        events.flatMap((event) => (event.type === 'violation' ? [event.detail] : [])),
      ]
    })
    expect(result).toEqual([
      ['mounted', 'refused', 'mounted'],
      1,
      ['route=sessionStorage.setItem remote=b outcome=blocked'],
    ])
  })

  it('cannot use the token of before or after a rotation either', async () => {
    const result = await page.evaluate(async () => {
      const { bridge, loadGatedRemote, guard, token, rotate } = guardHost
      const next = `${token.slice(0, 41)}${token.slice(41).split('').toReversed().join('')}`
      const attempts: string[] = []
      const attempt = (value: string): void => {
        try {
          localStorage.setItem('x', value)
          attempts.push('kept')
        } catch {
          attempts.push('blocked')
        }
      }
      await loadGatedRemote(
        bridge,
        'thief',
        async () => {
          attempt(next)
          // The first to hear of it.
          bridge
            .reader('thief')
            .getToken()
            .subscribe(({ accessToken }) => attempt(accessToken))
          rotate(next)
          attempt(token)
          attempt(next)
        },
        { storageGuard: guard() },
      ).catch(() => {})
      return attempts
    })
    expect(result).toEqual(['kept', 'blocked', 'blocked', 'blocked', 'blocked'])
  })

  it('is not blamed for what lay there before, which is removed', async () => {
    const result = await page.evaluate(async () => {
      const { bridge, loadGatedRemote, guard, token, events } = guardHost
      localStorage.setItem('old', token)
      // Its own event is to be over.
      await new Promise((resolve) => setTimeout(resolve, 100))
      const load = await loadGatedRemote(bridge, 'orders', async () => 'mounted', {
        storageGuard: guard(),
      })
      return [
        load,
        localStorage.length,
        events.flatMap((event) => (event.type === 'violation' ? [event.detail] : [])),
      ]
    })
    expect(result).toEqual(['mounted', 0, ['route=localStorage remote=none outcome=undone']])
  })
})

describe('the forms that a remote gives the token', () => {
  it.each<[string, (token: string) => unknown]>([
    ['URL-encoded', (token) => localStorage.setItem('x', encodeURIComponent(`{"t":"${token}"}`))],
    ['base64', (token) => localStorage.setItem('x', btoa(token))],
    ['base64, after one byte', (token) => (document.cookie = `x=${btoa(`1${token}`)}`)],
    ['base64, after two bytes', (token) => (window.name = btoa(`12${token}`))],
    [
      'two halves under two keys',
      (token) => {
        localStorage.setItem('a', token.slice(0, 350))
        localStorage.setItem('b', token.slice(350))
      },
    ],
    [
      'two parts in two places',
      (token) => {
        sessionStorage.setItem('a', token.slice(0, 100))
        history.replaceState(token.slice(100), '')
      },
    ],
    [
      'two parts in one message each',
      (token) => {
        const channel = new BroadcastChannel('x')
        for (const part of [token.slice(0, 400), token.slice(400)]) channel.postMessage(part)
      },
    ],
  ])('are found: %s', async (_form, write) => {
    const result = await page.evaluate(async (source) => {
      const { bridge, loadGatedRemote, guard, token } = guardHost
      const steal = (0, eval)(`(${source})`) as (token: string) => unknown
      return loadGatedRemote(bridge, 'thief', async () => steal(token), {
        storageGuard: guard(),
      }).then(
        () => 'mounted',
        (error: { code: string }) => error.code,
      )
    }, String(write))
    expect(result).toBe('ERR_REMOTE_STORED_TOKEN')
  })
})

it('watches under a policy that allows no frame', async () => {
  await page.goto(`${site.url}no-frames`)
  const result = await page.evaluate(async () => {
    const { bridge, loadGatedRemote, guard, token, events } = guardHost
    const area = localStorage
    await loadGatedRemote(
      bridge,
      'thief',
      async () => {
        area['x'] = token
        delete area['x']
      },
      { storageGuard: guard() },
    ).catch(() => {})
    return events.flatMap((event) => (event.type === 'violation' ? [event.detail] : []))
  })
  expect(result).toEqual(['route=storage remote=thief outcome=detected'])
})

it('gives its turn up when the signal aborts', async () => {
  const result = await page.evaluate(async () => {
    const { bridge, loadGatedRemote, guard } = guardHost
    const storageGuard = guard()
    const hanging = new AbortController()
    void loadGatedRemote(bridge, 'hangs', () => new Promise(() => {}), {
      storageGuard,
      signal: hanging.signal,
    })
    const waiting = new AbortController()
    let loads = 0
    const given = loadGatedRemote(bridge, 'waits', async () => void (loads += 1), {
      storageGuard,
      signal: waiting.signal,
    }).catch((error: Error) => error.name)
    waiting.abort()
    const name = await given
    hanging.abort()
    const next = await loadGatedRemote(bridge, 'orders', async () => 'mounted', { storageGuard })
    return [name, loads, next]
  })
  expect(result).toEqual(['AbortError', 0, 'mounted'])
})
