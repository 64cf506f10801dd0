/** How a {@link createSecretId} looks: 32 bytes in base64url. Whatever looks different was never ours. */
const SHAPE = /^[\w-]{43}$/

/** Makes an identifier that nobody can guess: 256 random bits, base64url. Also fit as state, nonce and PKCE verifier. */
export function createSecretId(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)))
}

/** Tells whether a value has the shape of a {@link createSecretId}. */
export function isSecretId(value: unknown): value is string {
  return typeof value === 'string' && SHAPE.test(value)
}

/**
 * Hashes an identifier (SHA-256, base64url), so that whoever reads a store learns nothing that a browser would be
 * believed for. A slow hash is not needed: 256 random bits cannot be searched.
 */
export async function hashSecretId(id: string): Promise<string> {
  return base64url(
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(id))),
  )
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
