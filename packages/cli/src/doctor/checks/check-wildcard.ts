import {
  describeDirective,
  hasKeyword,
  isAnySubdomain,
  isEverywhere,
  scriptElements,
  type Directive,
  type Policy,
} from '../content-security-policy.ts'
import type { Finding } from '../finding.ts'
import { printable } from '../printable.ts'

/** Scripts come from origins that are named one by one. */
export function checkWildcard(policies: readonly Policy[]): Finding | null {
  const directives = policies.map(scriptElements).filter((directive) => directive !== null)
  if (!directives.every(hasWildcard)) return null
  const [first] = directives
  return {
    check: 'csp-wildcard',
    symptom: 'Scripts may be loaded from servers that nobody has named.',
    evidence:
      first === undefined
        ? 'Neither script-src nor default-src'
        : printable(describeDirective(first)),
    cause: 'The policy has a wildcard or a scheme alone for scripts, or says nothing of scripts.',
    mend: 'List the origin of each remote: contentSecurityPolicy({ remotes }) of @token-bridge/server does that.',
  }
}

/** `'strict-dynamic'` makes browsers ignore hosts and schemes. */
const hasWildcard = (directive: Directive): boolean =>
  !hasKeyword(directive, 'strict-dynamic') &&
  directive.sources.some((source) => isEverywhere(source) || isAnySubdomain(source))
