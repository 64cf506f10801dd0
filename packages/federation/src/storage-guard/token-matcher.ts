import { Bytes, codeAt, getGram, Grams, setGram, substring } from './captured.ts'
import { eachEncoding } from './token-encodings.ts'

/** Tells whether a text holds the token, or half of it. */
export type TextTest = (text: string) => boolean

/** Where a piece stands in a form of the token. */
interface Place {
  readonly form: string
  readonly at: number
  /** How many characters in a row are half of the token. */
  readonly half: number
  /** Where the same piece stands as well. */
  readonly next: Place | undefined
}

/** As many characters as make it no accident, so that whoever shares a few with the token is left alone. */
const LEAST = 8
const PIECE = 8

/** What a text is searched with. */
interface Index {
  /** In characters of the token. */
  readonly half: number
  /** Characters of a piece. */
  readonly piece: number
  /** Every half of a form, wherever it begins, has a whole piece at one of these steps. */
  readonly step: number
  /** Whether a piece begins with characters of this hash: most of what is none is told from it here. */
  readonly beginnings: Uint8Array
  readonly places: Map<string, Place>
}

/**
 * Makes the test for one token. Half of it in a row counts: of a token split in two, one part is at least that long.
 *
 * A text is looked at once every half token, and there only for one short piece, so what is no token costs next to
 * nothing. The token stays in the closure; the caller cannot get it back from the test.
 */
export function createTokenMatcher(token: string): TextTest {
  const { length } = token
  const half = length < 2 * LEAST ? lesserOf(length, LEAST) : (length + 1) >> 1
  const piece = lesserOf(PIECE, half)
  const places = new Grams<string, Place>()
  const beginnings = new Bytes(HASHES)
  eachEncoding(token, half, (form, formHalf) => {
    for (let at = 0; at + piece <= form.length; at += 1) {
      const gram = substring(form, at, at + piece)
      setGram(places, gram, { form, at, half: formHalf, next: getGram(places, gram) })
      beginnings[hashAt(form, at)] = 1
    }
  })
  const index: Index = { half, piece, step: half - piece + 1, beginnings, places }
  return (text) => text.length >= half && search(text, index)
}

/** Outside of the matcher: each new one would have to be compiled anew. */
function search(text: string, { piece, step, beginnings, places }: Index): boolean {
  const last = text.length - piece
  for (let at = 0; at <= last; at += step) {
    if (beginnings[hashAt(text, at)] === 0) continue
    let place = getGram(places, substring(text, at, at + piece))
    for (; place !== undefined; place = place.next)
      if (commonLength(text, at, place) >= place.half) return true
  }
  return false
}

const HASHES = 1 << 17

/** Of four characters; of less where the text ends (`NaN` counts as 0). */
const hashAt = (text: string, at: number): number =>
  ((codeAt(text, at) << 12) ^
    (codeAt(text, at + 1) << 8) ^
    (codeAt(text, at + 2) << 4) ^
    codeAt(text, at + 3)) &
  (HASHES - 1)

/** How many characters text and form share in a row around the piece. */
function commonLength(text: string, at: number, place: Place): number {
  const { form } = place
  let start = 0
  while (at > start && place.at > start && text[at - start - 1] === form[place.at - start - 1])
    start += 1
  let end = 0
  while (
    at + end < text.length &&
    place.at + end < form.length &&
    text[at + end] === form[place.at + end]
  )
    end += 1
  return start + end
}

const lesserOf = (one: number, other: number): number => (one < other ? one : other)
