/** What is wrong with a host, and what to do about it. */
export interface Finding {
  readonly check: string
  /** What somebody sees or suffers. */
  readonly symptom: string
  /** What was seen just now. */
  readonly evidence: string
  readonly cause: string
  readonly mend: string
}
