/**
 * Reduces a wish to a path on the app's own origin; everything else becomes `/`. It stops open redirects: `//evil.example`,
 * `/\evil.example`, absolute addresses, and paths that only become one of these once normalised (`/.//evil.example`).
 *
 * @param wish - what the query said, of any type.
 * @param origin - the app's own.
 * @param basePath - the auth routes; going back there would sign in forever.
 */
export function returnTo(wish: unknown, origin: string, basePath: string): string {
  if (typeof wish !== 'string' || !isPlainPath(wish) || !URL.canParse(wish, origin)) return '/'
  const url = new URL(wish, origin)
  const isOwn = url.origin === origin && !url.pathname.startsWith('//')
  if (!isOwn || `${url.pathname}/`.startsWith(`${basePath}/`)) return '/'
  return url.pathname + url.search + url.hash
}

/** Browsers drop control characters and turn backslashes around, so what was checked would not be what is followed. */
function isPlainPath(wish: string): boolean {
  if (!wish.startsWith('/') || wish.includes('\\')) return false
  for (let i = 0; i < wish.length; i++) {
    const code = wish.charCodeAt(i)
    if (code <= 0x20 || code === 0x7f) return false
  }
  return true
}
