import { describe, expect, it } from 'vitest'
import { isAnySubdomain, isEverywhere, parsePolicies } from './content-security-policy.ts'

describe('parsePolicies', () => {
  it('reads directives, whatever the case of their names and the space between', () => {
    const [policy] = parsePolicies("  Script-Src  'self'\thttps://a.example ;; connect-src;")

    expect(Object.fromEntries(policy ?? [])).toEqual({
      'script-src': ["'self'", 'https://a.example'],
      'connect-src': [],
    })
  })

  it('takes the first of two directives of one name', () => {
    const [policy] = parsePolicies("script-src 'self'; script-src *")

    expect(policy?.get('script-src')).toEqual(["'self'"])
  })

  it('tells policies apart, and leaves empty ones out', () => {
    expect(parsePolicies("default-src 'none', script-src 'self', ,")).toHaveLength(2)
    expect(parsePolicies('')).toEqual([])
  })
})

describe('isEverywhere', () => {
  it.each(['*', 'https:', 'HTTP:', 'data:', 'wss:', 'https://*', 'https://*:443', '*:*'])(
    'is so for %s',
    (source) => {
      expect(isEverywhere(source)).toBe(true)
    },
  )

  it.each([
    "'self'",
    "'none'",
    'blob:',
    'https://a.example',
    'a.example:*',
    '*.a.example',
    "'nonce-a:'",
  ])('is not so for %s', (source) => {
    expect(isEverywhere(source)).toBe(false)
  })
})

describe('isAnySubdomain', () => {
  it.each(['*.a.example', 'https://*.a.example', 'https://*.a.example:8443/x'])(
    'is so for %s',
    (source) => {
      expect(isAnySubdomain(source)).toBe(true)
    },
  )

  it.each(['*', 'https://*', 'https://a.example/*.js', "'self'"])('is not so for %s', (source) => {
    expect(isAnySubdomain(source)).toBe(false)
  })
})
