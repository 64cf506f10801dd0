import { CHECK_COUNT } from './diagnose.ts'
import type { Finding } from './finding.ts'

/** The findings as text for a terminal. */
export function report(url: string, findings: readonly Finding[]): string {
  const summary =
    findings.length === 0
      ? `${url}: nothing found in ${CHECK_COUNT} checks.`
      : `${url}: ${findings.length} of ${CHECK_COUNT} checks found something.`
  const details = findings.map(
    ({ check, symptom, evidence, cause, mend }) =>
      `✗ ${check}\n  symptom   ${symptom}\n  evidence  ${evidence}\n  cause     ${cause}\n  mend      ${mend}`,
  )
  return [...details, summary].join('\n\n')
}
