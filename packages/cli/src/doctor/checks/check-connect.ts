import {
  connections,
  describeDirective,
  isEverywhere,
  type Directive,
  type Policy,
} from '../content-security-policy.ts'
import type { Finding } from '../finding.ts'
import { printable } from '../printable.ts'

/** The page can reach its own host and named others, and nobody else. */
export function checkConnect(policies: readonly Policy[]): Finding | null {
  const directives = policies.map(connections).filter((directive) => directive !== null)
  const closed = directives.find(isClosed)
  if (closed !== undefined)
    return {
      check: 'csp-connect',
      symptom: 'The page cannot reach the sync endpoint: the bridge reports ERR_SYNC_NETWORK.',
      evidence: printable(describeDirective(closed)),
      cause: 'The policy allows no connection at all.',
      mend: `Add connect-src 'self' and the origins of your APIs. ${MAKER}`,
    }
  const [first] = directives
  if (!directives.every(isOpen)) return null
  return {
    check: 'csp-connect',
    symptom: 'A script in the page may send the token to any server.',
    evidence:
      first === undefined
        ? 'Neither connect-src nor default-src'
        : printable(describeDirective(first)),
    cause: 'The policy does not say whom the page may connect to, or allows everybody.',
    mend: `List 'self', your APIs and your remotes in connect-src. ${MAKER}`,
  }
}

const MAKER = 'contentSecurityPolicy({ connect, remotes }) of @token-bridge/server does that.'

const isOpen = ({ sources }: Directive): boolean => sources.some(isEverywhere)

/** An empty list means `'none'`. */
const isClosed = ({ sources }: Directive): boolean =>
  sources.every((source) => source.toLowerCase() === "'none'")
