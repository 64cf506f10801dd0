import { AuthError, isAuthError, type AuthErrorCode } from '@token-bridge/core/errors'

/** Says why a remote is kept out. */
export function refusal(code: AuthErrorCode, message: string, cause?: unknown): AuthError {
  return new AuthError(code, message, {
    phase: 'load',
    retryable: code === 'ERR_REMOTE_UNREACHABLE',
    cause,
  })
}

/** Says that somebody got in the way of the check. */
export function bypassed(remote: string, how: string): AuthError {
  return refusal('ERR_REMOTE_BYPASSED', `"${remote}" is refused: ${how}.`)
}

/** Tells a "no" from a failure that another attempt may mend. */
export function isRefusal(error: unknown): error is AuthError {
  return isAuthError(error) && error.phase === 'load' && !error.retryable
}
