import type { Policy } from '../content-security-policy.ts'
import type { Finding } from '../finding.ts'

/** The page has a content security policy that is enforced. */
export function checkPolicy(
  policies: readonly Policy[],
  reportOnly: string | null,
): Finding | null {
  if (policies.length > 0) return null
  return {
    check: 'csp',
    symptom: 'Any script that gets into the page may run, and may send the token anywhere.',
    evidence:
      reportOnly === null
        ? 'Content-Security-Policy: (none)'
        : 'Content-Security-Policy: (none), Content-Security-Policy-Report-Only: present',
    cause:
      reportOnly === null
        ? 'The page is sent without a policy.'
        : 'The policy only reports; browsers enforce nothing of it.',
    mend: 'Send a Content-Security-Policy: securityHeaders({ remotes, connect }) of @token-bridge/server makes a strict one.',
  }
}
