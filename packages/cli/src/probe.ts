/** An answer, as far as the checks look at it. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
}

/** What `doctor` asks a host, without a session and without a browser. */
export interface Probes {
  /** The page itself. */
  readonly page: Answer
  /** A sync request as the bridge sends it. */
  readonly sync: Answer
  /** The same without the bridge's own header. */
  readonly syncWithoutHeader: Answer
  /** The same as a page of another site would send it. */
  readonly syncFromElsewhere: Answer
}

/** Where another site would be. */
export const ELSEWHERE = 'https://elsewhere.example'
