import { describe, expect, it } from 'vitest'
import type * as errors from './errors.ts'
import { AuthError, isAuthError, ReadOnlyStoreError, TokenRejectedError } from './errors.ts'

describe('AuthError', () => {
  it('carries code, phase and message, and is not retryable unless it says so', () => {
    const error = new AuthError('ERR_CONFIG', 'wrong', { phase: 'configure' })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'AuthError',
      code: 'ERR_CONFIG',
      phase: 'configure',
      message: 'wrong',
      retryable: false,
    })
    expect(String(error)).toBe('AuthError: wrong')
  })

  it('has status, retryAfter and cause when given, and else not even the keys', () => {
    const cause = new Error('below')
    const full = new AuthError('ERR_SYNC_STATUS', 'later', {
      phase: 'sync',
      retryable: true,
      status: 503,
      retryAfter: 0,
      cause,
    })
    expect(full).toMatchObject({ status: 503, retryAfter: 0, retryable: true })
    expect(full.cause).toBe(cause)
    const bare = new AuthError('ERR_SYNC_STATUS', 'later', { phase: 'sync' })
    expect(Object.keys(bare)).not.toContain('retryAfter')
    expect(Object.keys(bare)).not.toContain('status')
    expect('cause' in bare).toBe(false)
  })

  it('names its subclasses', () => {
    expect(new TokenRejectedError('ERR_TOKEN_EXPIRED', '', { phase: 'validate' }).name).toBe(
      'TokenRejectedError',
    )
    const readOnly = new ReadOnlyStoreError('dispatch')
    expect(readOnly).toMatchObject({
      name: 'ReadOnlyStoreError',
      code: 'ERR_READ_ONLY_STORE',
      phase: 'store',
    })
    expect(readOnly.message).toMatch(/^dispatch\(\) was called.*ask the host for a callback\.$/)
  })
})

describe('isAuthError', () => {
  const error = new TokenRejectedError('ERR_TOKEN_EXPIRED', '', { phase: 'validate' })

  it('knows every error of the suite, and asks for the code when one is given', () => {
    expect(isAuthError(error)).toBe(true)
    expect(isAuthError(error, 'ERR_TOKEN_EXPIRED')).toBe(true)
    expect(isAuthError(error, 'ERR_OFFLINE')).toBe(false)
  })

  // module-federation/core #3170: a package can be in the page twice.
  it('knows an error of another copy of the package, where instanceof does not', async () => {
    const url = new URL('./errors.ts?copy', import.meta.url).href
    const copy = (await import(/* @vite-ignore */ url)) as typeof errors
    const foreign = new copy.AuthError('ERR_OFFLINE', 'away', { phase: 'sync' })
    expect(foreign).not.toBeInstanceOf(AuthError)
    expect(isAuthError(foreign, 'ERR_OFFLINE')).toBe(true)
    expect(copy.isAuthError(error)).toBe(true)
  })

  it.each([
    ['null', null],
    ['nothing', undefined],
    ['a string', 'ERR_OFFLINE'],
    ['a plain error', new Error('x')],
    ['a look-alike', { name: 'AuthError', code: 'ERR_OFFLINE', phase: 'sync' }],
    ['JSON of an error', JSON.parse(JSON.stringify(error))],
  ])('says no to %s', (_, value) => {
    expect(isAuthError(value)).toBe(false)
  })

  it('has the brand that copies of every version share', () => {
    expect(Reflect.get(error, Symbol.for('@token-bridge/error'))).toBe(true)
  })

  it('has a brand that does not show when the error is copied or printed', () => {
    expect(Object.getOwnPropertySymbols(Object.assign({}, error))).toEqual([])
  })
})
