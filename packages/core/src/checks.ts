import { AuthError } from './errors.ts'

/** The bounds of a number, and what it is. Default: milliseconds from 0. */
export interface Bounds {
  readonly least?: number
  readonly most?: number
  readonly what?: string
}

const kind = (value: unknown): string => {
  if (value === null || value === undefined) return String(value)
  if (value === '') return 'an empty string'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** Throws an AuthError `ERR_CONFIG` that names the field, the type it had and what it must be; never its value. */
export function refuse(field: string, expected: string, value: unknown): never {
  throw misconfigured(`\`${field}\` must be ${expected}, got ${kind(value)}.`)
}

/** The value, or the fallback when it is `undefined`. @throws AuthError `ERR_CONFIG` when it is no number or out of bounds. */
export function checkNumber(
  field: string,
  value: unknown,
  fallback: number,
  { least = 0, most = Number.MAX_VALUE, what = 'a number of milliseconds' }: Bounds = {},
): number {
  if (value === undefined) return fallback
  if (typeof value !== 'number' || !Number.isFinite(value)) return refuse(field, what, value)
  if (value >= least && value <= most) return value
  throw misconfigured(
    `\`${field}\` must be ${value < least ? `at least ${least}` : `at most ${most}`}, got ${value}.`,
  )
}

/**
 * The object, or an empty one when it is `undefined`.
 *
 * @param known - its options. Without it, anything goes.
 * @throws AuthError `ERR_CONFIG` when it is none, or has an unknown option.
 */
export function checkSection<T extends object>(
  field: string,
  value: T | undefined,
  known?: readonly (keyof T & string)[],
  expected = 'an object',
): Partial<T> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(field, expected, value)
  for (const key of Object.keys(value)) {
    if (known === undefined || (known as readonly string[]).includes(key)) continue
    const name = field === 'config' ? key : `${field}.${key}`
    throw misconfigured(`there is no option \`${name}\`. Known: ${known.join(', ')}.`)
  }
  return value
}

/** An error about the config. */
export const misconfigured = (message: string): AuthError =>
  new AuthError('ERR_CONFIG', `createTokenBridge: ${message}`, { phase: 'configure' })
