import { describe, expect, it } from 'vitest'
import type { DoctorReport } from './doctor.ts'
import { renderReport } from './render-report.ts'

const REPORT: DoctorReport = {
  page: 'https://shop.example/',
  sync: 'https://shop.example/api/auth/sync',
  findings: [
    {
      check: 'sync-no-store',
      symptom: 'Caches may keep the answer of the endpoint.',
      evidence: `Cache-Control: ${'x'.repeat(60)}`,
      cause: 'No header.',
      mend: 'Send it.',
    },
  ],
  passed: ['csp', 'csp-eval'],
  skipped: ['sync-get'],
}

describe('renderReport', () => {
  it('shows symptom, evidence, cause and mend of each finding in a table', () => {
    expect(renderReport(REPORT, 50)).toBe(`Page  https://shop.example/
Sync  https://shop.example/api/auth/sync

sync-no-store
──────────┬───────────────────────────────────────
 symptom  │ Caches may keep the answer of the
          │ endpoint.
 evidence │ Cache-Control:
          │ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
          │ xxxxxxxxxxxxxxxxxxxxxx
 cause    │ No header.
 mend     │ Send it.
──────────┴───────────────────────────────────────

1 finding, 2 checks passed.
Not judged until that is mended: sync-get.
`)
  })

  it('is short when there is nothing to say', () => {
    const text = renderReport({ ...REPORT, findings: [], skipped: [] }, 50)

    expect(text.split('\n').slice(2)).toEqual(['', '0 findings, 2 checks passed.', ''])
  })

  it.each([10, 40, 80, 200])('keeps to %s columns, or to 40', (width) => {
    const lines = renderReport(REPORT, width)
      .split('\n')
      .filter((line) => /[│┬┴]/.test(line))

    expect(Math.max(...lines.map((line) => line.length))).toBe(Math.max(width, 40))
  })
})
