import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder with the builds of hosts and remotes. */
    sharingBuilds: string
  }
}

const build = fileURLToPath(new URL('build.ts', import.meta.url))

/** Builds once for all tests, outside of them: bundler plugins behave differently below a test runner. */
export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'token-bridge-sharing-'))
  const { VITEST: _vitest, NODE_ENV: _mode, ...env } = process.env
  execFileSync(process.execPath, ['--conditions=@token-bridge/source', build, folder], {
    env,
    stdio: 'inherit',
  })
  project.provide('sharingBuilds', folder)
  return () => rmSync(folder, { recursive: true })
}
