import { describeHeader, type Answer } from '../answer.ts'
import type { Finding } from '../finding.ts'

/** Browsers take the answer for the type it says, and for no other. */
export function checkNosniff(answer: Answer): Finding | null {
  const value = answer.headers.get('x-content-type-options') ?? ''
  if (value.split(',')[0]?.trim().toLowerCase() === 'nosniff') return null
  return {
    check: 'sync-nosniff',
    symptom: 'A browser may take the answer of the sync endpoint for a script or a style sheet.',
    evidence: describeHeader(answer, 'X-Content-Type-Options'),
    cause: 'The endpoint does not send the header, or a proxy drops it.',
    mend: 'Send X-Content-Type-Options: nosniff with every answer, as authRoutes() does.',
  }
}
