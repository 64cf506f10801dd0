/**
 * The policies that a page sets in its head with `<meta http-equiv="Content-Security-Policy">`, as header values.
 *
 * Reads HTML as it is usually written, not all that a browser forgives.
 */
export function metaPolicies(html: string): readonly string[] {
  const head = html.replace(/<!--[\s\S]*?-->/g, '').split(/<\/head|<body/i)[0] ?? ''
  return [...head.matchAll(/<meta\s[^>]*>/gi)].flatMap(([tag]) =>
    attribute(tag, 'http-equiv')?.toLowerCase() === 'content-security-policy'
      ? [attribute(tag, 'content') ?? '']
      : [],
  )
}

function attribute(tag: string, name: string): string | undefined {
  const match = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i').exec(tag)
  return decode(match?.[1] ?? match?.[2] ?? match?.[3])
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&quot;': '"',
  '&#34;': '"',
  '&#39;': "'",
  '&#x27;': "'",
  '&apos;': "'",
  '&amp;': '&',
}

const decode = (text: string | undefined): string | undefined =>
  text?.replace(
    /&(?:quot|#34|#39|#x27|apos|amp);/gi,
    (entity) => ENTITIES[entity.toLowerCase()] ?? entity,
  )
