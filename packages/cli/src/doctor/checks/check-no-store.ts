import { describeHeader, type Answer } from '../answer.ts'
import type { Finding } from '../finding.ts'

/** No cache keeps the answer (RFC 6749 section 5.1). */
export function checkNoStore(answer: Answer): Finding | null {
  const value = answer.headers.get('cache-control') ?? ''
  if (/(?:^|,)\s*no-store\s*(?:,|$)/i.test(value)) return null
  return {
    check: 'sync-no-store',
    symptom:
      'Caches may keep the answer of the sync endpoint, and with it a token or that somebody is signed out.',
    evidence: describeHeader(answer, 'Cache-Control'),
    cause: 'The endpoint does not send no-store, or a proxy replaces the header.',
    mend: 'Send Cache-Control: no-store with every answer, as authRoutes() does, and keep proxies from changing it.',
  }
}
