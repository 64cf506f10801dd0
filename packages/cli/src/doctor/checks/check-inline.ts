import {
  describeDirective,
  hasKeyword,
  hasNonceOrHash,
  scriptAttributes,
  scriptElements,
  type Directive,
  type Policy,
} from '../content-security-policy.ts'
import type { Finding } from '../finding.ts'
import { printable } from '../printable.ts'

/** Inline scripts run only with a nonce or a hash. */
export function checkInline(policies: readonly Policy[]): Finding | null {
  for (const governing of [scriptElements, scriptAttributes]) {
    const directives = policies.map(governing).filter((directive) => directive !== null)
    const [first] = directives
    if (first !== undefined && directives.every(allowsInline)) return finding(first)
  }
  return null
}

const allowsInline = (directive: Directive): boolean =>
  hasKeyword(directive, 'unsafe-inline') &&
  !hasNonceOrHash(directive) &&
  !hasKeyword(directive, 'strict-dynamic')

const finding = (directive: Directive): Finding => ({
  check: 'csp-inline',
  symptom: 'Markup that gets into the page can bring its own script, which reads the token.',
  evidence: printable(describeDirective(directive)),
  cause: "The policy allows 'unsafe-inline' for scripts.",
  mend: "Move inline scripts into files, or give each a nonce or a hash, and take 'unsafe-inline' out.",
})
