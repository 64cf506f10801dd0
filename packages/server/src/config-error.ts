import { AuthError } from '@token-bridge/core/errors'

/**
 * Makes the error for a wrong option. It names the field, the type of what was given and the fix, never the value: a
 * value in the wrong field may be a secret.
 *
 * @param field - as the caller wrote it, e.g. `authRoutes({ issuer })`.
 * @param expected - completes the sentence "must be …".
 * @param fix - one sentence that says what to write instead.
 */
export function configError(
  field: string,
  expected: string,
  value: unknown,
  fix: string,
): AuthError {
  return new AuthError(
    'ERR_CONFIG',
    `${field} must be ${expected}, got ${typeName(value)}. ${fix}`,
    { phase: 'configure' },
  )
}

function typeName(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (value === '') return 'an empty string'
  if (typeof value === 'string') return 'a string that is not'
  if (typeof value === 'number') return 'a number that is not'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
