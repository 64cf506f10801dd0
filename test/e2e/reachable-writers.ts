/**
 * Runs in the page: names the ways, property by property, that lead from the elements to a bridge, or to a store that
 * takes an action. React keeps its own objects on the elements that it renders, and they lead up to the root of the tree.
 */
export function reachableWriters(selector: string): string[] {
  const isFunction = (object: object, name: string): boolean =>
    typeof Reflect.get(object, name) === 'function'
  const takesActions = (object: object): boolean => {
    if (!isFunction(object, 'dispatch') || !isFunction(object, 'getState')) return false
    try {
      ;(object as { dispatch(action: object): void }).dispatch({ type: 'walk/probe' })
      return true
    } catch {
      return false
    }
  }
  const seen = new Set<object>([window, document])
  const found: string[] = []
  const queue: [object, string][] = [...document.querySelectorAll(selector)].map((element) => [
    element,
    selector,
  ])
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [object, path] = next
    if (seen.has(object)) continue
    seen.add(object)
    if (isFunction(object, 'updateToken') || takesActions(object)) found.push(path)
    for (const key of Reflect.ownKeys(object)) {
      const value: unknown = Object.getOwnPropertyDescriptor(object, key)?.value
      const isObject = typeof value === 'object' || typeof value === 'function'
      if (isObject && value !== null) queue.push([value, `${path} › ${String(key)}`])
    }
  }
  return found
}
