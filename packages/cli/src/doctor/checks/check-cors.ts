import { describeHeader, type Answer } from '../answer.ts'
import type { Finding } from '../finding.ts'

/** No answer, to a request or to a preflight, lets a page of another site read it. */
export function checkCors(answers: readonly Answer[]): Finding | null {
  const open = answers.find(({ headers }) => headers.has('access-control-allow-origin'))
  if (open === undefined) return null
  const evidence = ['Access-Control-Allow-Origin', 'Access-Control-Allow-Credentials']
    .filter((name) => open.headers.has(name))
    .map((name) => describeHeader(open, name))
  return {
    check: 'sync-cors',
    symptom:
      'The sync endpoint sends CORS headers: pages of other origins may be let read what it answers.',
    evidence: `To a request of another site: ${evidence.join(', ')}`,
    cause: 'A CORS middleware stands before the endpoint, usually meant for the API beside it.',
    mend: 'Take /api/auth/* out of it. The bridge asks from its own origin and needs no CORS.',
  }
}
