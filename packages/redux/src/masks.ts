/** What the stores hold, by the states that `authEnhancer` shows in their place. */
const masked = new WeakMap<object, unknown>()

/** Notes that `shown` is shown in place of what the store holds. */
export function mask(shown: object, held: unknown): void {
  masked.set(shown, held)
}

/** What the store holds behind the state that it shows: the same, where nothing is in its place. */
export function unmask(state: unknown): unknown {
  return masked.get(state as object) ?? state
}
