import { describeAnswer, isRefusal, type Answer } from '../answer.ts'
import type { Finding } from '../finding.ts'

/** A request from a page of another site is refused before the session is looked at. */
export function checkCrossSite(answer: Answer): Finding | null {
  if (isRefusal(answer)) return null
  return {
    check: 'sync-cross-site',
    symptom: 'The sync endpoint takes a request from a page of another site as it takes any other.',
    evidence: `POST with another Origin and Sec-Fetch-Site: cross-site: ${describeAnswer(answer)}`,
    cause:
      'Neither Origin nor Sec-Fetch-Site is compared. SameSite cookies alone do not stop a sibling host or another port of the same site.',
    mend: 'Use authRoutes(), or answer 403 unless Sec-Fetch-Site is same-origin and Origin is your own. Behind a proxy, pass both headers on unchanged.',
  }
}
