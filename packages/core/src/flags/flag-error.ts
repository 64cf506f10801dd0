import { AuthError, type AuthErrorDetails } from '../errors.ts'

/**
 * The error that a flag stream reports: `ERR_FLAG`, retryable, because the stream goes on.
 *
 * @param what - ends the sentence "The flag … could not be read: …".
 */
export function flagError(
  name: string,
  what: string,
  details: Pick<AuthErrorDetails, 'status' | 'cause'> = {},
): AuthError {
  return new AuthError('ERR_FLAG', `The flag '${name}' could not be read: ${what}`, {
    phase: 'read',
    retryable: true,
    ...details,
  })
}

/** @throws AuthError `ERR_CONFIG`, which names the argument and what it must be. */
export function refuseArgument(call: string, argument: string, expected: string): never {
  throw new AuthError('ERR_CONFIG', `${call}: \`${argument}\` must be ${expected}.`, {
    phase: 'configure',
  })
}

/** @throws AuthError `ERR_CONFIG` for what is not a text with something in it. */
export function requireText(call: string, argument: string, value: unknown, example: string): void {
  if (typeof value !== 'string' || value === '') {
    refuseArgument(call, argument, `a text, such as '${example}'`)
  }
}
