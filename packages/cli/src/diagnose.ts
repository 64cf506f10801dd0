import type { Finding } from './finding.ts'
import { pageHasPolicy } from './page-checks.ts'
import type { Probes } from './probe.ts'
import { syncAnswers, syncIsGuarded, syncIsPrivate } from './sync-checks.ts'

const CHECKS: readonly ((probes: Probes) => Finding | null)[] = [
  syncAnswers,
  syncIsGuarded,
  syncIsPrivate,
  pageHasPolicy,
]

/** How many things are looked at. */
export const CHECK_COUNT: number = CHECKS.length

/** What is wrong, by the answers of a host. */
export function diagnose(probes: Probes): readonly Finding[] {
  return CHECKS.flatMap((check) => check(probes) ?? [])
}
