import { AuthError } from '../errors.ts'

export interface TabsOptions {
  /** Separates two apps of one origin: only tabs of the same name signal each other. Not a secret. */
  readonly name?: string
}

const PREFIX = 'token-bridge'

function refuse(field: string, expected: string, value: unknown): never {
  throw new AuthError(
    'ERR_CONFIG',
    `createTokenBridge: \`${field}\` must be ${expected}, got ${describe(value)}.`,
    { phase: 'configure' },
  )
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (value === '') return 'an empty one'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/**
 * Checks the option `tabs` and says what the channel and the lock are called; `null` when tabs are to do without.
 *
 * @throws AuthError `ERR_CONFIG`, which names the field.
 */
export function resolveTabs(
  value: boolean | TabsOptions | undefined,
): { readonly name: string } | null {
  if (value === false) return null
  if (value === undefined || value === true) return { name: PREFIX }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse('tabs', "true, false or an object such as { name: 'shop' }", value)
  }
  const { name } = value
  if (name === undefined) return { name: PREFIX }
  if (typeof name !== 'string' || name === '') {
    return refuse('tabs.name', 'a string that is not empty', name)
  }
  // The app may well have channels and locks of this name itself.
  return { name: `${PREFIX}:${name}` }
}
