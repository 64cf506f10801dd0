import {
  describeDirective,
  evaluation,
  hasKeyword,
  type Policy,
} from '../content-security-policy.ts'
import type { Finding } from '../finding.ts'
import { printable } from '../printable.ts'

/** Text does not become code. */
export function checkEval(policies: readonly Policy[]): Finding | null {
  const directives = policies.map(evaluation).filter((directive) => directive !== null)
  const [first] = directives
  if (first === undefined || !directives.every((directive) => hasKeyword(directive, 'unsafe-eval')))
    return null
  return {
    check: 'csp-eval',
    symptom:
      'Text can be run as code with eval() and its like, so an injected string can read the token.',
    evidence: printable(describeDirective(first)),
    cause:
      "The policy allows 'unsafe-eval', often for a development build: webpack's default devtool uses eval().",
    mend: "Build host and remotes for production (or with devtool: 'source-map'), and take 'unsafe-eval' out.",
  }
}
