/** The checks, by name. */
export type CheckName =
  | 'sync-signed-out'
  | 'sync-header'
  | 'sync-cross-site'
  | 'sync-get'
  | 'sync-no-store'
  | 'sync-nosniff'
  | 'sync-cors'
  | 'csp'
  | 'csp-inline'
  | 'csp-eval'
  | 'csp-wildcard'
  | 'csp-connect'

/** Something that is wrong, and what to do about it. Made of headers and statuses, never of a body. */
export interface Finding {
  readonly check: CheckName
  /** What can be seen or will happen. */
  readonly symptom: string
  /** What the host answered. */
  readonly evidence: string
  readonly cause: string
  /** What to change. */
  readonly mend: string
}
