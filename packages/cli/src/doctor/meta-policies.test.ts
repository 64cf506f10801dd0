import { describe, expect, it } from 'vitest'
import { metaPolicies } from './meta-policies.ts'

describe('metaPolicies', () => {
  it.each([
    [`<meta http-equiv="Content-Security-Policy" content="default-src 'self'">`],
    [`<META content="default-src 'self'" HTTP-EQUIV='content-security-policy' />`],
    [`<meta\n  http-equiv=Content-Security-Policy\n  content = "default-src &#39;self&apos;">`],
  ])('reads %s', (tag) => {
    expect(metaPolicies(`<html><head>${tag}</head>`)).toEqual(["default-src 'self'"])
  })

  it('reads several', () => {
    const tag = (value: string): string =>
      `<meta http-equiv="Content-Security-Policy" content="${value}">`

    expect(metaPolicies(tag('a') + tag('b &amp; c'))).toEqual(['a', 'b & c'])
  })

  it.each([
    ['a comment', `<head><!-- <meta http-equiv="Content-Security-Policy" content="a"> --></head>`],
    ['the body', `<head></head><body><meta http-equiv="Content-Security-Policy" content="a">`],
    ['another meta', `<meta name="description" content="Content-Security-Policy">`],
    ['nothing', ''],
  ])('leaves out %s', (_what, html) => {
    expect(metaPolicies(html)).toEqual([])
  })
})
