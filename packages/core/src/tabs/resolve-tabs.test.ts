import { describe, expect, it } from 'vitest'
import { thrown } from '../fixtures.test.support.ts'
import { resolveTabs } from './resolve-tabs.ts'

describe('resolveTabs', () => {
  it('joins all tabs of the origin unless it is told otherwise', () => {
    for (const value of [undefined, true, {}]) {
      expect(resolveTabs(value)).toEqual({ name: 'token-bridge' })
    }
  })

  it('does without tabs when it is told so', () => {
    expect(resolveTabs(false)).toBeNull()
  })

  it('separates apps by name, and from what an app calls by that name itself', () => {
    expect(resolveTabs({ name: 'shop' })).toEqual({ name: 'token-bridge:shop' })
  })

  it('says what it expects', () => {
    const says = (value: unknown) => (thrown(() => resolveTabs(value as boolean)) as Error).message
    expect(says(1)).toBe(
      "createTokenBridge: `tabs` must be true, false or an object such as { name: 'shop' }, got a number.",
    )
    expect(says({ name: 7 })).toBe(
      'createTokenBridge: `tabs.name` must be a string that is not empty, got a number.',
    )
  })

  it.each([
    ['tabs', null, 'null'],
    ['tabs', 'shop', 'a string'],
    ['tabs', 1, 'a number'],
    ['tabs', ['shop'], 'an array'],
    ['tabs.name', { name: 7 }, 'a number'],
    ['tabs.name', { name: '' }, 'an empty string'],
    ['tabs.name', { name: null }, 'null'],
    ['tabs.name', { name: {} }, 'an object'],
  ])('refuses a bad `%s`: %j', (field, value, got) => {
    const error = thrown(() => resolveTabs(value as unknown as boolean))
    expect(error).toMatchObject({ code: 'ERR_CONFIG', phase: 'configure' })
    const { message } = error as Error
    expect(message).toMatch(`createTokenBridge: \`${field}\` must be `)
    expect(message).toMatch(`, got ${got}.`)
  })
})
