import { describe, expect, it } from 'vitest'
import { compareVersions, isVersion } from './version.ts'

describe('compareVersions', () => {
  // Semantic Versioning 2.0, section 11, in its own order.
  const ascending = [
    '0.9.10',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.2.0',
    '1.10.0',
    '2.0.0',
    '2.0.1',
    '2026.11.25',
  ]

  it('puts versions into the order of Semantic Versioning', () => {
    for (const [index, one] of ascending.entries()) {
      for (const [otherIndex, other] of ascending.entries())
        expect([one, other, Math.sign(compareVersions(one, other))]).toEqual([
          one,
          other,
          Math.sign(index - otherIndex),
        ])
    }
  })

  it('reads over build metadata', () => {
    expect(compareVersions('1.0.0+build.7', '1.0.0+build.8')).toBe(0)
  })

  it('throws for what is no version', () => {
    expect(() => compareVersions('1.0.0', 'latest')).toThrow(/"latest" is no version/)
  })
})

describe('isVersion', () => {
  it.each(['1.0', '1', 'v1.0.0', '01.0.0', '1.0.0-', '1.0.0 ', '', undefined, 1])(
    'says no to %j',
    (value) => {
      expect(isVersion(value)).toBe(false)
    },
  )
})
