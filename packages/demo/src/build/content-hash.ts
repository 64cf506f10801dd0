import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { paths } from './paths.ts'

/** Packages of which nothing is in a bundle. */
const NOT_BUNDLED = new Set(['server', 'testing', 'cli'])

/** Everything that the bundles are made of: the packages' sources and manifests, and the lockfile. */
export function contentHash(): string {
  const hash = createHash('sha256')
  const add = (file: string): void => {
    hash.update(relative(paths.root, file)).update('\0').update(readFileSync(file)).update('\0')
  }
  const packages = join(paths.root, 'packages')
  for (const name of readdirSync(packages).toSorted()) {
    if (NOT_BUNDLED.has(name)) continue
    add(join(packages, name, 'package.json'))
    const source = join(packages, name, 'src')
    for (const file of readdirSync(source, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\.test[.-]/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()) {
      add(file)
    }
  }
  add(join(paths.root, 'package-lock.json'))
  return hash.digest('hex').slice(0, 16)
}
