import { describe, expect, it } from 'vitest'
import { modeFor } from './mode.ts'

describe('modeFor', () => {
  it('falls back to the legacy source, or to no tokens at all', () => {
    expect(modeFor(true, true)).toBe('bridge')
    expect(modeFor(true, false)).toBe('bridge')
    expect(modeFor(false, true)).toBe('legacy')
    expect(modeFor(false, false)).toBe('cookie-only')
  })
})
