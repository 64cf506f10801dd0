/** A file that an element asked for, and that the browser did not take. */
export interface PinnedFailure {
  /** Address of the folder that the file is under. */
  readonly base: string
  readonly address: string
  /** What its bytes should have been; `null`: no list names it. */
  readonly hash: string | null
}

/** The hashes of files, by address, and the guard that makes the browser check them. */
export interface ElementPins {
  /** From now on files under this folder are those of this list, and no others. */
  pin(base: string, files: Readonly<Record<string, string>>): void
}

/** No file has this hash. */
const NOTHING = `sha384-${'A'.repeat(64)}`

/**
 * Makes every script and every stylesheet under these folders carry the hash that the list has for it, however its
 * element is made: bundlers assign `src` and `href`, the Module Federation runtime also calls `setAttribute`. The browser
 * then refuses other bytes before it runs them. A file that no list names gets a hash that no file has.
 *
 * Patches the two setters and `setAttribute` of the page, once.
 *
 * @param bases - the folders, each ending with `/`.
 * @param onFailure - is told of each such element that failed: other bytes, or no answer.
 */
export function guardElements(
  bases: readonly string[],
  onFailure: (failure: PinnedFailure) => void,
): ElementPins {
  // The longest first: a remote may live in a folder of another one.
  const folders = [...bases].toSorted((one, other) => other.length - one.length)
  const lists = new Map<string, ReadonlyMap<string, string>>()

  const guard = (element: HTMLScriptElement | HTMLLinkElement, value: unknown): void => {
    const text = String(value)
    if (!URL.canParse(text, document.baseURI)) return
    const url = new URL(text, document.baseURI)
    url.search = ''
    url.hash = ''
    const address = url.href
    const base = folders.find((folder) => address.startsWith(folder))
    if (base === undefined) return
    const hash = lists.get(base)?.get(address) ?? null
    element.integrity = hash ?? NOTHING
    element.crossOrigin ??= 'anonymous'
    element.addEventListener('error', () => onFailure({ base, address, hash }), { once: true })
  }

  guardSetter(HTMLScriptElement.prototype, 'src', guard)
  guardSetter(HTMLLinkElement.prototype, 'href', guard)
  const { setAttribute } = Element.prototype
  Element.prototype.setAttribute = function (this: Element, name: unknown, value: unknown): void {
    // Once: what is compared is what is set.
    const attribute = String(name)
    if (isAddress(this, attribute.toLowerCase())) guard(this, value)
    setAttribute.call(this, attribute, value as string)
  }

  return Object.freeze<ElementPins>({
    pin(base, files) {
      const hashes = Object.entries(files).map(
        ([path, hash]) => [addressOf(path, base), hash] as const,
      )
      lists.set(base, new Map(hashes))
    },
  })
}

/** The address of a listed file: its path is one of a file system, where `?` and `#` are letters. */
export function addressOf(path: string, base: string): string {
  const escaped = path.replaceAll('%', '%25').replaceAll('?', '%3F').replaceAll('#', '%23')
  return new URL(`./${escaped}`, base).href
}

const isAddress = (
  element: Element,
  attribute: string,
): element is HTMLScriptElement | HTMLLinkElement =>
  element instanceof HTMLScriptElement
    ? attribute === 'src'
    : element instanceof HTMLLinkElement && attribute === 'href'

function guardSetter<E extends HTMLElement>(
  prototype: E,
  name: 'src' | 'href',
  guard: (element: E, value: unknown) => void,
): void {
  const property = Object.getOwnPropertyDescriptor(prototype, name)
  const assign = property?.set
  if (property === undefined || assign === undefined) return
  Object.defineProperty(prototype, name, {
    ...property,
    set(this: E, value: unknown) {
      guard(this, value)
      assign.call(this, value)
    },
  })
}
