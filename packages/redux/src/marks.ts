/** A set of objects that can be asked about anything, and keeps none of them alive. */
export interface Marks {
  add(value: unknown): void
  has(value: unknown): boolean
  /** Takes it out, and tells whether it was in. */
  take(value: unknown): boolean
}

const { apply } = Reflect
const { add, has, delete: take } = WeakSet.prototype

/** As a `WeakSet`, and answers the same after somebody has patched `WeakSet.prototype`. What is no object is never in. */
export function createMarks(): Marks {
  const marks = new WeakSet()
  return {
    add(value) {
      if (typeof value === 'object' && value !== null) apply(add, marks, [value])
    },
    has: (value) => apply(has, marks, [value]),
    take: (value) => apply(take, marks, [value]),
  }
}
