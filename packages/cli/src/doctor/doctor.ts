import { isJson, type Answer } from './answer.ts'
import { checkConnect } from './checks/check-connect.ts'
import { checkCors } from './checks/check-cors.ts'
import { checkCrossSite } from './checks/check-cross-site.ts'
import { checkEval } from './checks/check-eval.ts'
import { checkGet } from './checks/check-get.ts'
import { checkHeader } from './checks/check-header.ts'
import { checkInline } from './checks/check-inline.ts'
import { checkNoStore } from './checks/check-no-store.ts'
import { checkNosniff } from './checks/check-nosniff.ts'
import { checkPolicy } from './checks/check-policy.ts'
import { checkSignedOut } from './checks/check-signed-out.ts'
import { checkWildcard } from './checks/check-wildcard.ts'
import { parsePolicies } from './content-security-policy.ts'
import type { CheckName, Finding } from './finding.ts'
import { probe, type Probes } from './probe.ts'

/** What `doctor` looks at, and with what. */
export interface DoctorOptions {
  /** Path of the sync endpoint. Default `/api/auth/sync`. */
  readonly syncPath?: string
  /** Milliseconds for one answer. Default 10 000. */
  readonly timeout?: number
  /** Default: the `fetch` of Node, which sends the `Origin` and `Sec-Fetch-*` headers it is given. */
  readonly fetch?: typeof globalThis.fetch
}

/** What a check-up found. */
export interface DoctorReport {
  /** The page that was looked at. */
  readonly page: string
  /** The sync endpoint that was asked. */
  readonly sync: string
  readonly findings: readonly Finding[]
  readonly passed: readonly CheckName[]
  /** What could not be judged, because an earlier finding stands in the way. */
  readonly skipped: readonly CheckName[]
}

/**
 * Looks at a running host from outside, as a browser without a session would: six requests, no cookie, no sign-in. The
 * answers of the sync endpoint are not read, so no token can get into the report.
 *
 * @param url - a page of the host that answers without a session.
 * @throws AuthError `ERR_CONFIG` for an address that cannot be asked, `ERR_SYNC_NETWORK` when the host cannot be reached,
 * `ERR_SYNC_STATUS` when what answers is no page, is busy, or leads to another host.
 * @example
 * const { findings } = await doctor('https://shop.example/')
 */
export async function doctor(url: string, options: DoctorOptions = {}): Promise<DoctorReport> {
  const { syncPath = '/api/auth/sync', timeout = 10_000, fetch = globalThis.fetch } = options
  const probes = await probe(url, { fetch, syncPath, timeout })
  return examine(probes)
}

/** Judges the answers. */
export function examine(probes: Probes): DoctorReport {
  const { signedOut, withoutHeader, crossSite, get, preflight, reportOnly } = probes
  const policies = probes.policies.flatMap(parsePolicies)
  const isEndpoint = isJson(signedOut)
  const refusesTellingly = isEndpoint && answersSessions(signedOut)
  const hasPolicy = policies.length > 0

  const checks: readonly Check[] = [
    ['sync-signed-out', true, () => checkSignedOut(signedOut)],
    ['sync-header', refusesTellingly, () => checkHeader(withoutHeader)],
    ['sync-cross-site', refusesTellingly, () => checkCrossSite(crossSite)],
    ['sync-get', refusesTellingly, () => checkGet(get)],
    ['sync-no-store', isEndpoint, () => checkNoStore(signedOut)],
    ['sync-nosniff', isEndpoint, () => checkNosniff(signedOut)],
    ['sync-cors', true, () => checkCors([crossSite, preflight])],
    ['csp', true, () => checkPolicy(policies, reportOnly)],
    ['csp-inline', hasPolicy, () => checkInline(policies)],
    ['csp-eval', hasPolicy, () => checkEval(policies)],
    ['csp-wildcard', hasPolicy, () => checkWildcard(policies)],
    ['csp-connect', hasPolicy, () => checkConnect(policies)],
  ]
  const judged = checks.filter(([, canBeJudged]) => canBeJudged)
  const results = judged.map(([name, , check]) => ({ name, finding: check() }))
  return Object.freeze({
    page: probes.page,
    sync: probes.sync,
    findings: results.flatMap(({ finding }) => (finding === null ? [] : [finding])),
    passed: results.flatMap(({ name, finding }) => (finding === null ? [name] : [])),
    skipped: checks.flatMap(([name, canBeJudged]) => (canBeJudged ? [] : [name])),
  })
}

type Check = readonly [name: CheckName, canBeJudged: boolean, run: () => Finding | null]

/** A request in order gets as far as the session, so that another one which is refused was refused for its difference. */
const answersSessions = ({ status }: Answer): boolean => status === 401 || status === 200
