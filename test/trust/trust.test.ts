import { LIST_FILE } from '@token-bridge/federation/sign'
import { describe, expect, it } from 'vitest'
import { BUNDLERS, createKey, pathOf, resign, type Bundler, type RemoteSite } from './sites.ts'
import { failed, tamper, useTrustPage, works } from './trust-page.ts'

const trust = useTrustPage()

const isWebKit = process.env['TRUST_ENGINE'] === 'webkit'
// WebKit's Integrity-Policy gives an import map no credit for what a module imports.
const areModulesAllowed = !isWebKit

describe('a genuine remote', () => {
  it.each(['bare', 'guarded'] as const)(
    'runs, with chunk and style, for all three bundlers in the %s page, and offends no policy',
    async (host) => {
      const bundlers = BUNDLERS.filter(
        (name) => host === 'bare' || name !== 'vite' || areModulesAllowed,
      )
      await trust.open(trust.sites[host])
      for (const bundler of bundlers) {
        expect(await trust.load(bundler)).toBe(`built by ${bundler}`)
        expect(await trust.more(bundler)).toBe(`more by ${bundler}`)
      }
      expect((await trust.mounts()).map(({ type }) => type)).toEqual(
        bundlers.map(() => 'remote-mounted'),
      )
      expect(trust.said).toEqual([])
    },
  )
})

describe('the gate', () => {
  it('loads modules under a policy without a nonce where the browser can check them, and else refuses them', async () => {
    await trust.open(trust.sites.strict)
    const expected = isWebKit ? 'vite is not available: ERR_REMOTE_BYPASSED' : 'built by vite'
    expect(await trust.load('vite')).toBe(expected)
    expect(await trust.load('rspack')).toBe('built by rspack')
    expect(trust.said).toEqual([])
  })

  it('asks for nothing of a remote before the session is settled, whoever loads it, and loads by itself then', async () => {
    await trust.open(`${trust.sites.bare}#signed-out`)
    await trust.page.evaluate(async (containers) => {
      for (const name of containers) globalThis.loading = trustHost.loadBare(name)
      await new Promise((resolve) => setTimeout(resolve, 300))
    }, Object.keys(trust.sites.trust.remotes))
    expect(Object.values(trust.sites.remotes).flatMap(({ requests }) => requests)).toEqual([])

    const isLoaded = await trust.page.evaluate(() => {
      trustHost.signIn()
      return globalThis.loading
    })
    expect(isLoaded).toBe(true)
    for (const { requests } of Object.values(trust.sites.remotes))
      expect(requests[0]).toBe(LIST_FILE)
  })

  it('asks for each list once, and for each entry once, however often a remote is loaded', async () => {
    await trust.open()
    for (const bundler of [...BUNDLERS, ...BUNDLERS])
      expect(await trust.load(bundler)).toBe(`built by ${bundler}`)
    for (const { requests } of Object.values(trust.sites.remotes))
      expect(
        requests.filter((path) => [LIST_FILE, 'remoteEntry.js'].includes(path)).toSorted(),
      ).toEqual(['remoteEntry.js', LIST_FILE])
  })

  it('says that a remote cannot be reached, mounts no fallback, and lets it be tried again', async () => {
    const { files, genuine } = trust.sites.remotes.rspack
    files.delete('remoteEntry.js')
    await trust.open()
    expect(await trust.load('rspack')).toBe('ERR_REMOTE_UNREACHABLE')
    expect(await trust.mounts()).toEqual([failed('rspack', 'ERR_REMOTE_UNREACHABLE')])
    files.set('remoteEntry.js', genuine.get('remoteEntry.js') as Buffer)
    expect(await trust.load('rspack')).toBe('built by rspack')
  })
})

describe.each(BUNDLERS)('a remote built with %s is refused before it runs', (bundler) => {
  const site = (): RemoteSite => trust.sites.remotes[bundler]
  /** What came of it, for this remote and for the others. */
  const outcome = async (): Promise<object> => ({
    shown: await trust.load(bundler),
    ran: await trust.ranTampered(),
    events: await trust.mounts(),
    others: await trust.useOthers(bundler),
  })
  const refused = (code: string): object => ({
    shown: `${bundler} is not available: ${code}`,
    ran: 'nothing',
    events: [failed(bundler, code)],
    others: works(bundler),
  })

  it('when its entry is not the one that was signed', async () => {
    tamper(site(), 'remoteEntry.js')
    await trust.open()
    expect(await outcome()).toEqual(refused('ERR_REMOTE_TAMPERED'))
  })

  it('when the chunk of what it exposes is not', async () => {
    tamper(site(), pathOf(site(), 'built by', '.js'))
    await trust.open()
    expect(await outcome()).toEqual(refused('ERR_REMOTE_TAMPERED'))
  })

  it('when its list was changed', async () => {
    const [header, , signature] = String(site().files.get(LIST_FILE)).split('.')
    const forged = { ...decode(site()), version: '9.0.0' }
    const body = Buffer.from(JSON.stringify(forged)).toString('base64url')
    site().files.set(LIST_FILE, Buffer.from([header, body, signature].join('.')))
    await trust.open()
    expect(await outcome()).toEqual(refused('ERR_REMOTE_SIGNATURE'))
  })

  it('when its list is signed by a key that the host does not know', async () => {
    const stranger = await createKey('genuine')
    site().files.set(LIST_FILE, await resign(site().files.get(LIST_FILE), {}, stranger))
    await trust.open()
    expect(await outcome()).toEqual(refused('ERR_REMOTE_SIGNATURE'))
  })

  it('when its list is over', async () => {
    const exp = Math.floor(Date.now() / 1000) - 1
    site().files.set(LIST_FILE, await resign(site().files.get(LIST_FILE), { exp }, trust.sites.key))
    await trust.open()
    expect(await outcome()).toEqual(refused('ERR_REMOTE_EXPIRED'))
  })

  it('when it is another remote, genuine itself', async () => {
    const other = BUNDLERS.find((name) => name !== bundler) as Bundler
    site().files = new Map(trust.sites.remotes[other].genuine)
    await trust.open()
    expect(await outcome()).toEqual(refused('ERR_REMOTE_NAME'))
  })

  it('when it is an old build, genuine once', async () => {
    const old = await resign(site().files.get(LIST_FILE), { version: '1.9.9' }, trust.sites.key)
    site().files.set(LIST_FILE, old)
    await trust.open()
    expect(await outcome()).toEqual(refused('ERR_REMOTE_DOWNGRADE'))
  })

  it('when it has no list', async () => {
    site().files.delete(LIST_FILE)
    await trust.open()
    expect(await outcome()).toEqual(refused('ERR_REMOTE_SIGNATURE'))
  })

  // A module's chunks are all checked before the first of them runs.
  it.runIf(bundler === 'vite')('when a chunk that would come later is not', async () => {
    tamper(site(), pathOf(site(), 'more by', '.js'))
    await trust.open()
    expect(await outcome()).toEqual(refused('ERR_REMOTE_TAMPERED'))
  })

  // A script's chunks are each checked as they are asked for.
  it.skipIf(bundler === 'vite')('when a chunk that comes later is not', async () => {
    tamper(site(), pathOf(site(), 'more by', '.js'))
    await trust.open()
    expect(await trust.load(bundler)).toBe(`built by ${bundler}`)
    expect(await trust.more(bundler)).toMatch(/^failed: .*chunk/i)
    expect(await trust.ranTampered()).toBe('nothing')
    await expect
      .poll(trust.mounts)
      .toEqual([
        expect.objectContaining({ type: 'remote-mounted' }),
        failed(bundler, 'ERR_REMOTE_TAMPERED'),
      ])
    expect(await trust.useOthers(bundler)).toEqual(works(bundler))
  })

  // Firefox keeps a module that it has refused refused until the page is loaded anew.
  it.skipIf(bundler === 'vite' && process.env['TRUST_ENGINE'] === 'firefox')(
    'and is loaded when its files are those of its list again',
    async () => {
      tamper(site(), 'remoteEntry.js')
      tamper(site(), pathOf(site(), 'more by', '.js'))
      await trust.open()
      expect(await trust.load(bundler)).toMatch(/ERR_REMOTE_TAMPERED$/)
      site().files = new Map(site().genuine)
      expect(await trust.load(bundler)).toBe(`built by ${bundler}`)
      expect(await trust.more(bundler)).toBe(`more by ${bundler}`)
      expect(await trust.ranTampered()).toBe('nothing')
    },
  )

  it('when its chunk is another one by the time it is asked for', async () => {
    await trust.open()
    expect(await trust.load(bundler)).toBe(`built by ${bundler}`)
    tamper(site(), pathOf(site(), 'more by', '.js'))
    // A module is there already where the browser keeps what it has checked.
    expect(await trust.more(bundler)).toMatch(bundler === 'vite' ? /^(more|failed)/ : /^failed/)
    expect(await trust.ranTampered()).toBe('nothing')
  })

  it('when a stylesheet is not the one that was signed', async () => {
    tamper(site(), pathOf(site(), 'solid green', '.css'))
    await trust.open()
    expect(await trust.load(bundler)).toBe(`built by ${bundler}`)
    expect(await trust.more(bundler)).toMatch(/^failed: /)
    expect(await trust.page.evaluate(() => getComputedStyle(document.body).outlineWidth)).not.toBe(
      '7px',
    )
    await expect.poll(trust.mounts).toContainEqual(failed(bundler, 'ERR_REMOTE_TAMPERED'))
    expect(await trust.useOthers(bundler)).toEqual(works(bundler))
  })

  it.skipIf(bundler === 'vite' && !areModulesAllowed)(
    'when a later chunk is one that the list does not have',
    async () => {
      const path = pathOf(site(), 'more by', '.js')
      const { files } = decode(site())
      const { [path]: _left, ...rest } = files
      site().files.set(
        LIST_FILE,
        await resign(site().files.get(LIST_FILE), { files: rest }, trust.sites.key),
      )
      // What a module imports is the browser's own business: there the page's Integrity-Policy refuses.
      await trust.open(bundler === 'vite' ? trust.sites.guarded : trust.sites.bare)
      expect(await trust.load(bundler)).toBe(`built by ${bundler}`)
      expect(await trust.more(bundler)).toMatch(/^failed: /)
      expect(await trust.useOthers(bundler)).toEqual(works(bundler))
    },
  )
})

function decode(site: RemoteSite): { readonly files: Record<string, string> } {
  const [, body = ''] = String(site.files.get(LIST_FILE)).split('.')
  return JSON.parse(Buffer.from(body, 'base64url').toString()) as {
    files: Record<string, string>
  }
}
