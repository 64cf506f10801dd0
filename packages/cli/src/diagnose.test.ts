import { describe, expect, it } from 'vitest'
import { diagnose } from './diagnose.ts'
import type { Answer, Probes } from './probe.ts'

const answer = (status: number, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: new Headers(headers),
})

const PRIVATE = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
const POLICY = "default-src 'none'; script-src 'self' https://remote.example; connect-src 'self'"

const healthy: Probes = {
  page: answer(200, { 'content-security-policy': POLICY }),
  sync: answer(401, { ...PRIVATE, 'content-type': 'application/problem+json' }),
  syncWithoutHeader: answer(403, PRIVATE),
  syncFromElsewhere: answer(403, PRIVATE),
}

describe('diagnose', () => {
  it('finds nothing wrong with a healthy host', () => {
    expect(diagnose(healthy)).toEqual([])
  })

  it.each<[string, string, Partial<Probes>, RegExp]>([
    [
      'a page in place of JSON',
      'sync-answers',
      { sync: answer(200, { ...PRIVATE, 'content-type': 'text/html' }) },
      /200, text\/html/,
    ],
    ['a redirect to a sign-in page', 'sync-answers', { sync: answer(302, PRIVATE) }, /302/],
    [
      'no endpoint',
      'sync-answers',
      { sync: answer(404, { ...PRIVATE, 'content-type': 'application/json' }) },
      /404/,
    ],
    [
      'an endpoint that refuses its own page',
      'sync-answers',
      { sync: answer(403, { ...PRIVATE, 'content-type': 'application/json' }) },
      /403/,
    ],
    [
      'an endpoint that needs no header',
      'sync-is-guarded',
      { syncWithoutHeader: answer(401, PRIVATE) },
      /without X-Token-Bridge: 401/,
    ],
    [
      'an endpoint that answers other sites',
      'sync-is-guarded',
      { syncFromElsewhere: answer(401, PRIVATE) },
      /from another site: 401/,
    ],
    [
      'an answer that may be cached',
      'sync-is-private',
      {
        sync: answer(401, {
          'content-type': 'application/json',
          'x-content-type-options': 'nosniff',
        }),
      },
      /no-store/,
    ],
    [
      'an answer that may be sniffed',
      'sync-is-private',
      { sync: answer(401, { 'content-type': 'application/json', 'cache-control': 'no-store' }) },
      /nosniff/,
    ],
    [
      'an endpoint that allows another origin',
      'sync-is-private',
      { syncFromElsewhere: answer(403, { ...PRIVATE, 'access-control-allow-origin': '*' }) },
      /Allow-Origin: \*/,
    ],
    [
      'a page without a policy',
      'page-has-policy',
      { page: answer(200) },
      /no Content-Security-Policy/,
    ],
    [
      'a policy that allows inline scripts',
      'page-has-policy',
      {
        page: answer(200, {
          'content-security-policy': "script-src 'self' 'unsafe-inline'; connect-src 'self'",
        }),
      },
      /unsafe-inline/,
    ],
    [
      'a policy that allows eval by default',
      'page-has-policy',
      { page: answer(200, { 'content-security-policy': "default-src 'self' 'unsafe-eval'" }) },
      /unsafe-eval/,
    ],
    [
      'a policy that allows scripts from anywhere',
      'page-has-policy',
      { page: answer(200, { 'content-security-policy': "script-src *; connect-src 'self'" }) },
      /script-src \*/,
    ],
    [
      'a policy that lets requests go anywhere',
      'page-has-policy',
      { page: answer(200, { 'content-security-policy': "script-src 'self'" }) },
      /no connect-src/,
    ],
  ])('finds %s, and that alone', (_name, check, broken, evidence) => {
    const findings = diagnose({ ...healthy, ...broken })
    expect(findings.map((finding) => finding.check)).toEqual([check])
    expect(findings[0]?.evidence).toMatch(evidence)
  })
})
