/** A version as Semantic Versioning 2.0 orders it; build metadata is read over. */
interface Version {
  readonly numbers: readonly number[]
  readonly prerelease: readonly string[]
}

const VERSION =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/

/** Tells whether a string is a version of Semantic Versioning 2.0. */
export function isVersion(value: unknown): value is string {
  return typeof value === 'string' && VERSION.test(value)
}

/**
 * Compares two versions by the precedence of Semantic Versioning 2.0, section 11: negative when the first is the older
 * one.
 *
 * @throws TypeError when one of them is no version.
 */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [parse(one), parse(other)]
  for (const [index, number] of a.numbers.entries()) {
    const difference = number - (b.numbers[index] ?? 0)
    if (difference !== 0) return difference
  }
  return comparePrereleases(a.prerelease, b.prerelease)
}

function parse(version: string): Version {
  const match = VERSION.exec(version)
  if (match === null) throw new TypeError(`"${version}" is no version such as 1.2.3.`)
  return {
    numbers: match.slice(1, 4).map(Number),
    prerelease: match[4]?.split('.') ?? [],
  }
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  // A release comes after every one of its prereleases.
  if (a.length === 0 || b.length === 0) return b.length - a.length
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [one, other] = [a[index], b[index]]
    if (one === undefined) return -1
    if (other === undefined) return 1
    const difference = compareIdentifiers(one, other)
    if (difference !== 0) return difference
  }
  return 0
}

function compareIdentifiers(one: string, other: string): number {
  const [isNumber, isOtherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)]
  if (isNumber && isOtherNumber) return Number(one) - Number(other)
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  return one < other ? -1 : Number(one > other)
}
