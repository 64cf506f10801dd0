import { describe, expect, it } from 'vitest'
import { AuthError } from './errors.ts'
import { isMissingEndpoint, modeFor } from './mode.ts'

describe('modeFor', () => {
  it('falls back to the legacy source, or to no tokens at all', () => {
    expect(modeFor(true, true)).toBe('bridge')
    expect(modeFor(true, false)).toBe('bridge')
    expect(modeFor(false, true)).toBe('legacy')
    expect(modeFor(false, false)).toBe('cookie-only')
  })
})

describe('isMissingEndpoint', () => {
  const refused = (status: number): AuthError =>
    new AuthError('ERR_SYNC_STATUS', 'refused', { phase: 'sync', status })

  it.each([404, 405, 501])('takes a status of %d for an endpoint that is not there', (status) => {
    expect(isMissingEndpoint(refused(status))).toBe(true)
  })

  it('takes a page of HTML for an endpoint that is not there', () => {
    expect(isMissingEndpoint(new AuthError('ERR_SYNC_NOT_JSON', 'HTML', { phase: 'sync' }))).toBe(
      true,
    )
  })

  // clerk PR #8004: "later" is another thing.
  it.each([400, 403, 429, 500, 502, 503])(
    'takes a status of %d for one that is down or refuses',
    (status) => {
      expect(isMissingEndpoint(refused(status))).toBe(false)
    },
  )

  it('takes no other failure for a missing endpoint, whatever its status', () => {
    expect(isMissingEndpoint(new AuthError('ERR_SYNC_NETWORK', 'away', { phase: 'sync' }))).toBe(
      false,
    )
    const payload = new AuthError('ERR_SYNC_PAYLOAD', 'broken', { phase: 'sync', status: 404 })
    expect(isMissingEndpoint(payload)).toBe(false)
  })
})
