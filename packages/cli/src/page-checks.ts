import type { Finding } from './finding.ts'
import type { Probes } from './probe.ts'

/** Reads a policy: directive to its sources (CSP Level 3 section 2.2.1, the first of a name counts). */
function directives(policy: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  for (const part of policy.split(';')) {
    const [name, ...sources] = part.trim().split(/\s+/)
    if (name !== undefined && name !== '' && !found.has(name.toLowerCase()))
      found.set(name.toLowerCase(), sources)
  }
  return found
}

const RISKY_SCRIPT = ["'unsafe-inline'", "'unsafe-eval'", '*', 'https:', 'http:', 'data:']

/** The page has a policy that lets no foreign script run and says where requests may go. */
export function pageHasPolicy({ page }: Probes): Finding | null {
  const policy = page.headers.get('content-security-policy')
  const found = directives(policy ?? '')
  const scripts = found.get('script-src') ?? found.get('default-src')
  const connections = found.get('connect-src') ?? found.get('default-src')
  const risky = (scripts ?? []).filter((source) => RISKY_SCRIPT.includes(source.toLowerCase()))
  const wrong = [
    ...(policy === null ? ['no Content-Security-Policy header'] : []),
    ...(policy !== null && scripts === undefined ? ['no script-src'] : []),
    ...risky.map((source) => `script-src ${source}`),
    ...(policy !== null && connections === undefined ? ['no connect-src'] : []),
    ...(connections?.includes('*') ? ['connect-src *'] : []),
  ]
  if (wrong.length === 0) return null
  return {
    check: 'page-has-policy',
    symptom: 'An injected script runs, and can send what it reads anywhere.',
    evidence: wrong.join('; '),
    cause: 'The page is sent without a Content-Security-Policy, or with one that allows too much.',
    mend: 'Send contentSecurityPolicy({ remotes, connect }) of @token-bridge/server, or a policy of your own as strict.',
  }
}
