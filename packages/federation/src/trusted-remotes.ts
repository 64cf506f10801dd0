import { AuthError } from '@token-bridge/core/errors'
import { LIST_ALGORITHMS, LIST_FILE, type RemoteKeys } from './remote-list.ts'
import { isVersion } from './version.ts'

/** Which remotes may run in the host's page, and who vouches for them. */
export interface RemoteTrust extends RemoteKeys {
  /** By federation name. What is not named here is not loaded. */
  readonly remotes: Readonly<Record<string, RemoteTrustRule>>
}

/** What the host asks of one remote. */
export interface RemoteTrustRule {
  /** Address of its entry, a script: `https://cart.example.com/remoteEntry.js`. The signed list is beside it. */
  readonly entry: string
  /** Refuse builds older than this version. */
  readonly minVersion?: string
  /** The name of its reader, by which events speak of it. Default: the federation name. */
  readonly reader?: string
}

/** A remote as the gate works with it. */
export interface TrustedRemote {
  readonly name: string
  readonly reader: string
  readonly entry: string
  readonly minVersion: string | undefined
  /** The folder of the entry, ending with `/`: everything under it is the remote's. */
  readonly base: string
  /** Address of the signed list. */
  readonly list: string
}

/**
 * Checks what a host trusts.
 *
 * @throws AuthError `ERR_CONFIG` that names the field.
 */
export function checkTrust(trust: RemoteTrust): readonly TrustedRemote[] {
  if (typeof trust !== 'object' || trust === null) throw refuse('trust', 'an object')
  checkKeys(trust.keys)
  const { remotes } = trust
  if (typeof remotes !== 'object' || remotes === null || Array.isArray(remotes))
    throw refuse('trust.remotes', 'an object with an entry for each remote, by its federation name')
  const checked = Object.entries(remotes).map(([name, rule]) => checkRule(name, rule))
  for (const remote of checked) {
    const other = checked.find(({ name, base }) => name !== remote.name && base === remote.base)
    if (other !== undefined)
      throw refuse(
        `trust.remotes['${remote.name}'].entry`,
        `in a folder of its own; "${other.name}" is in the same one, which has one list`,
      )
  }
  return Object.freeze(checked)
}

const FIELDS: readonly string[] = ['entry', 'minVersion', 'reader']

function checkRule(name: string, rule: RemoteTrustRule): TrustedRemote {
  const field = `trust.remotes['${name}']`
  if (name === '') throw refuse('trust.remotes', 'named: a federation name is empty')
  if (typeof rule !== 'object' || rule === null) throw refuse(field, '{ entry, minVersion? }')
  const unknown = Object.keys(rule).find((key) => !FIELDS.includes(key))
  if (unknown !== undefined)
    throw refuse(`${field}.${unknown}`, `left out; there are: ${FIELDS.join(', ')}`)
  const { entry, minVersion, reader = name } = rule
  if (typeof reader !== 'string' || reader === '') throw refuse(`${field}.reader`, 'a name')
  if (minVersion !== undefined && !isVersion(minVersion))
    throw refuse(`${field}.minVersion`, 'a version such as 1.4.0')
  const url = typeof entry === 'string' && URL.canParse(entry) ? new URL(entry) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.href !== entry)
    throw refuse(
      `${field}.entry`,
      'an absolute address, e.g. https://cart.example.com/remoteEntry.js',
    )
  // The runtime takes every address with `.json` for a manifest, whose files it would load unverified.
  if (url.search !== '' || url.hash !== '' || !/\.m?js$/.test(url.pathname) || /\.json/.test(entry))
    throw refuse(
      `${field}.entry`,
      'the script itself (.js or .mjs), without a query; a manifest is not needed, the signed list says what it would',
    )
  const base = new URL('.', url).href
  return Object.freeze({
    name,
    reader,
    entry: url.href,
    minVersion,
    base,
    list: new URL(LIST_FILE, base).href,
  })
}

function checkKeys(keys: RemoteKeys['keys']): void {
  if (!Array.isArray(keys) || keys.length === 0)
    throw refuse('trust.keys', 'a list with at least one public JSON Web Key')
  const ids = new Set<string>()
  for (const [index, key] of keys.entries()) {
    const field = `trust.keys[${index}]`
    if (typeof key !== 'object' || key === null) throw refuse(field, 'a public JSON Web Key')
    if ('d' in key)
      throw refuse(
        field,
        'a public key; this one is private: take it out of the page, and replace it',
      )
    if (typeof key.kid !== 'string' || ids.has(key.kid))
      throw refuse(`${field}.kid`, 'a name of its own')
    if (!LIST_ALGORITHMS.includes(key.alg ?? ''))
      throw refuse(`${field}.alg`, LIST_ALGORITHMS.join(' or '))
    ids.add(key.kid)
  }
}

/** A mistake in what the host configured. */
export function refuse(field: string, expected: string): AuthError {
  return new AuthError('ERR_CONFIG', `authGatePlugin: \`${field}\` must be ${expected}.`, {
    phase: 'configure',
  })
}
