import { describe, expect, it } from 'vitest'
import { checkNumber, checkSection, misconfigured, refuse } from './checks.ts'
import { thrown } from './fixtures.test.support.ts'

const messageOf = (run: () => unknown): string => (thrown(run) as Error).message

describe('misconfigured', () => {
  it('is an error about the config that trying again does not mend', () => {
    expect(misconfigured('no.')).toMatchObject({
      code: 'ERR_CONFIG',
      phase: 'configure',
      retryable: false,
      message: 'createTokenBridge: no.',
    })
  })
})

describe('refuse', () => {
  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['', 'an empty string'],
    ['x', 'a string'],
    [5, 'a number'],
    [[], 'an array'],
    [{}, 'an object'],
    [() => {}, 'a function'],
  ])('names the field, what it must be and the type of %j', (value, got) => {
    expect(messageOf(() => refuse('a.b', 'a house', value))).toBe(
      `createTokenBridge: \`a.b\` must be a house, got ${got}.`,
    )
  })
})

describe('checkNumber', () => {
  it('has the fallback for what is left out, and for nothing else', () => {
    expect(checkNumber('a', undefined, 7)).toBe(7)
    expect(messageOf(() => checkNumber('a', null, 7))).toContain('got null')
  })

  it.each([0, 1, 0.5, Number.MAX_VALUE])('takes %d milliseconds', (value) => {
    expect(checkNumber('a', value, 7)).toBe(value)
  })

  it.each([
    ['5', 'must be a number of milliseconds, got a string.'],
    [Number.NaN, 'must be a number of milliseconds, got a number.'],
    [Number.POSITIVE_INFINITY, 'must be a number of milliseconds, got a number.'],
    [-0.1, 'must be at least 0, got -0.1.'],
  ])('refuses %j milliseconds', (value, says) => {
    expect(messageOf(() => checkNumber('a', value, 7))).toBe(`createTokenBridge: \`a\` ${says}`)
  })

  it('keeps to the bounds, both included', () => {
    const bounds = { least: 2, most: 4, what: 'a size' }
    expect([2, 3, 4].map((value) => checkNumber('a', value, 7, bounds))).toEqual([2, 3, 4])
    expect(messageOf(() => checkNumber('a', 1, 7, bounds))).toContain('must be at least 2, got 1.')
    expect(messageOf(() => checkNumber('a', 5, 7, bounds))).toContain('must be at most 4, got 5.')
    expect(messageOf(() => checkNumber('a', [], 7, bounds))).toContain('a size, got an array.')
  })
})

describe('checkSection', () => {
  it('takes an object with known options as it is, and nothing for an empty one', () => {
    const section = { a: 1 }
    expect(checkSection('s', section, ['a'])).toBe(section)
    expect(checkSection('s', undefined, [])).toEqual({})
  })

  it.each([
    [null, 'null'],
    [[], 'an array'],
    ['x', 'a string'],
    [5, 'a number'],
  ])('refuses %j', (value, got) => {
    const check = (expected?: string) => () =>
      checkSection('s', value as unknown as object, [], expected)
    expect(messageOf(check())).toBe(`createTokenBridge: \`s\` must be an object, got ${got}.`)
    expect(messageOf(check('one, or false'))).toContain(`must be one, or false, got ${got}.`)
  })

  it('names an option that does not exist, and those that do', () => {
    const section: { a?: number; b?: number } = { c: 1 } as object
    expect(messageOf(() => checkSection('s', section, ['a', 'b']))).toBe(
      'createTokenBridge: there is no option `s.c`. Known: a, b.',
    )
    expect(messageOf(() => checkSection('config', section, ['a', 'b']))).toBe(
      'createTokenBridge: there is no option `c`. Known: a, b.',
    )
  })

  it('lets any option pass when none are listed', () => {
    expect(checkSection('s', { c: 1 })).toEqual({ c: 1 })
  })
})
