import { AuthError } from './errors.ts'
import type { AuthSnapshot } from './state.ts'

/**
 * Why there is no token now and waiting would not bring one; `null` while waiting can help.
 *
 * @param retryAfter - milliseconds until the bridge tries again, when it is in maintenance.
 */
export function unavailable(
  { mode, status, error }: AuthSnapshot,
  retryAfter: number,
): AuthError | null {
  if (mode === 'cookie-only') {
    return new AuthError(
      'ERR_COOKIE_ONLY',
      `${error === null ? 'The bridge is switched off and there is no legacy source' : `The bridge could not be initialised (${error.code})`}: requests go out with the session cookie and without a token.`,
      { phase: 'read' },
    )
  }
  if (status === 'signed-out')
    return new AuthError('ERR_SIGNED_OUT', 'Nobody is signed in.', { phase: 'read' })
  if (status === 'maintenance') {
    return new AuthError(
      'ERR_MAINTENANCE',
      `The auth endpoint is down; the bridge tries again by itself. Last failure: ${error?.message ?? 'unknown'}`,
      { phase: 'read', retryable: true, retryAfter: Math.max(0, retryAfter) },
    )
  }
  return null
}
