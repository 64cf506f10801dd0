import type { AuthError } from '@token-bridge/core/errors'

/** What became of a write. `undone`: it had happened, and was taken back. */
export type Outcome = 'blocked' | 'undone' | 'detected'

/** What the parts of the guard ask, and whom they tell. */
export interface Sentry {
  /** Tells whether the token stands in what would be cloned or turned into text. A `Blob` is read, and told of later. */
  holds(value: unknown, route: string): boolean
  /** How many writes were caught so far. */
  readonly count: number
  /** Reports a write that carried the token. Returns the error that whoever wrote it gets. */
  caught(route: string, outcome: Outcome): AuthError
  /** Whether the guard stands. */
  readonly isUp: boolean
  /** Whether new frames, workers and windows are refused at the moment. */
  readonly refusesRealms: boolean
  /** Reports one that was refused. Returns the error for whoever asked for it. */
  refused(route: string): DOMException
  /** Is waited for before hydration counts as ended. */
  pending(work: Promise<unknown>): void
}

/** A window's globals, by name: not every engine has every one. */
export type Realm = Window & typeof globalThis

/** The prototype of a global class, where the engine has it. */
export function prototypeIn(realm: Realm, name: string): object | undefined {
  const owner = (realm as unknown as Record<string, { prototype?: object } | undefined>)[name]
  return owner?.prototype
}
