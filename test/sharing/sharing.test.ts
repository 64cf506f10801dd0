import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { launchBrowser } from '../e2e/browser.ts'
import type { SharingHost } from './host/host.ts'
import { openSites, REMOTES, type Host, type Sites } from './sites.ts'

declare global {
  var host: SharingHost
}

let browser: Browser
let sites: Sites
let page: Page
let errors: string[]
let requests: string[]

beforeAll(async () => {
  ;[browser, sites] = await Promise.all([launchBrowser(), openSites(inject('sharingBuilds'))])
})
afterAll(async () => {
  await browser?.close()
  sites?.close()
})
beforeEach(async () => {
  page = await browser.newPage()
  errors = []
  requests = []
  page.on('pageerror', ({ message }) => errors.push(message))
  page.on('request', (request) => requests.push(request.url()))
})
afterEach(async () => {
  await page.close()
})

const open = async (host: Host): Promise<void> => {
  await page.goto(sites.hosts[host])
  await page.getByText('host token-1').waitFor()
}
const mount = (remote: string, expose: string): Promise<string> =>
  page.evaluate(([name, what]) => host.mount(`remote_${name}`, what), [remote, expose] as const)
const shown = (remote: string): Promise<Record<string, string>> =>
  page.evaluate(
    (name) =>
      Object.fromEntries(
        ['mount', 'plain', 'imports'].map((what) => [what, host.shown(`remote_${name}`, what)]),
      ),
    remote,
  )
const report = (remote: string, expose: string): Promise<Record<string, unknown>> =>
  page.evaluate(
    ([name, what]) => {
      const { useState: _function, ...plain } = host.report(`remote_${name}`, what)
      return plain
    },
    [remote, expose] as const,
  )
const inspect = () => page.evaluate(() => host.inspect())
const rotate = (): Promise<void> => page.evaluate(() => host.rotate())

const EXPOSES = ['mount', 'plain', 'imports'] as const
/** All of a reader: nothing in it writes. */
const READER = [
  'current',
  'fetch',
  'getToken',
  'ready',
  'remote',
  'report',
  'snapshot',
  'snapshot$',
  'subscribe',
  'validateToken',
]

describe.each(['host', 'host_dev'] as const)('in a page of %s', (build) => {
  it.each(REMOTES)(
    'a remote built as %s gets its own reader, with React and without, and the host module from memory',
    async (remote) => {
      await open(build)
      for (const expose of EXPOSES) expect(await mount(remote, expose)).toBe(`${remote} token-1`)
      const own = { remote: `remote_${remote}`, keys: READER }
      expect(await report(remote, 'mount')).toEqual(own)
      expect(await report(remote, 'plain')).toEqual(own)
      expect(await report(remote, 'imports')).toEqual({
        remote: 'auth-bridge',
        frozen: true,
        keys: READER,
      })
      expect(await page.evaluate((name) => host.sharesReact(name), `remote_${remote}`)).toBe(true)
      // Nobody asked for the host's own entry.
      expect(requests.filter((url) => url.includes('localhost:9'))).toEqual([])
      expect(requests.filter((url) => url.endsWith('remoteEntry.js'))).toHaveLength(1)
      expect(await inspect()).toEqual([])
      expect(errors).toEqual([])
    },
  )

  it.each(REMOTES)(
    'a component of %s takes its reader by a prop, or from the provider above it',
    async (remote) => {
      await open(build)
      for (const way of ['by a prop', 'by the provider'] as const)
        expect(
          await page.evaluate(([name, how]) => host.render(`remote_${name}`, how), [
            remote,
            way,
          ] as const),
        ).toBe(`${remote} token-1`)
      expect(errors).toEqual([])
    },
  )

  it('every remote follows a rotation, and a revoked one is alone with its loss', async () => {
    await open(build)
    for (const remote of REMOTES) for (const expose of EXPOSES) await mount(remote, expose)
    await rotate()
    await page.getByText('host token-2').waitFor()
    const all = (text: string) => ({ mount: text, plain: text, imports: text })
    for (const remote of REMOTES) expect(await shown(remote)).toEqual(all(`${remote} token-2`))

    await page.evaluate(() => host.revoke('remote_vite'))
    await rotate()
    await page.getByText('host token-3').waitFor()
    for (const remote of REMOTES.filter((name) => name !== 'vite'))
      expect(await shown(remote)).toEqual(all(`${remote} token-3`))
    expect(await shown('vite')).toEqual({
      mount: expect.stringContaining('ERR_READER_REVOKED') as string,
      plain: 'vite without a token',
      imports: 'vite token-3',
    })
    expect(await inspect()).toEqual([])
    expect(errors).toEqual([])
  })
})

describe('react-dom/client', () => {
  // module-federation/vite#895
  it('brings a second React when neither side shares it: the remote stays blank, and the inspection says why', async () => {
    await open('host_bare')
    expect(await mount('vite_bare', 'mount')).toBe('')
    expect(errors.join()).toContain('Minified React error #321')
    expect(await inspect()).toEqual([
      expect.objectContaining({
        package: 'react-dom/client',
        kind: 'split-package',
        versions: [
          expect.objectContaining({ from: 'remote_vite_bare', usedBy: ['remote_vite_bare'] }),
          expect.objectContaining({ from: 'host_app' }),
        ],
        mend: expect.stringContaining('add it to `shared` of "host_app"') as string,
      }),
    ])
  })

  it('is the host’s when the host shares it as sharing() does: one React, and nothing to find', async () => {
    await open('host')
    expect(await mount('vite_bare', 'mount')).toBe('vite_bare token-1')
    expect(errors).toEqual([])
    expect(await inspect()).toEqual([])
  })
})

describe('one owner remains', () => {
  const goesOn = async (): Promise<void> => {
    await rotate()
    await page.getByText('host token-2').waitFor()
    expect(await mount('rspack', 'mount')).toBe('rspack token-2')
  }

  it('when a remote makes a bridge with a copy of core that it brought: the inspection names it', async () => {
    await open('host')
    const outcome = await mount('second_copy', 'own-bridge')
    expect(outcome).toMatch(
      /^failed: Another copy of @token-bridge\/core .* already owns the session.*sharedSingletons\(\)/,
    )
    await goesOn()
    const findings = await inspect()
    expect(findings.map((one) => [one.package, one.kind])).toEqual([
      ['@token-bridge/core', 'not-singleton'],
      ['@token-bridge/core', 'duplicate'],
    ])
    expect(findings[1]?.versions).toEqual([
      expect.objectContaining({
        from: 'host_app',
        usedBy: expect.arrayContaining(['host_app']) as string[],
      }),
      {
        version: '9.9.9',
        from: 'remote_second_copy',
        loaded: true,
        usedBy: ['remote_second_copy'],
      },
    ])
  })

  it('when a second host comes into the page', async () => {
    await open('host')
    await page.addScriptTag({ url: sites.secondHost })
    await page.waitForFunction(() => globalThis.secondHost !== undefined)
    expect(await page.evaluate(() => globalThis.secondHost)).toEqual({
      code: 'ERR_SECOND_COPY',
      message: expect.stringMatching(/let the host pass it a reader/) as string,
    })
    await goesOn()
    const apart = (await inspect()).filter(({ kind }) => kind === 'separate-scope')
    expect(apart).toContainEqual(
      expect.objectContaining({
        package: '@token-bridge/core',
        versions: [
          expect.objectContaining({ from: 'host_app' }),
          expect.objectContaining({ from: 'second_host' }),
        ],
      }),
    )
  })
})
