import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NOW, SECRET } from '../fixtures.test.support.ts'
import { encodeSignal, parseSignal, type TabSignal } from './signal.ts'

const signals: fc.Arbitrary<TabSignal> = fc.oneof(
  fc.record({ type: fc.constant('rotated'), expiresAt: fc.maxSafeNat() }),
  fc.record({ type: fc.constantFrom('reset', 'mode') }),
)

describe('parseSignal', () => {
  it('reads what encodeSignal wrote, after it has crossed a channel', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), signals, (from, signal) => {
        expect(parseSignal(structuredClone(encodeSignal(from, signal)))).toEqual({ from, signal })
      }),
    )
  })

  it('takes zero for an id and for an expiry', () => {
    const signal = { type: 'rotated', expiresAt: 0 } as const
    expect(parseSignal(encodeSignal(0, signal))).toEqual({ from: 0, signal })
  })

  it('never throws, and accepts only its own format', () => {
    const message = fc.tuple(fc.maxSafeNat(), signals).map(([from, one]) => encodeSignal(from, one))
    const field = fc.constantFrom('v', 'from', 'type', 'expiresAt', 'more')
    const value = fc.oneof(fc.constantFrom(1, 2, 'rotated', 'reset', 'mode'), fc.anything())
    const almost = fc
      .tuple(message, field, value)
      .map(([one, name, other]) => ({ ...one, [name]: other }))
    let accepted = 0
    fc.assert(
      fc.property(fc.oneof(fc.anything(), message, almost), (data) => {
        const read = parseSignal(data)
        if (read === null) return
        accepted += 1
        expect(data).toStrictEqual(encodeSignal(read.from, read.signal))
      }),
      { numRuns: 5_000 },
    )
    expect(accepted).toBeGreaterThan(1_000)
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['text', JSON.stringify({ v: 1, from: 1, type: 'reset' })],
    ['another version', { v: 2, from: 1, type: 'reset' }],
    ['no version', { from: 1, type: 'reset' }],
    ['an id that is text', { v: 1, from: '1', type: 'reset' }],
    ['an id that is no whole number', { v: 1, from: 0.5, type: 'reset' }],
    ['an id below zero', { v: 1, from: -1, type: 'reset' }],
    ['an unknown type', { v: 1, from: 1, type: 'sign-out' }],
    ['a field too many', { v: 1, from: 1, type: 'reset', more: true }],
    ['a field of another type', { v: 1, from: 1, type: 'reset', expiresAt: NOW }],
    ['an expiry that is undefined', { v: 1, from: 1, type: 'mode', expiresAt: undefined }],
    ['a rotation without expiry', { v: 1, from: 1, type: 'rotated' }],
    ['an expiry that is text', { v: 1, from: 1, type: 'rotated', expiresAt: `${NOW}` }],
    ['an expiry that is endless', { v: 1, from: 1, type: 'rotated', expiresAt: Infinity }],
    ['an expiry beyond exact numbers', { v: 1, from: 1, type: 'rotated', expiresAt: 2 ** 53 }],
    ['an expiry that is an object', { v: 1, from: 1, type: 'rotated', expiresAt: new Date(NOW) }],
    ['a symbol too many', { v: 1, from: 1, type: 'reset', [Symbol('more')]: true }],
    ['a list', Object.assign([], { v: 1, from: 1, type: 'reset' })],
  ])('refuses %s', (_, data) => {
    expect(parseSignal(data)).toBeNull()
  })

  it('is not harmed by what throws when it is read', () => {
    const trap = (): never => {
      throw new Error('read')
    }
    const getter = { v: 1, from: 1, type: 'reset' }
    Object.defineProperty(getter, 'type', { get: trap })
    expect(parseSignal(getter)).toBeNull()
    expect(parseSignal(new Proxy({}, { get: trap, ownKeys: trap }))).toBeNull()
  })
})

describe('encodeSignal', () => {
  it('carries nothing but the signal, whatever else the object holds', () => {
    const event = { type: 'rotated', expiresAt: NOW, accessToken: SECRET } as const
    expect(encodeSignal(7, event)).toStrictEqual({ v: 1, from: 7, type: 'rotated', expiresAt: NOW })
    const reset = { type: 'reset', expiresAt: NOW, reason: SECRET } as const
    expect(encodeSignal(7, reset)).toStrictEqual({ v: 1, from: 7, type: 'reset' })
  })
})
