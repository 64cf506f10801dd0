import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isAuthError } from './errors.ts'
import { everythingIn, thrown } from './fixtures.test.support.ts'
import { claimPage } from './owner.ts'
import { VERSION } from './version.ts'

/** The same files once more, as a page gets them when sharing has failed. */
async function secondCopy() {
  vi.resetModules()
  return {
    owner: await import('./owner.ts'),
    bridge: await import('./bridge.ts'),
  }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('claimPage', () => {
  it('lets bridges of one copy run side by side, and leaves no mark behind when all have stopped', () => {
    const realm = {}
    const leaves = [claimPage(realm), claimPage(realm)]
    expect(Object.getOwnPropertySymbols(realm)).toHaveLength(1)
    leaves[0]?.()
    leaves[0]?.()
    expect(Object.getOwnPropertySymbols(realm)).toHaveLength(1)
    leaves[1]?.()
    expect(Object.getOwnPropertySymbols(realm)).toEqual([])
  })

  // module-federation/core#3170: a singleton can be loaded twice when the remote entry wins the race.
  it('refuses a second copy with the cause and the mend, until the first has left', async () => {
    const realm = {}
    const leave = claimPage(realm)
    const { owner } = await secondCopy()
    const error = thrown(() => owner.claimPage(realm))
    expect(isAuthError(error, 'ERR_SECOND_COPY')).toBe(true)
    expect((error as Error).message).toMatch(/Module Federation has loaded the package twice/)
    expect((error as Error).message).toMatch(/sharedSingletons\(\)/)
    expect((error as Error).message).toContain(VERSION)
    leave()
    expect(() => owner.claimPage(realm)()).not.toThrow()
  })

  it('marks the page with nothing that leads to a bridge, a reader or a function', () => {
    const realm: Record<symbol, unknown> = {}
    const leave = claimPage(realm)
    const [symbol] = Object.getOwnPropertySymbols(realm)
    const mark = realm[symbol as symbol] as object
    expect(Object.isFrozen(mark)).toBe(true)
    expect(Object.keys(mark)).toEqual(['copy', 'version', 'bridges'])
    expect(everythingIn(mark)).toBe(`copy: version: ${VERSION}\nbridges: 1\n`)
    leave()
  })

  it('claims nothing outside a browser', () => {
    expect(() => claimPage(undefined)()).not.toThrow()
  })

  it('knows the version that the package has', () => {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
    expect((JSON.parse(manifest) as { version: string }).version).toBe(VERSION)
  })
})

describe('two copies in one page', () => {
  it('have one owner: the second bridge does not start, asks nothing, and the first goes on', async () => {
    const { SecureTokenBridge } = await import('./bridge.ts')
    const realm = {}
    let issued = 0
    const payload = () => ({
      accessToken: `token-${(issued += 1)}`,
      expiresAt: Date.now() + 300_000,
    })
    const source = vi.fn(async () => payload())
    const first = new SecureTokenBridge({ source, environment: { realm } }).start()
    await vi.advanceTimersByTimeAsync(0)

    const other = await secondCopy()
    const otherSource = vi.fn(async () => payload())
    const second = new other.bridge.SecureTokenBridge({
      source: otherSource,
      environment: { realm },
    })
    expect(thrown(() => second.start())).toMatchObject({ code: 'ERR_SECOND_COPY' })
    expect(otherSource).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(1)
    await first.rotate()
    expect(first.snapshot).toMatchObject({ status: 'ready', generation: 2 })

    first.stop()
    second.start()
    await vi.advanceTimersByTimeAsync(0)
    expect(second.snapshot.status).toBe('ready')
    second.stop()
    expect(Object.getOwnPropertySymbols(realm)).toEqual([])
  })
})
