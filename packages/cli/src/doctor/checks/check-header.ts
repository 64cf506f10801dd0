import { describeAnswer, isRefusal, type Answer } from '../answer.ts'
import type { Finding } from '../finding.ts'

/** A request without the bridge's own header is refused before the session is looked at. */
export function checkHeader(answer: Answer): Finding | null {
  if (isRefusal(answer)) return null
  return {
    check: 'sync-header',
    symptom:
      'The sync endpoint takes a request without the X-Token-Bridge header as it takes any other.',
    evidence: `POST without the header: ${describeAnswer(answer)}`,
    cause:
      'The header is not required. It is what no other site can send without a preflight (RFC 10017 section 6.1.3.3), so a forged form or fetch gets through.',
    mend: 'Use authRoutes(), or answer 403 when X-Token-Bridge is missing, before looking at the session. Behind a gateway, let it not add the header.',
  }
}
