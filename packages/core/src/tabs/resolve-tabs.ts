import { checkSection, refuse } from '../checks.ts'

/** How tabs of one origin find each other. */
export interface TabsOptions {
  /** Separates two apps of one origin: only tabs of the same name signal each other. Not a secret. */
  readonly name?: string
}

const PREFIX = 'token-bridge'

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
  const { name } = checkSection(
    'tabs',
    value,
    ['name'],
    "true, false or an object such as { name: 'shop' }",
  )
  if (name === undefined) return { name: PREFIX }
  if (typeof name !== 'string' || name === '') {
    return refuse('tabs.name', 'a string that is not empty', name)
  }
  // The app may well have channels and locks of this name itself.
  return { name: `${PREFIX}:${name}` }
}
