/** What every answer has: no cache, no other origin, no other type, no referrer: the callback's address holds a code. Never a CORS header. */
export const OWN_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'Cache-Control': 'no-store',
  Vary: 'Origin, Sec-Fetch-Site, Cookie',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
})
