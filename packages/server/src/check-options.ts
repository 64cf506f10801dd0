import { configError } from './config-error.ts'

/**
 * Checks that options are an object, and that their names are known: whoever wrote another one counts on it.
 *
 * @param call - as the caller wrote it, e.g. `memoryStore`.
 * @throws AuthError `ERR_CONFIG`.
 */
export function checkOptions(call: string, options: unknown, names?: readonly string[]): void {
  const field = `${call}(options)`
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw configError(field, 'an object', options, 'Leave it out for the defaults.')
  if (names === undefined) return
  for (const name of Object.keys(options)) {
    if (!names.includes(name))
      throw configError(
        field,
        'an object with known names only',
        options,
        `There is no option "${name}"; there are ${names.join(', ')}.`,
      )
  }
}
