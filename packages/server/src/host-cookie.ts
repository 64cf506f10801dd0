import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { isSecretId } from './secret-id.ts'

export interface HostCookieOptions {
  readonly name: string
  /** RFC 6265bis section 5.5.7. */
  readonly sameSite: 'Strict' | 'Lax'
  /** Milliseconds. */
  readonly lifetime: number
}

/** A cookie that holds a secret id and nothing else. */
export interface HostCookie {
  /** The id that the request carries, or `undefined` when there is none of the right shape. */
  read(c: Context): string | undefined
  write(c: Context, id: string): void
  clear(c: Context): void
}

/**
 * A cookie with the `__Host-Http-` prefix (draft-ietf-httpbis-layered-cookies): Secure, HttpOnly, Path=/ and no Domain,
 * which the browser itself enforces. Script cannot plant one, and no sibling host can set one.
 *
 * It is the same on `http://localhost`: Chromium (tested: 153) stores and returns a Secure cookie of a loopback origin
 * over plain http, prefix included. Safari does not; use https there.
 */
export function hostCookie(options: HostCookieOptions): HostCookie {
  const { name, sameSite, lifetime } = options
  const set = (c: Context, value: string, maxAge: number) =>
    setCookie(c, `__Host-Http-${name}`, value, {
      path: '/',
      httpOnly: true,
      secure: true,
      sameSite,
      maxAge,
    })

  return Object.freeze<HostCookie>({
    read(c) {
      const value = getCookie(c, `__Host-Http-${name}`)
      return isSecretId(value) ? value : undefined
    },
    write: (c, id) => set(c, id, lifetime / 1000),
    clear: (c) => set(c, '', 0),
  })
}
