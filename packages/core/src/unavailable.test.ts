import { describe, expect, it } from 'vitest'
import { snapshotOf } from './fixtures.test.support.ts'
import { unavailable } from './unavailable.ts'

const why = (overrides: Parameters<typeof snapshotOf>[0], retryAfter = 0) =>
  unavailable(snapshotOf({ expiresAt: null, ...overrides }), retryAfter)

describe('unavailable', () => {
  it.each(['loading', 'ready', 'error'] as const)(
    'lets one wait while the status is %s',
    (status) => {
      expect(why({ status })).toBeNull()
      expect(why({ status, mode: 'legacy' })).toBeNull()
    },
  )

  it('says that nobody is signed in, and that waiting does not help', () => {
    expect(why({ status: 'signed-out' })).toMatchObject({
      code: 'ERR_SIGNED_OUT',
      phase: 'read',
      retryable: false,
      message: 'Nobody is signed in.',
    })
  })

  it.each(['ready', 'signed-out', 'maintenance'] as const)(
    'says first of all that there are no tokens in cookie-only mode, also when %s',
    (status) => {
      expect(why({ status, mode: 'cookie-only' })).toMatchObject({
        code: 'ERR_COOKIE_ONLY',
        phase: 'read',
        retryable: false,
        message: expect.stringContaining('no legacy source') as string,
      })
    },
  )

  it('says so when there are no tokens because the bridge could not be initialised', () => {
    const fault = { code: 'ERR_SYNC_STATUS', message: 'POST /api/auth/sync answered 404.' } as const
    expect(why({ mode: 'cookie-only', error: fault })?.message).toBe(
      'The bridge could not be initialised (ERR_SYNC_STATUS): requests go out with the session cookie and without a token.',
    )
  })

  // clerk PR #8004: "later" must not look like "signed out".
  it('says when the bridge tries again, and what failed last, in maintenance', () => {
    const fault = { code: 'ERR_SYNC_STATUS', message: 'POST /api/auth/sync answered 503.' } as const
    const error = why({ status: 'maintenance', error: fault }, 12_000)
    expect(error).toMatchObject({
      code: 'ERR_MAINTENANCE',
      phase: 'read',
      retryable: true,
      retryAfter: 12_000,
    })
    expect(error?.message).toContain(fault.message)
  })

  it('never promises a time in the past, and does without a last failure', () => {
    const error = why({ status: 'maintenance' }, -5_000)
    expect(error?.retryAfter).toBe(0)
    expect(error?.message).toContain('unknown')
  })
})
