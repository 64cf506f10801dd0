import { describe, expect, it } from 'vitest'
import { printable } from './printable.ts'

describe('printable', () => {
  it('leaves ordinary text alone', () => {
    expect(printable("script-src 'self' https://größe.example")).toBe(
      "script-src 'self' https://größe.example",
    )
  })

  it('takes out what a terminal would obey', () => {
    expect(printable('a\u001B[2Jb\u009Bc\nd\u202Ee\u2028f')).toBe('a?[2Jb?c?d?e?f')
  })

  it('cuts what is too long', () => {
    expect(printable('x'.repeat(5_000))).toBe(`${'x'.repeat(300)}…`)
  })
})
