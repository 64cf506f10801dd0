/** One policy: directive name to source list, names and keywords as sent, names in lower case (CSP Level 3). */
export type Policy = ReadonlyMap<string, readonly string[]>

/**
 * Reads policies from header values. Commas separate policies, all of which apply; of a directive given twice the first
 * one counts.
 */
export function parsePolicies(value: string): readonly Policy[] {
  return value
    .split(',')
    .map(parsePolicy)
    .filter((policy) => policy.size > 0)
}

function parsePolicy(text: string): Policy {
  const policy = new Map<string, readonly string[]>()
  for (const directive of text.split(';')) {
    const [name, ...sources] = directive.trim().split(/\s+/)
    const key = name?.toLowerCase() ?? ''
    if (key !== '' && !policy.has(key)) policy.set(key, sources)
  }
  return policy
}

/** A directive that is in force, and the sources it allows. */
export interface Directive {
  readonly name: string
  readonly sources: readonly string[]
}

/** The first of these directives that the policy has: the one that counts, after its fallbacks. */
export function effective(policy: Policy, ...names: readonly string[]): Directive | null {
  for (const name of names) {
    const sources = policy.get(name)
    if (sources !== undefined) return { name, sources }
  }
  return null
}

/** What governs `<script>` elements. */
export const scriptElements = (policy: Policy): Directive | null =>
  effective(policy, 'script-src-elem', 'script-src', 'default-src')

/** What governs event handler attributes. */
export const scriptAttributes = (policy: Policy): Directive | null =>
  effective(policy, 'script-src-attr', 'script-src', 'default-src')

/** What governs `eval()` and its like. */
export const evaluation = (policy: Policy): Directive | null =>
  effective(policy, 'script-src', 'default-src')

/** What governs `fetch()` and its like. */
export const connections = (policy: Policy): Directive | null =>
  effective(policy, 'connect-src', 'default-src')

/** Whether a source list has a keyword such as `'unsafe-inline'`. */
export const hasKeyword = ({ sources }: Directive, keyword: string): boolean =>
  sources.some((source) => source.toLowerCase() === `'${keyword}'`)

/** A nonce or a hash in a list switches `'unsafe-inline'` off. */
export const hasNonceOrHash = ({ sources }: Directive): boolean =>
  sources.some((source) => /^'(?:nonce|sha256|sha384|sha512)-/i.test(source))

/** `*`, or a scheme alone, which names every server there is. `blob:` is not one: only script in the page makes those. */
export const isEverywhere = (source: string): boolean =>
  /^(?:[a-z][a-z\d+.-]*:\/\/)?\*(?::[\d*]+)?$/i.test(source) ||
  /^(?!blob:)[a-z][a-z\d+.-]*:$/i.test(source)

/** `*.example.com`, with or without a scheme. */
export const isAnySubdomain = (source: string): boolean =>
  /^(?:[a-z][a-z\d+.-]*:\/\/)?\*\./i.test(source)

/** A directive as text, for evidence. */
export const describeDirective = ({ name, sources }: Directive): string =>
  [name, ...sources].join(' ')
