/**
 * Whether a text can be found in a value: in a string, a key, an array, a map, a set, or any own property, listed or not.
 * Accessors are read, functions are looked at for what hangs on them.
 */
export function holdsText(value: unknown, text: string, seen: Set<object> = new Set()): boolean {
  if (typeof value === 'string') return value.includes(text)
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  if (seen.has(value)) return false
  seen.add(value)
  if (value instanceof Map || value instanceof Set) {
    for (const entry of value.entries()) if (holdsText(entry, text, seen)) return true
  }
  return Reflect.ownKeys(value).some(
    (key) =>
      (typeof key === 'string' && key.includes(text)) ||
      holdsText((value as Record<PropertyKey, unknown>)[key], text, seen),
  )
}
