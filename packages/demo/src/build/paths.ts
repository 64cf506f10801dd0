import { fileURLToPath } from 'node:url'

const directory = (relative: string): string =>
  fileURLToPath(new URL(relative, import.meta.url)).replace(/\/$/, '')

export const paths = Object.freeze({
  root: directory('../../../../'),
  demo: directory('../../'),
  source: directory('../'),
  cache: directory('../../.cache/'),
})

/** Where a build keeps the public keys that its remotes are signed by. */
export const KEYS_FILE = 'remote-keys.json'
