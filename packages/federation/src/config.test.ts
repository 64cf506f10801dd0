import { describe, expect, it } from 'vitest'
import { FRAMEWORKS, sharedSingletons } from './config.ts'

describe('sharedSingletons', () => {
  it('makes every framework and core a singleton', () => {
    const shared = sharedSingletons()

    expect(Object.keys(shared)).toEqual([...FRAMEWORKS, '@token-bridge/core'])
    expect(Object.values(shared).every((entry) => entry.singleton)).toBe(true)
  })

  it('shares react-dom/client, without which a Vite remote gets a second React', () => {
    expect(sharedSingletons()).toHaveProperty(['react-dom/client'], { singleton: true })
  })

  it('leaves the host its own copy of core and gives a remote none', () => {
    expect(sharedSingletons()['@token-bridge/core']).toEqual({ singleton: true })
    expect(sharedSingletons({ role: 'remote' })['@token-bridge/core']).toEqual({
      singleton: true,
      import: false,
    })
  })

  it('gives a remote a fallback copy of the frameworks', () => {
    expect(sharedSingletons({ role: 'remote' })['react']).toEqual({ singleton: true })
  })

  it('shares only the packages that it is told of', () => {
    expect(Object.keys(sharedSingletons({ packages: ['react'] }))).toEqual([
      'react',
      '@token-bridge/core',
    ])
  })

  it('returns a map of its own to each caller, because bundlers write into it', () => {
    expect(sharedSingletons()).not.toBe(sharedSingletons())
  })

  it('refuses a role that does not exist', () => {
    expect(() => sharedSingletons({ role: 'guest' as 'host' })).toThrow(/`role` is 'host' or/)
  })
})
