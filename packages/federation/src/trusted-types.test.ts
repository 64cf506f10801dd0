import { Script } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { trustScripts } from './trusted-types.ts'

interface Rules {
  createScriptURL(address: string): string | null
  createScript(text: string): string | null
}

const createPolicy = vi.fn<(name: string, rules: Rules) => void>()

beforeEach(() => {
  vi.stubGlobal('location', new URL('https://shop.example.com/page'))
  vi.stubGlobal('document', { baseURI: 'https://shop.example.com/page' })
  vi.stubGlobal('trustedTypes', { createPolicy })
})
afterEach(() => {
  vi.unstubAllGlobals()
  createPolicy.mockReset()
})

describe('trustScripts', () => {
  it.each([
    ['/chunk.js', true],
    ['https://shop.example.com/chunk.js', true],
    ['https://cart.example.com/remoteEntry.js', true],
    ['https://cart.example.com.evil.example/x.js', false],
    ['https://cart.example.com:8443/x.js', false],
    ['http://cart.example.com/x.js', false],
    ['//evil.example/x.js', false],
    ['data:text/javascript,1', false],
  ])('for %s says %s', (address, isTrusted) => {
    trustScripts(['https://cart.example.com'])
    const rules = createPolicy.mock.lastCall?.[1]
    expect(rules?.createScriptURL(address)).toBe(isTrusted ? address : null)
  })

  it.each([
    ['{"integrity":{"https://cart.example.com/a.js":"sha384-x"}}', true],
    ['{"imports":{"react":"https://evil.example/"},"integrity":{}}', false],
    ['{"imports":{}}', false],
    ['{}', false],
    ['null', false],
    ['alert(1)', false],
    ['', false],
  ])('lets a map of hashes pass as an import map, and no other text: %s', (text, isTrusted) => {
    trustScripts([])
    expect(createPolicy.mock.lastCall?.[1].createScript(text)).toBe(isTrusted ? text : null)
  })

  it('lets no text pass that is a script', () => {
    expect(() => new Script('{"integrity":{}}')).toThrow(SyntaxError)
  })

  it('creates the default policy, and gives it no way to make HTML', () => {
    trustScripts([])
    expect(createPolicy.mock.calls.map(([name, rules]) => [name, Object.keys(rules)])).toEqual([
      ['default', ['createScriptURL', 'createScript']],
    ])
  })

  it.each(['https://cart.example.com/', 'cart.example.com', '*', 'https:'])(
    'refuses %s',
    (entry) => {
      expect(() => trustScripts([entry])).toThrow(TypeError)
      expect(createPolicy).not.toHaveBeenCalled()
    },
  )

  it('does nothing in a browser without Trusted Types', () => {
    vi.stubGlobal('trustedTypes', undefined)
    expect(() => trustScripts(['https://cart.example.com'])).not.toThrow()
  })
})
