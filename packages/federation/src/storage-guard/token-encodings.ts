import { base64, codeAt, encodeUri, substring } from './captured.ts'

/** Takes a form of the token, and how many characters in a row of it hold as much as `half` of the token's own. */
type Visit = (form: string, half: number) => void

const LOWER = '0123456789abcdef'
const UPPER = '0123456789ABCDEF'

/**
 * Visits each form in which a token is looked for: as it is, URL-encoded (once, twice, and every character), base64 and
 * base64url (after 0, 1 and 2 other bytes) and hexadecimal. Tokens are ASCII: they stand in a header.
 *
 * @param half - in characters of the token.
 */
export function eachEncoding(token: string, half: number, visit: Visit): void {
  visit(token, half)
  const once = encodeUri(token)
  if (once !== token) {
    visit(once, half)
    visit(encodeUri(once), half)
  }
  // At both ends a sextet may mix in bits of what stands beside the token.
  const sextets = moreOf(half, ((8 * half - 10) / 6) | 0)
  eachBase64(token, '', 0, sextets, visit)
  eachBase64(token, '\0', 2, sextets, visit)
  eachBase64(token, '\0\0', 3, sextets, visit)
  visit(hexadecimal(token, LOWER, ''), 2 * half)
  visit(hexadecimal(token, UPPER, ''), 2 * half)
  visit(hexadecimal(token, LOWER, '%'), 3 * half)
  visit(hexadecimal(token, UPPER, '%'), 3 * half)
}

/** @param start - the first character that the bytes before have no part in. */
function eachBase64(
  token: string,
  before: string,
  start: number,
  sextets: number,
  visit: Visit,
): void {
  const end = ((8 * (before.length + token.length)) / 6) | 0
  const standard = substring(base64(before + token), start, end)
  visit(standard, sextets)
  const url = urlAlphabet(standard)
  if (url !== standard) visit(url, sextets)
}

function urlAlphabet(text: string): string {
  let result = ''
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] as string
    if (character === '+') result += '-'
    else if (character === '/') result += '_'
    else result += character
  }
  return result
}

function hexadecimal(token: string, digits: string, prefix: string): string {
  let result = ''
  for (let index = 0; index < token.length; index += 1) {
    const code = codeAt(token, index)
    result += `${prefix}${digits[(code >> 4) & 15]}${digits[code & 15]}`
  }
  return result
}

const moreOf = (one: number, other: number): number => (one > other ? one : other)
