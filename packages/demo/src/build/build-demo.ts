import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import type { RemoteKeys } from '@token-bridge/federation/runtime'
import type { Progress } from '../progress.ts'
import { contentHash } from './content-hash.ts'
import { KEYS_FILE, paths } from './paths.ts'

/** The folders of the four builds, and the keys that the remotes are signed by. */
export interface DemoBuild {
  readonly host: string
  readonly dashboard: string
  readonly orders: string
  readonly reports: string
  readonly keys: RemoteKeys
}

/** Builds host and remotes, or finds them built: the folder is named after a hash of everything that goes in. */
export async function buildDemo(progress: Progress): Promise<DemoBuild> {
  const folder = join(paths.cache, contentHash())
  const finished = (): DemoBuild => ({
    host: join(folder, 'host'),
    dashboard: join(folder, 'dashboard'),
    orders: join(folder, 'orders'),
    reports: join(folder, 'reports'),
    keys: JSON.parse(readFileSync(join(folder, KEYS_FILE), 'utf8')) as RemoteKeys,
  })
  if (existsSync(folder)) return finished()
  // @module-federation/vite does nothing where it finds a test runner: the remote would have no entry.
  if (process.env['VITEST'] !== undefined)
    throw new Error('Build the demo before the tests: npm run build --workspace @token-bridge/demo')

  // Under a name of its own until it is whole: a build that was broken off is never taken for a finished one.
  const unfinished = `${folder}.${process.pid}.building`
  mkdirSync(unfinished, { recursive: true })
  try {
    // Imported here, so that a start that finds everything built loads no bundler.
    const [{ buildReports }, { buildOrders }, { buildDashboard, buildHost }, { signRemotes }] =
      await Promise.all([
        import('./rspack-build.ts'),
        import('./vite-build.ts'),
        import('./webpack-build.ts'),
        import('./sign-remotes.ts'),
      ])
    await progress.step('reports', 'Rspack', () => buildReports(join(unfinished, 'reports')))
    await progress.step('orders', 'Vite', () => buildOrders(join(unfinished, 'orders')))
    await progress.step('dashboard', 'webpack', () => buildDashboard(join(unfinished, 'dashboard')))
    await signRemotes(unfinished)
    await progress.step('host', 'webpack', () => buildHost(join(unfinished, 'host')))
    for (const file of ['index.html', 'styles.css', 'favicon.svg'])
      cpSync(join(paths.source, 'host', file), join(unfinished, 'host', file))
    if (!existsSync(folder)) renameSync(unfinished, folder)
    removeOthers(folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return finished()
}

function removeOthers(folder: string): void {
  for (const entry of readdirSync(paths.cache)) {
    const path = join(paths.cache, entry)
    if (path !== folder && !entry.endsWith('.building'))
      rmSync(path, { recursive: true, force: true })
  }
}
