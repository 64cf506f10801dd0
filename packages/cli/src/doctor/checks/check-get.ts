import { describeAnswer, isRefusal, type Answer } from '../answer.ts'
import type { Finding } from '../finding.ts'

/** The sync endpoint does not answer GET. */
export function checkGet(answer: Answer): Finding | null {
  if (isRefusal(answer)) return null
  return {
    check: 'sync-get',
    symptom: 'The sync endpoint answers GET, which links, images and caches send too.',
    evidence: `GET: ${describeAnswer(answer)}`,
    cause: 'GET was allowed for an endpoint that existed already, or a page fallback answers it.',
    mend: "Let the bridge use POST (syncEndpoint's default), take allowGet out of authRoutes(), and route every method of /api/auth/* to it.",
  }
}
